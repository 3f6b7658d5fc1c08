"""The recipes for Windows: what is written into the packages, and that NSIS takes the script."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from installers import msi, windows
from installers.icons import windows_icon
from installers.windows_recipes import stand_in

_WIX = "{http://schemas.microsoft.com/wix/2006/wi}"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.1.0", "0.1.0.0"),
        ("1.2.3rc1", "1.2.3.0"),
        ("2.0", "2.0.0.0"),
        ("1.2.dev4", "1.2.0.0"),
        ("1.2.3.4.5", "1.2.3.4"),
    ],
)
def test_windows_knows_four_numbers(text: str, numbers: str) -> None:
    assert windows.numeric_version(text) == numbers


def test_details_of_the_program_are_python_that_pyinstaller_reads() -> None:
    names = (
        "VSVersionInfo",
        "FixedFileInfo",
        "StringFileInfo",
        "StringTable",
        "StringStruct",
        "VarFileInfo",
        "VarStruct",
    )
    calls: list[tuple[str, tuple[object, ...], dict[str, object]]] = []
    scope = {name: lambda *a, _name=name, **k: calls.append((_name, a, k)) for name in names}
    eval(windows.version_resource("1.2.3rc1", program="liangliw.exe"), scope)
    assert ("StringStruct", ("FileDescription", "量力"), {}) in calls
    assert ("StringStruct", ("OriginalFilename", "liangliw.exe"), {}) in calls
    assert next(k for name, _, k in calls if name == "FixedFileInfo")["filevers"] == (1, 2, 3, 0)


def test_files_are_listed_folder_by_folder_in_one_order(tmp_path: Path) -> None:
    names = windows.payload_files(stand_in(tmp_path / "p"))
    listed = windows.file_list(Path("p"), reversed(names))
    assert listed == windows.file_list(Path("p"), names)
    folders = [line for line in listed.splitlines() if line.startswith("SetOutPath")]
    assert len(folders) == len(set(folders))
    assert 'SetOutPath "$INSTDIR\\_internal\\resources"\nFile "p/_internal/resources/a name.toml"' in listed


def test_a_folder_without_both_programs_is_refused(tmp_path: Path) -> None:
    payload = stand_in(tmp_path / "p")
    (payload / "liangliw.exe").unlink()
    with pytest.raises(SystemExit, match=r"no liangliw\.exe"):
        windows.build_setup(payload, tmp_path / "none.ico", folder=tmp_path)


@pytest.mark.skipif(shutil.which("makensis") is None, reason="makensis (the package nsis) is not here")
def test_two_setups_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "BUILD", tmp_path / "build")
    icon = tmp_path / "liangli.ico"
    icon.write_bytes(windows_icon({16: _png(16)}))
    hashes = set()
    for folder in ("1", "2"):
        setup = windows.build_setup(stand_in(tmp_path / "payload"), icon, folder=tmp_path / folder)
        assert setup.read_bytes()[:2] == b"MZ"
        hashes.add(hashlib.sha256(setup.read_bytes()).hexdigest())
    assert len(hashes) == 1


def _png(size: int) -> bytes:
    """A picture of nothing: NSIS looks at no more than the icon's directory."""
    return b"\x89PNG\r\n\x1a\n" + bytes(size)


def test_every_sentence_of_the_setup_is_in_both_languages() -> None:
    script = (windows.RECIPES / "liangli.nsi").read_text(encoding="utf-8")
    used = {name for name in ("RunNow", "TooOld", "InUse", "RemoveModels", "RemoveChats") if f"$({name})" in script}
    assert used == {"RunNow", "TooOld", "InUse", "RemoveModels", "RemoveChats"}
    for name in used:
        assert f"!insertmacro Words {name} " in script


def test_the_msi_names_every_file_once_and_keeps_its_identity(tmp_path: Path) -> None:
    names = windows.payload_files(stand_in(tmp_path / "p"))
    first = msi.description(names, "0.1.0")
    assert first == msi.description(names, "0.1.0")
    root = ElementTree.fromstring(first)
    assert sorted(file.get("Source") or "" for file in root.iter(f"{_WIX}File")) == names
    components = [str(component.get("Id")) for component in root.iter(f"{_WIX}Component")]
    assert sorted(components) == sorted(str(reference.get("Id")) for reference in root.iter(f"{_WIX}ComponentRef"))
    later = ElementTree.fromstring(msi.description(names, "0.2.0"))
    [old, new] = [tree.find(f"{_WIX}Product") for tree in (root, later)]
    assert old is not None and new is not None
    assert old.get("UpgradeCode") == new.get("UpgradeCode")
    assert old.get("Id") != new.get("Id")


def test_a_name_that_wixl_cannot_write_is_refused(tmp_path: Path) -> None:
    payload = stand_in(tmp_path / "p")
    (payload / "量力.txt").write_text("")
    with pytest.raises(SystemExit, match="量力"):
        msi.build_msi(payload, folder=tmp_path)
