"""Archives of engines and packs, good and bad, made for a test."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Entry = tuple[str, bytes] | tarfile.TarInfo


def manifest_bytes(contents: Mapping[str, bytes], **facts: Any) -> bytes:
    listed = {path: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in contents.items()}
    usual = {"format": 1, "kind": "pack", "name": "vulkan", "version": "0.25.3", "ggml": "0.25.3"}
    return json.dumps({**usual, "system": "linux-x86_64", "back_ends": ["vulkan"], "files": listed, **facts}).encode()


def write_archive(path: Path, entries: Iterable[Entry], *, preset: int = 0, after: bytes = b"") -> Path:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                tar.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            tar.addfile(info, io.BytesIO(entry[1]))
    path.write_bytes(lzma.compress(buffer.getvalue(), preset=preset) + after)
    return path


def pack(path: Path, files: Mapping[str, bytes], **facts: Any) -> Path:
    return write_archive(path, [("manifest.json", manifest_bytes(files, **facts)), *files.items()])
