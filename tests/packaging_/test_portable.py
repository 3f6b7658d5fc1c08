"""The file that unpacks and installs itself, run for a user whose name has Chinese, a space and an emoji."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from installers import portable
from installers.archive import write_tar_xz
from installers.needs import Needs

DATE = 1_700_000_000
NEEDS = Needs(libraries={"libGL.so.1": ("a",)}, versions={"GLIBC": "2.17"})
ID = "io.github.liangli.Liangli"

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None or not any(Path("/usr/lib").glob("*/liblzma.a")),
    reason="a C compiler and liblzma.a are needed",
)


def _write(target: Path, bundle: Path, icons: Path, needs: Needs = NEEDS) -> Path:
    payload = target.with_suffix(".payload")
    members = list(portable.portable_members(bundle, icons, needs, date=DATE))
    write_tar_xz(members, payload, date=DATE)
    portable.write_run(
        target,
        tool=portable.build_unpacker(target.with_suffix(".unxz")),
        payload=payload,
        unpacked_bytes=1,
        needs=needs,
    )
    return target


@pytest.fixture
def installer(tmp_path: Path, bundle: Path, icons: Path) -> Path:
    return _write(tmp_path / "liangli 安装.run", bundle, icons)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "用户 名😀"
    home.mkdir()
    return home


def _run(home: Path, *command: str | Path, locale: str = "zh_CN.UTF-8", typed: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=home,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "LANG": locale},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def test_installs_for_the_user_and_goes_again(installer: Path, home: Path) -> None:
    code, said = _run(home, "sh", installer)
    assert code == 0, said
    program = home / ".local" / "share" / "liangli-app" / "liangli"
    assert "量力已安装在" in said
    assert (home / ".local/bin/liangli").resolve() == program
    entry = (home / ".local/share/applications" / f"{ID}.desktop").read_text(encoding="utf-8")
    assert f'Exec="{program}" %U' in entry
    assert entry.count("Exec=") == 1
    assert (home / ".local/share/icons/hicolor/48x48/apps" / f"{ID}.png").is_file()
    data = home / ".local/share/liangli"
    (data / "models").mkdir(parents=True)
    (data / "models" / "m.gguf").touch()
    (data / "chats.sqlite3").touch()
    code, said = _run(home, program.parent / "uninstall")
    assert code == 0, said
    # Nobody could be asked: what is the user's stays.
    assert _files(home) - {"calls"} == {
        ".local/share/liangli/models/m.gguf",
        ".local/share/liangli/chats.sqlite3",
    }


def test_data_goes_when_it_is_told_to(installer: Path, home: Path) -> None:
    _run(home, "sh", installer)
    data = home / ".local/share/liangli"
    (data / "models").mkdir(parents=True)
    (data / "chats.sqlite3").touch()
    code, said = _run(home, home / ".local/share/liangli-app/uninstall", "--remove-data", locale="C")
    assert code == 0, said
    assert "Liangli is removed." in said
    assert not data.exists()


def test_portable_leaves_the_system_alone(installer: Path, home: Path) -> None:
    code, said = _run(home, "sh", installer, "--portable", "--target", home / "U 盘", locale="C")
    assert code == 0, said
    assert (home / "U 盘" / "portable").is_file()
    assert not (home / ".local").exists()
    assert "Portable mode" in said


def test_an_upgrade_keeps_what_is_the_users(installer: Path, home: Path) -> None:
    target = home / "app"
    _run(home, "sh", installer, "--portable", "--target", target)
    (target / "data").mkdir()
    (target / "data" / "chats.sqlite3").touch()
    (target / "_internal" / "of the old version").touch()
    code, said = _run(home, "sh", installer, "--portable", f"--target={target}")
    assert code == 0, said
    assert (target / "data" / "chats.sqlite3").is_file()
    assert not (target / "_internal" / "of the old version").exists()
    assert not list(target.glob(".new*"))
    assert (home / "calls").read_text() == "stopped\n"  # the service of the old version


def test_a_folder_with_other_files_is_left_alone(installer: Path, home: Path) -> None:
    (home / "mine").mkdir()
    (home / "mine" / "letter.txt").touch()
    code, said = _run(home, "sh", installer, "--target", home / "mine")
    assert code == 1
    assert "什么都没有改动" in said
    assert _files(home / "mine") == {"letter.txt"}


def test_a_damaged_or_cut_file_installs_nothing(installer: Path, home: Path) -> None:
    content = installer.read_bytes()
    damaged = home / "damaged.run"
    damaged.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    code, said = _run(home, "sh", damaged, locale="C")
    assert (code, "damaged" in said) == (1, True)
    damaged.write_bytes(content[:-5])
    code, said = _run(home, "sh", damaged, locale="C")
    assert (code, "incomplete" in said) == (1, True)
    assert not (home / ".local").exists()
    assert _run(home, "sh", installer, "--check") == (0, "文件完整：量力 0.1.0。\n")


def test_a_system_that_is_too_old_is_told_so(tmp_path: Path, bundle: Path, icons: Path, home: Path) -> None:
    future = Needs(libraries={}, versions={"GLIBC": "9.1"})
    code, said = _run(home, "sh", _write(tmp_path / "new.run", bundle, icons, future), locale="C")
    assert code == 1
    assert re.search(r"too old.*needs glibc 9\.1 or newer.*Nothing was installed", said)
    assert not (home / ".local").exists()


def test_a_desktop_entry_survives_odd_folder_names(installer: Path, home: Path) -> None:
    target = home / 'a"b$c`d\\e%f'
    _run(home, "sh", installer, "--target", target)
    entry = (home / ".local/share/applications" / f"{ID}.desktop").read_text(encoding="utf-8")
    value = re.search(r'^Exec="(.*)" %U$', entry, re.MULTILINE)
    assert value is not None
    # Read back as the specification says: the escapes of strings, then those of quoted words, then the field codes.
    quoted = value[1].replace("\\\\", "\\")
    word = re.sub(r'\\(["`$\\])', r"\1", quoted).replace("%%", "%")
    assert word == str(target / "liangli")
    assert _run(home, target / "uninstall")[0] == 0
    assert _files(home) == {"calls"}


def test_another_copys_entry_stays(installer: Path, home: Path) -> None:
    for name in ("old", "new"):
        _run(home, "sh", installer, "--target", home / name)
    assert _run(home, home / "old" / "uninstall")[0] == 0
    assert (home / ".local/bin/liangli").resolve() == home / "new" / "liangli"
    assert (home / ".local/share/applications" / f"{ID}.desktop").is_file()


def test_what_cannot_be_understood_changes_nothing(installer: Path, home: Path) -> None:
    assert _run(home, "sh", installer, "--what")[0] == 1
    assert _run(home, "sh", installer, "--target")[0] == 1
    assert _run(home, "sh", installer, "--help")[0] == 0
    assert not _files(home)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not here")
@pytest.mark.parametrize("name", ["run_header.sh", "install.sh", "uninstall.sh"])
def test_the_scripts_are_plain_sh(name: str, tmp_path: Path) -> None:
    places = ("VERSION", "GLIBC", "PACKAGES", "PROGRAM_FILES", "UNPACKED_KIB", "PAYLOAD_SHA256")
    numbers = ("HEADER_BYTES", "TOOL_BYTES", "PAYLOAD_BYTES")
    filled = portable.script(name, dict.fromkeys(places, "x") | dict.fromkeys(numbers, "1"))
    (tmp_path / name).write_bytes(filled)
    subprocess.run(("shellcheck", "-s", "sh", tmp_path / name), check=True)
