"""The Debian package of a small program: the same every time, and dpkg's own tool reads it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from installers import deb
from installers.archive import write_tar_xz
from installers.needs import Needs

from .conftest import touched

DATE = 1_700_000_000


def _build(bundle: Path, icons: Path, target: Path) -> bytes:
    members = sorted(deb.package_members(bundle, icons, DATE), key=lambda member: member.path)
    data = target.with_suffix(".data")
    write_tar_xz(members, data, date=DATE, root="./")
    control = deb.control_text(Needs(libraries={}, versions={"GLIBC": "2.34"}), deb.installed_kib(members), "0.1.0")
    deb.write_deb(target, control, members, data, date=DATE)
    return target.read_bytes()


def test_two_builds_are_the_same(bundle: Path, icons: Path, tmp_path: Path) -> None:
    first = _build(bundle, icons, tmp_path / "1.deb")
    touched(bundle)
    assert _build(bundle, icons, tmp_path / "2.deb") == first


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not here")
def test_it_brings_the_program_its_command_and_its_desktop_files(bundle: Path, icons: Path, tmp_path: Path) -> None:
    _build(bundle, icons, tmp_path / "1.deb")
    listed = subprocess.run(("dpkg-deb", "-c", tmp_path / "1.deb"), capture_output=True, text=True, check=True).stdout
    assert "root/root" in listed
    assert "./usr/bin/liangli -> /opt/liangli/liangli" in listed
    assert "./opt/liangli/_internal/engine/libggml.so -> libggml.so.0" in listed
    for path in ("applications/io.github.liangli.Liangli.desktop", "icons/hicolor/48x48/apps", "doc/liangli/copyright"):
        assert f"./usr/share/{path}" in listed
    told = subprocess.run(("dpkg-deb", "-f", tmp_path / "1.deb"), capture_output=True, text=True, check=True).stdout
    assert "Package: liangli" in told
    control = subprocess.run(("dpkg-deb", "-e", tmp_path / "1.deb", tmp_path / "control"), check=True)
    assert control.returncode == 0
    # Nothing of ours runs as root.
    assert sorted(path.name for path in (tmp_path / "control").iterdir()) == ["control", "md5sums"]


def test_installed_size_counts_whole_blocks_folders_and_links() -> None:
    members = [deb.Member(path="a/b", content=b"x" * 1025), deb.Member(path="a/c", link="b")]
    assert deb.installed_kib(members) == 2 + 1 + 2
