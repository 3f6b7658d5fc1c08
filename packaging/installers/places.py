"""Where things are built, and what is built: folders, the version, the time that all files bear."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
# Kept between builds, so that the engine is compiled once.
BUILD = ROOT / "build"
# What is given to users.
DIST = ROOT / "dist"


def version() -> str:
    """The app's version, from its one place."""
    text = (ROOT / "app" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^VERSION = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("app/__init__.py names no VERSION")
    return found[1]


def source_date() -> int:
    """Seconds since the epoch that all files bear: $SOURCE_DATE_EPOCH, else the time of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    return int(output("git", "-C", str(ROOT), "log", "-1", "--format=%ct"))


def system() -> str:
    """ "linux-x86_64", "windows-amd64", "macos-arm64": what the packages made here are for."""
    name = {"win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    return f"{name}-{platform.machine().lower()}"


def run(*command: str | Path, environment: Mapping[str, str] | None = None, folder: Path | None = None) -> None:
    """Run a tool, its output where ours goes. Raises SystemExit, naming the tool, when it fails or is not there."""
    words: Sequence[str] = [str(word) for word in command]
    print("+ " + " ".join(words), flush=True)
    try:
        done = subprocess.run(words, env={**os.environ, **(environment or {})}, cwd=folder, check=False)
    except FileNotFoundError as error:
        raise SystemExit(f"{words[0]} is needed and not installed") from error
    if done.returncode:
        raise SystemExit(f"{Path(words[0]).name} failed with code {done.returncode}")


def output(*command: str) -> str:
    """What a tool writes. Raises subprocess.CalledProcessError."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
