"""What this computer can run of what is published, and what fits the way in which this copy was installed."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from pathlib import Path

from resources.own_program import is_frozen

_NAMES = {"win32": "windows", "darwin": "macos"}
_DEBIAN_FOLDER = Path("/opt/liangli")


def system() -> str:
    """ "linux-x86_64", "windows-amd64", "macos-arm64"."""
    return f"{_NAMES.get(sys.platform, sys.platform)}-{platform.machine().lower()}"


def system_version() -> str:
    """Of Linux the version of glibc, else the system's own: numbers and dots; empty where nobody can say."""
    if sys.platform == "win32":
        found = sys.getwindowsversion()
        return f"{found.major}.{found.minor}.{found.build}"
    if sys.platform == "darwin":
        return platform.mac_ver()[0]
    with contextlib.suppress(ValueError, OSError):
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").rpartition(" ")[2]
    return ""


def runs_here(needs: str, have: str) -> bool:
    """Whether a system of version `have` is new enough. What cannot be told is left to the installer."""
    return not needs or not have or _numbers(have) >= _numbers(needs)


def preferred_kinds() -> tuple[str, ...]:
    """Kinds of files, the best for this copy first."""
    if sys.platform == "win32":
        return ("setup", "msi", "zip")
    if sys.platform == "darwin":
        return ("dmg",)
    if is_frozen() and _DEBIAN_FOLDER in Path(sys.executable).resolve().parents:
        return ("deb", "run", "tar")
    return ("run", "tar", "deb")


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(piece) if piece.isdecimal() else 0 for piece in version.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
