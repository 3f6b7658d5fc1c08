"""The kit for computers without a network: whole, explained, and checked by its own scripts."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from installers import kit, kit_models
from installers.kit import build_kit

from tests.models_catalog.library.conftest import put

RUN = "liangli-0.1.0-linux-x86_64.run"


@pytest.fixture(autouse=True)
def known_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setattr("installers.kit.version", lambda: "0.1.0")


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installers of this version, and others."""
    folder = tmp_path / "dist"
    folder.mkdir()
    for name in (RUN, "liangli_0.1.0_amd64.deb", "liangli_0.0.9_amd64.deb", "SHA256SUMS"):
        (folder / name).write_bytes(name.encode())
    monkeypatch.setattr(kit, "DIST", folder)
    return folder


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A starter model, as far as the kit knows."""
    path = put(tmp_path / "models" / "starter-q4_k_m.gguf", seed=1)
    starter = {
        "name": {"en": "A starter"},
        "publisher": "Qwen",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "Apache-2.0",
        "sources": [{"kind": "huggingface", "repository": "Qwen/Starter"}],
    }
    table = kit_models._table
    monkeypatch.setattr(
        kit_models, "_table", lambda name: {"starter": [starter]} if name == "starter.toml" else table(name)
    )
    return path


def _verify(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", str(folder / "verify.sh")], capture_output=True, text=True, cwd="/")


def test_the_kit_is_whole_and_says_what_to_do(dist: Path, model: Path, tmp_path: Path) -> None:
    pack = tmp_path / "cuda.liangli-pack"
    pack.write_bytes(b"pack")
    folder = build_kit([model], [], [pack], into=tmp_path / "U 盘")
    assert folder.name == "liangli-kit-0.1.0"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    listed = {line[66:] for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()}
    assert listed == files - {"SHA256SUMS"}
    assert files >= {f"installers/{RUN}", "installers/liangli_0.1.0_amd64.deb", f"models/{model.name}"}
    assert "installers/liangli_0.0.9_amd64.deb" not in files
    assert "Apache License" in (folder / "licences" / model.stem / "LICENSE").read_text(encoding="utf-8")
    for name, words in (("START.txt", "liangli import --copy ."), ("开始.txt", "任何 Linux：sh installers/")):
        text = (folder / name).read_text(encoding="utf-8-sig")
        assert words in text and "liangli engine add engine-packs/cuda.liangli-pack" in text and model.name in text
        assert "@" not in text
    assert b"\r\n" in (folder / "verify.cmd").read_bytes()
    done = _verify(folder)
    assert (done.returncode, done.stderr) == (0, "") and "完整无误" in done.stdout


def test_two_kits_of_the_same_are_the_same(dist: Path, model: Path, tmp_path: Path) -> None:
    sums = [
        (build_kit([model], [dist / RUN], [], into=tmp_path / name) / "SHA256SUMS").read_bytes()
        for name in ("a", "a", "b")
    ]
    assert sums[0] == sums[1] == sums[2]


def test_its_script_names_what_is_damaged(dist: Path, model: Path, tmp_path: Path) -> None:
    folder = build_kit([model], [], [], into=tmp_path / "kit")
    (folder / "models" / model.name).write_bytes(b"other")
    (folder / "START.txt").unlink()
    done = _verify(folder)
    assert done.returncode == 1 and "损坏或缺失" in done.stderr
    assert f"models/{model.name}" in done.stdout and "START.txt" in done.stdout and RUN not in done.stdout


def test_a_damaged_starter_is_refused(dist: Path, model: Path, tmp_path: Path) -> None:
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(SystemExit, match="damaged"):
        build_kit([model], [], [], into=tmp_path / "kit")
    assert not (tmp_path / "kit").exists()


def test_other_models_bring_their_licence_along(dist: Path, tmp_path: Path) -> None:
    model = put(tmp_path / "models" / "other.gguf", seed=2)
    with pytest.raises(SystemExit, match="LICENSE file beside the model"):
        build_kit([model], [], [], into=tmp_path / "kit")
    (model.parent / "LICENSE.txt").write_text("The terms", encoding="utf-8")
    folder = build_kit([model], [], [], into=tmp_path / "kit")
    assert (folder / "licences" / "other" / "LICENSE.txt").read_text(encoding="utf-8") == "The terms"


def test_files_that_usb_disks_cannot_hold_are_told(
    dist: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kit, "FAT32_BYTES", 10)
    folder = build_kit([model], [], [], into=tmp_path / "kit")
    assert f"{model.name} is larger than 4 GB" in capsys.readouterr().out
    assert "exFAT" in (folder / "START.txt").read_text(encoding="utf-8-sig")
    odd = dist / "liangli_0.1.0_a:b.deb"
    odd.write_bytes(b"")
    with pytest.raises(SystemExit, match="not every system"):
        build_kit([model], [odd], [], into=tmp_path / "kit")


def test_without_installers_there_is_no_kit(dist: Path, model: Path, tmp_path: Path) -> None:
    for path in dist.iterdir():
        path.unlink()
    with pytest.raises(SystemExit, match="--installer"):
        build_kit([model], [], [], into=tmp_path / "kit")
