"""The base addresses that the sources are reached at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_HUGGINGFACE = "https://huggingface.co"
_MODELSCOPE = "https://modelscope.cn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Base addresses without a trailing slash. package_index None: the one that the user's pip is set to.

    huggingface_token is sent to `huggingface` only, neither to the mirror nor to where the hub redirects.
    """

    modelscope: str = _MODELSCOPE
    huggingface: str = _HUGGINGFACE
    hf_mirror: str = "https://hf-mirror.com"
    huggingface_token: str | None = None
    package_index: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Addresses:
        """Honours HF_ENDPOINT, HF_TOKEN and MODELSCOPE_ENDPOINT, as the hubs' own programs do."""
        return cls(
            modelscope=_endpoint(environment.get("MODELSCOPE_ENDPOINT", "")) or _MODELSCOPE,
            huggingface=(environment.get("HF_ENDPOINT", "").strip() or _HUGGINGFACE).rstrip("/"),
            huggingface_token=environment.get("HF_TOKEN", "").strip() or None,
        )


def _endpoint(text: str) -> str:
    """The address; a bare host name, which ModelScope's own programs take too, gets its scheme."""
    plain = text.strip().rstrip("/")
    return plain if not plain or "://" in plain else f"https://{plain}"
