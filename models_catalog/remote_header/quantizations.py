"""Which files of a repository make up which quantization: pure, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from models_catalog.families.file_rules import FileRole, role_of
from models_catalog.remote_header.values import Quantization, RemoteFile

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_NAME = re.compile(
    r"(?<![A-Za-z0-9])((?:UD-)?(?:I?Q\d(?:_[0-9A-Z]+)*|TQ\d_\d|MXFP4(?:_MOE)?|NVFP4|BF16|F16|FP16|F32|FP32))(?![A-Za-z0-9])",
    re.IGNORECASE,
)


def group(files: Iterable[RemoteFile], origin: str) -> tuple[Quantization, ...]:
    """The quantizations in these files, smallest first. Split models of which a part is missing are left out, as are
    projectors, heads that only guess ahead, and importance matrices.
    """
    found: dict[str, dict[int, RemoteFile]] = {}
    counts: dict[str, int] = {}
    for file in files:
        if role_of(file.name) is not FileRole.MODEL:
            continue
        part = _PART.fullmatch(file.name)
        # The count belongs to the key: the same model may lie there twice, split differently.
        key = f"{part['stem']}-of-{part['count']}" if part else file.name
        counts[key] = int(part["count"]) if part else 1
        found.setdefault(key, {})[int(part["number"]) if part else 1] = file
    whole = (
        tuple(parts[number] for number in range(1, counts[key] + 1))
        for key, parts in found.items()
        if sorted(parts) == list(range(1, counts[key] + 1))
    )
    return tuple(sorted((_quantization(parts, origin) for parts in whole), key=lambda q: (q.size_bytes or 0, q.name)))


def parts_of(name: str) -> tuple[str, ...] | None:
    """The names of all files of a split model from that of its first one; None if the name is not such a one."""
    part = _PART.fullmatch(name)
    if part is None or int(part["number"]) != 1 or not 1 <= int(part["count"]) <= 512:
        return None
    return tuple(f"{part['stem']}-{number:05}-of-{part['count']}.gguf" for number in range(1, int(part["count"]) + 1))


def quantization_name(file_name: str) -> str:
    """For example "Q4_K_M" of "some-model-q4_k_m.gguf"; the file's stem where its name tells none."""
    part = _PART.fullmatch(file_name)
    stem = part["stem"] if part else file_name.removesuffix(".gguf").removesuffix(".GGUF")
    for piece in reversed(stem.split("/")):
        if names := _NAME.findall(piece):
            return str(names[-1]).upper()
    return stem.rpartition("/")[2]


def _quantization(files: tuple[RemoteFile, ...], origin: str) -> Quantization:
    sizes = [file.size_bytes for file in files if file.size_bytes is not None]
    return Quantization(
        name=quantization_name(files[0].name),
        origin=origin,
        files=files,
        size_bytes=sum(sizes) if len(sizes) == len(files) else None,
        sha256=files[0].sha256 if len(files) == 1 else None,
        listed_at=files[0].listed_at,
    )
