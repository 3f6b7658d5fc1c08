"""The manifest of an engine or a pack: what it is, for which system, and each of its files with size and hash. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from inference.engine_packs.errors import PackRefused

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MOST_MANIFEST_BYTES: Final = 1 << 20
MOST_FILES: Final = 4000
# The largest back end in use, CUDA with its matrix libraries, takes 1.5 GB.
MOST_BYTES: Final = 4 << 30

Kind = Literal["engine", "pack"]

_WORD = re.compile(r"[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+]{0,39}")
_HASH = re.compile(r"[0-9a-f]{64}")
# One part of a file's name. Nothing hidden, no drive, no stream, no name that a system reads as something else.
_PART = re.compile(r"[A-Za-z0-9_+-](?:[A-Za-z0-9_+.-]{0,98}[A-Za-z0-9_+-])?")
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_MOST_PARTS = 6
_KEYS = frozenset({"format", "kind", "name", "version", "ggml", "system", "back_ends", "needs", "files"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFile:
    """One file. path: relative, its parts between slashes."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """kind "engine": the package llama_cpp with its libraries; "pack": further back ends for such an engine.

    ggml: "0.25.3", the version that libraries of one process have to share. system: "linux-x86_64". back_ends: what a
    pack brings ("vulkan"). needs: in the maker's words, what the system must have ("NVIDIA driver 525").
    """

    kind: Kind
    name: str
    version: str
    ggml: str
    system: str
    back_ends: tuple[str, ...]
    needs: tuple[str, ...]
    files: tuple[PackFile, ...]

    @property
    def total_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files)


def read_manifest(content: bytes, *, name: str) -> Manifest:
    """`name` is for the error alone: the archive's. Raises PackRefused for anything that is not as it must be."""
    try:
        if len(content) > MOST_MANIFEST_BYTES:
            raise ValueError("too long")
        found = json.loads(content, object_pairs_hook=_without_doubles)
        return _manifest(found)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise PackRefused(name=name, reason="manifest", found=str(error)[:200]) from error


def safe_name(path: str) -> bool:
    """Whether this is a file's name that leads nowhere else on any system; plain ASCII, as libraries have it."""
    parts = path.split("/")
    return len(parts) <= _MOST_PARTS and all(_PART.fullmatch(part) and not _DEVICES.fullmatch(part) for part in parts)


def _manifest(found: Mapping[str, Any]) -> Manifest:
    if found["format"] != FORMAT:
        raise ValueError(f"format {found['format']!r}")
    if unknown := found.keys() - _KEYS:
        raise ValueError(f"unknown: {sorted(unknown)[0]}")
    if found["kind"] not in ("engine", "pack"):
        raise ValueError(f"kind {found['kind']!r}")
    files = tuple(_file(path, facts) for path, facts in sorted(found["files"].items()))
    if not files or len(files) > MOST_FILES:
        raise ValueError(f"{len(files)} files")
    _no_two_alike(files)
    manifest = Manifest(
        kind=cast(Kind, found["kind"]),
        name=_matching(_WORD, found["name"]),
        version=_matching(_VERSION, found["version"]),
        ggml=_matching(_VERSION, found["ggml"]),
        system=_matching(_WORD, found["system"]),
        back_ends=tuple(_matching(_WORD, one) for one in _list(found.get("back_ends", []))),
        needs=tuple(_sentence(one) for one in _list(found.get("needs", []))),
        files=files,
    )
    if _DEVICES.fullmatch(manifest.name):
        raise ValueError(f"name {manifest.name}")
    if manifest.total_bytes > MOST_BYTES:
        raise ValueError(f"{manifest.total_bytes} bytes")
    return manifest


def _file(path: str, facts: Mapping[str, Any]) -> PackFile:
    if not safe_name(path) or path.lower() == MANIFEST:
        raise ValueError(f"file name {path[:80]!r}")
    if facts.keys() != {"size", "sha256"}:
        raise ValueError(f"facts of {path}")
    size = facts["size"]
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ValueError(f"size of {path}")
    return PackFile(path=path, size_bytes=size, sha256=_matching(_HASH, facts["sha256"]))


def _no_two_alike(files: tuple[PackFile, ...]) -> None:
    """Names that differ in case alone are one file on some systems; a file cannot be a folder, too."""
    names = {file.path.lower() for file in files}
    folders = {name.rsplit("/", count)[0] for name in names for count in range(1, name.count("/") + 1)}
    if len(names) != len(files) or names & folders or MANIFEST in folders:
        raise ValueError("two files of one name")


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value) or ".." in value:
        raise ValueError(repr(value)[:80])
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > 20:
        raise TypeError("no list")
    return value


def _sentence(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 200:
        raise ValueError(repr(value)[:80])
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found
