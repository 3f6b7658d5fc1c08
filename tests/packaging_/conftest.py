"""A frozen program in small: a script instead of it, and libraries that are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Otherwise the time of the last commit, for which these tests would need git.
os.environ.setdefault("SOURCE_DATE_EPOCH", "1700000000")

PROGRAM = """#!/bin/sh
if [ "$1" = stop ]; then echo stopped >>"$HOME/calls"; fi
echo "liangli 9.9"
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle" / "liangli"
    engine = folder / "_internal" / "engine"
    engine.mkdir(parents=True)
    (folder / "liangli").write_text(PROGRAM)
    (folder / "liangli").chmod(0o755)
    library = engine / "libggml.so.0"
    library.write_bytes(b"not one")
    library.chmod(0o755)
    (engine / "libggml.so").symlink_to("libggml.so.0")
    (folder / "_internal" / "量力 😀.toml").write_text("a = 1\n", encoding="utf-8")
    return folder


@pytest.fixture
def icons(tmp_path: Path) -> Path:
    from installers.icons import SIZES

    folder = tmp_path / "icons"
    folder.mkdir()
    for size in SIZES:
        (folder / f"{size}.png").write_bytes(b"PNG" + bytes([size % 256]))
    return folder


def touched(folder: Path) -> None:
    """The same files, later, with other rights for the group: what differs between two builds."""
    for path in folder.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
        if not path.is_symlink() and path.is_file():
            path.chmod(path.stat().st_mode | 0o020)
