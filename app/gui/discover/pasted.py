"""Tells a repository or an address, as people copy them from a hub, from words to be searched for."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_TEXT = 500
_NAME = r"[A-Za-z0-9][\w.\-]*"
_QUANTIZATION = r"(?::[\w.\-/]+)?"
_REPOSITORY = re.compile(rf"{_NAME}/{_NAME}{_QUANTIZATION}", re.ASCII)
_HUB = re.compile(
    rf"(?:www\.)?(?:hf\.co|huggingface\.co|hf-mirror\.com|modelscope\.cn)/(?:models/)?{_NAME}/{_NAME}[\w.\-/:?=&%]*",
    re.ASCII | re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://[^\s/]+\.[^\s/]+/\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """What was recognised. is_file: the address of one file, not a repository."""

    text: str
    is_file: bool


def recognise(text: str) -> Pasted | None:
    """The repository or the address that the whole text is; None for words to search. Never raises."""
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        return None
    is_file = bool(_ADDRESS.fullmatch(text)) and text.split("?")[0].lower().endswith(".gguf")
    if _ADDRESS.fullmatch(text) or _HUB.fullmatch(text) or _REPOSITORY.fullmatch(text):
        return Pasted(text=text, is_file=is_file)
    return None
