"""Unpacks the archive of an engine or pack (.tar.xz, its manifest first), believing nothing that is in it.

Of the forms that Python reads without another library this is the smallest (a back end for Vulkan: 29 MB become 3 MB),
and it is read once from front to back: the manifest comes first, so no byte is written that it has not announced. The
table of a .zip stands at its end and can say something else than the entries themselves.
"""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from inference.engine_packs.errors import PackRefused
from inference.engine_packs.manifest import MANIFEST, MOST_MANIFEST_BYTES, Manifest, PackFile, read_manifest

_BLOCK = 512
_PIECE = 1 << 20
# The largest dictionary that xz -9 uses takes 65 MB to unpack.
_MOST_UNPACKING_BYTES = 160 << 20
# Entries that are folders, and the zeros at the end.
_MOST_FOLDERS = 1000
_MOST_PADDING = 1 << 20


def read_archive_manifest(archive: Path) -> tuple[Manifest, bytes]:
    """The manifest and its own bytes; the rest is not looked at. Raises PackRefused, OSError."""
    with archive.open("rb") as file:
        return _first(_Entries(archive.name, _Unpacked(archive.name, file)))


def unpack(archive: Path, folder: Path, accept: Callable[[Manifest], None]) -> Manifest:
    """Write the archive's files into the new, empty folder, each checked against the manifest, and the manifest itself.

    accept: asked before anything is written; raises to refuse. Raises PackRefused, OSError: the folder is then not to
    be used.
    """
    with archive.open("rb") as file:
        entries = _Entries(archive.name, _Unpacked(archive.name, file))
        manifest, content = _first(entries)
        accept(manifest)
        expected = {one.path: one for one in manifest.files}
        for entry in entries:
            known = expected.pop(entry.name, None)
            if known is None or known.size_bytes != entry.size_bytes:
                raise PackRefused(name=archive.name, reason="content", found=entry.name)
            _write(entries, known, folder, archive.name)
        if expected:
            raise PackRefused(name=archive.name, reason="content", expected=sorted(expected)[0])
        (folder / MANIFEST).write_bytes(content)
    return manifest


def _first(entries: _Entries) -> tuple[Manifest, bytes]:
    entry = next(iter(entries), None)
    if entry is None or entry.name != MANIFEST or entry.size_bytes > MOST_MANIFEST_BYTES:
        raise PackRefused(name=entries.archive, reason="format", expected=f"{MANIFEST} first")
    content = b"".join(entries.content())
    return read_manifest(content, name=entries.archive), content


def _write(entries: _Entries, known: PackFile, folder: Path, archive: str) -> None:
    path = folder.joinpath(*known.path.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    hashed = hashlib.sha256()
    # "x": no name comes twice, and nothing that is there is written through.
    with path.open("xb") as target:
        for piece in entries.content():
            hashed.update(piece)
            target.write(piece)
    if hashed.hexdigest() != known.sha256:
        raise PackRefused(name=archive, reason="content", found=known.path)


class _Unpacked:
    """The bytes of a .xz, no more of them at once than asked for."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self._name, self._file = name, file
        self._xz = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MOST_UNPACKING_BYTES)

    def read(self, count: int) -> bytes:
        """Exactly so many bytes, or fewer at the end."""
        pieces: list[bytes] = []
        while count and not self._xz.eof:
            try:
                packed = self._file.read(_PIECE) if self._xz.needs_input else b""
                if self._xz.needs_input and not packed:
                    break
                piece = self._xz.decompress(packed, count)
            except (lzma.LZMAError, MemoryError) as error:
                raise PackRefused(name=self._name, reason="format", found=str(error)) from error
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def ended(self) -> bool:
        """The whole of the .xz was read, its own checks were right, and nothing follows it."""
        return self._xz.eof and not self._xz.unused_data and not self._file.read(1)


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    size_bytes: int


class _Entries:
    """The files of a plain tar, one after the other. Links, devices and extended headers are refused.

    Of an entry that is a file, `content` has to be read to its end before the next.
    """

    def __init__(self, archive: str, stream: _Unpacked) -> None:
        self.archive, self._stream = archive, stream
        self._left, self._padding = 0, 0

    def __iter__(self) -> Iterator[_Entry]:
        folders = 0
        while True:
            header = self._stream.read(_BLOCK)
            if header == bytes(_BLOCK):
                self._end()
                return
            entry, is_folder = _parsed(self.archive, header)
            if is_folder:
                folders += 1
                if entry.size_bytes or folders > _MOST_FOLDERS:
                    raise PackRefused(name=self.archive, reason="format", found=entry.name)
                continue
            self._left, self._padding = entry.size_bytes, -entry.size_bytes % _BLOCK
            yield entry

    def content(self) -> Iterator[bytes]:
        """The bytes of the entry that came last."""
        while self._left:
            piece = self._stream.read(min(self._left, _PIECE))
            if not piece:
                raise PackRefused(name=self.archive, reason="format", found="it ends too early")
            self._left -= len(piece)
            yield piece
        self._stream.read(self._padding)

    def _end(self) -> None:
        zeros = self._stream.read(_MOST_PADDING)
        if (
            zeros.strip(b"\0")
            or len(zeros) == _MOST_PADDING
            or not (self._stream.read(1) == b"" and self._stream.ended())
        ):
            raise PackRefused(name=self.archive, reason="format", found="more after its end")


def _parsed(archive: str, header: bytes) -> tuple[_Entry, bool]:
    """Name and size of an entry, and whether it is a folder. Of the formats ustar and GNU, what they share."""
    try:
        if len(header) != _BLOCK or header[257:262] != b"ustar":
            raise ValueError("no tar")
        blank = header[:148] + b" " * 8 + header[156:]
        if int(header[148:156].rstrip(b"\0 "), 8) != sum(blank):
            raise ValueError("checksum")
        kind = header[156:157]
        if kind not in (b"0", b"\0", b"5"):
            raise ValueError(f"an entry of type {kind!r}")
        name = header[:100].rstrip(b"\0").decode("ascii")
        if header[257:263] == b"ustar\0" and (prefix := header[345:500].rstrip(b"\0").decode("ascii")):
            name = f"{prefix}/{name}"
        return _Entry(name.removeprefix("./"), int(header[124:136].rstrip(b"\0 ") or b"0", 8)), kind == b"5"
    except ValueError as error:
        raise PackRefused(name=archive, reason="format", found=str(error)) from error
