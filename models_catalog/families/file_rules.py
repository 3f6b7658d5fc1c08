"""Which files of a repository are models, and which only belong to one: pure, by their names."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from models_catalog.families.values import FileRules

_PROJECTOR = re.compile(r"(^|[-._/])mmproj([-._]|$)")
_IMPORTANCE = re.compile(r"(^|[-._/])imatrix([-._]|$)")
# Heads that only guess tokens ahead for a whole model: "mtp-Qwen3.8-27B-Q4_0.gguf", "MTP/…", "…-eagle3-….gguf".
_DRAFT = re.compile(r"(^|/)mtp[-._/]|[-._/](eagle3?|dflash)[-._]")
_RAW_PART = re.compile(
    r"\.gguf(\.[a-z]{1,2}|\.(part-?|split-?)[a-z0-9]{1,5}|\.\d{1,3})$|\.gguf-(split|part)-[a-z0-9]{1,5}$"
)
_QUANTIZATION = r"(?P<quantization>[A-Za-z0-9][A-Za-z0-9_.-]*?)"
_PART = r"(?P<part>[A-Za-z0-9][A-Za-z0-9-]*)"


class FileRole(StrEnum):
    """What a file is. MODEL: a whole model, or a shard of one. RAW_PART: a piece to be joined byte by byte."""

    MODEL = "model"
    RAW_PART = "raw_part"
    PROJECTOR = "projector"
    DRAFT = "draft"
    IMPORTANCE = "importance"
    OTHER = "other"


def role_of(name: str) -> FileRole:
    """By the file's name, with its folders. Only MODEL and RAW_PART are ever shown as models."""
    plain = name.casefold()
    if _IMPORTANCE.search(plain):
        return FileRole.IMPORTANCE
    raw = _RAW_PART.search(plain) is not None
    if not raw and not plain.endswith(".gguf"):
        return FileRole.OTHER
    if _PROJECTOR.search(plain):
        return FileRole.PROJECTOR
    if _DRAFT.search(plain):
        return FileRole.DRAFT
    return FileRole.RAW_PART if raw else FileRole.MODEL


def quantization_of(name: str, rules: FileRules) -> str | None:
    """The quantization of a model's file, upper case, by the repository's own naming.

    None for files that are no model or not this one; also where no naming is known (see
    `models_catalog.remote_header.quantizations`, which goes by general rules).
    """
    if role_of(name) not in (FileRole.MODEL, FileRole.RAW_PART):
        return None
    for pattern in (rules.split_files, rules.raw_parts, rules.files):
        if pattern is not None and (match := _expression(pattern).fullmatch(name)):
            return match["quantization"].upper()
    return None


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    """{quantization} and {part} may stand several times, for the same each time."""
    pieces: list[str] = []
    for piece in re.split(r"(\{quantization\}|\{part\})", pattern):
        name = piece[1:-1]
        expression = {"{quantization}": _QUANTIZATION, "{part}": _PART}.get(piece)
        if expression is None:
            pieces.append(re.escape(piece))
        else:
            pieces.append(f"(?P={name})" if expression in pieces else expression)
    return re.compile("".join(pieces), re.IGNORECASE)
