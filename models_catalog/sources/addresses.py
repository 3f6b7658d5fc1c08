"""The base addresses that the sources are reached at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_HUGGINGFACE = "https://huggingface.co"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Base addresses without a trailing slash. package_index None: the one that the user's pip is set to.

    huggingface_token is sent to `huggingface` only, neither to the mirror nor to where the hub redirects.
    """

    modelscope: str = "https://modelscope.cn"
    huggingface: str = _HUGGINGFACE
    hf_mirror: str = "https://hf-mirror.com"
    huggingface_token: str | None = None
    package_index: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Addresses:
        """Honours HF_ENDPOINT and HF_TOKEN, as Hugging Face's own programs do."""
        return cls(
            huggingface=(environment.get("HF_ENDPOINT", "").strip() or _HUGGINGFACE).rstrip("/"),
            huggingface_token=environment.get("HF_TOKEN", "").strip() or None,
        )
