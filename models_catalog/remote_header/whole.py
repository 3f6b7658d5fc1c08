"""The whole header of a distant file, vocabulary and all, by asking for a little more until it is complete."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from models_catalog.errors import ModelFileTruncated
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import parse
from models_catalog.gguf.source import MAX_HEADER_BYTES, HeaderGoesOn
from models_catalog.remote_header.distant_file import DistantFile

FIRST_BYTES = 1024 * 1024
STEP_BYTES = 4 * 1024 * 1024
# Later files of a split model have few keys and no vocabulary.
FIRST_BYTES_OF_LATER_PARTS = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeHeader:
    """A header, and where in the file its parts lie (see Pattern)."""

    header: GgufHeader
    hyperparameters_end: int
    tensors_offset: int


async def read_whole_header(file: DistantFile, path: str, *, first_bytes: int = FIRST_BYTES) -> WholeHeader:
    """`path` is for errors. Raises a SourceFault, or the leaves of ModelFileRefused that concern the header."""
    content = await file.read(0, first_bytes)
    while True:
        size_bytes = file.size_bytes or 0
        try:
            # In a thread: a large vocabulary takes a tenth of a second, which others on the event loop would notice.
            return await asyncio.to_thread(_parse, content, size_bytes, path)
        except HeaderGoesOn:
            content = await _longer(file, content)


async def _longer(file: DistantFile, content: bytes) -> bytes:
    # A server that cannot begin in the middle sends the file from its beginning each time: steps are larger there.
    step_bytes = max(STEP_BYTES, len(content) // 2 if file.resumable else 4 * len(content))
    return content + await file.read(len(content), min(len(content) + step_bytes, MAX_HEADER_BYTES))


class Beginning:
    """The first bytes of a file as the parser reads them."""

    def __init__(self, content: bytes, size_bytes: int) -> None:
        self._content = memoryview(content)
        self._size_bytes = size_bytes
        self._position = 0

    def read(self, count: int) -> bytes:
        """Up to `count` next bytes; raises HeaderGoesOn where the file has more than is here."""
        piece = bytes(self._content[self._position : self._position + count])
        self._position += len(piece)
        if not piece and self._position < min(self._size_bytes, MAX_HEADER_BYTES):
            raise HeaderGoesOn
        return piece


def _parse(content: bytes, size_bytes: int, path: str) -> WholeHeader:
    parsed = parse(Beginning(content, size_bytes).read, size_bytes=size_bytes, path=path)
    needed_bytes = parsed.data_offset + parsed.data_bytes
    if needed_bytes > size_bytes:
        raise ModelFileTruncated(path, needed_bytes, size_bytes)
    header = GgufHeader(
        path=path,
        version=parsed.version,
        values=parsed.values,
        value_types=parsed.value_types,
        tensors=parsed.tensors,
        data_offset=parsed.data_offset,
        needed_bytes=needed_bytes,
        size_bytes=size_bytes,
    )
    return WholeHeader(
        header=header,
        hyperparameters_end=_hyperparameters_end(header.architecture, parsed.value_ends),
        tensors_offset=parsed.tensors_offset,
    )


def _hyperparameters_end(architecture: str, value_ends: Mapping[str, int]) -> int:
    return max((end for key, end in value_ends.items() if key.startswith(f"{architecture}.")), default=0)
