"""What the frozen program needs of the system: libraries that it does not carry, and how old glibc may be."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_ELF = b"\x7fELF"
_NEEDED = re.compile(r"^\s+NEEDED\s+(\S+)$", re.MULTILINE)
_SYMBOL_VERSION = re.compile(r"^\s+0x\S+ 0x\S+ \d+ (GLIBC|GLIBCXX|GCC|CXXABI)_([\d.]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """libraries: each by its soname, with the files that link to it. versions: the newest of each set of symbols that
    is asked for, {"GLIBC": "2.34"}.
    """

    libraries: Mapping[str, tuple[str, ...]]
    versions: Mapping[str, str]


def needs_of(folder: Path) -> Needs:
    """Reads all programs and libraries below the folder with the tool objdump."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and _is_elf(path)]
    carried = {path.name for path in folder.rglob("*.so*")}
    described = {path.relative_to(folder).as_posix(): _described(path) for path in files}
    return read_needs(described, carried)


def read_needs(described: Mapping[str, str], carried: Iterable[str]) -> Needs:
    """From what `objdump -p` says of each file. Sonames in `carried` are not needed of the system."""
    inside = set(carried)
    libraries: dict[str, list[str]] = {}
    versions: dict[str, str] = {}
    for file, said in sorted(described.items()):
        for soname in _NEEDED.findall(said):
            if soname not in inside:
                libraries.setdefault(soname, []).append(file)
        for family, version in _SYMBOL_VERSION.findall(said):
            versions[family] = max(versions.get(family, "0"), version, key=_numbers)
    return Needs(libraries={name: tuple(users) for name, users in sorted(libraries.items())}, versions=versions)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == _ELF


def _described(path: Path) -> str:
    try:
        return subprocess.run(("objdump", "-p", path), capture_output=True, text=True, check=True).stdout
    except FileNotFoundError as error:
        raise SystemExit("objdump (binutils) is needed and not installed") from error
