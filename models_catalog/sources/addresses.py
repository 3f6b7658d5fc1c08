"""The base addresses that the sources are reached at, and the user's keys to them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_HUGGINGFACE = "https://huggingface.co"
_MODELSCOPE = "https://modelscope.cn"
_MAX_TOKEN_BYTES = 4096
_TRUE = frozenset({"1", "on", "yes", "true"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Base addresses without a trailing slash. package_index None: the one that the user's pip is set to.

    The tokens are sent to `huggingface` and to `modelscope` only, neither to the mirror nor to where a hub redirects.
    """

    modelscope: str = _MODELSCOPE
    huggingface: str = _HUGGINGFACE
    hf_mirror: str = "https://hf-mirror.com"
    huggingface_token: str | None = None
    modelscope_token: str | None = None
    package_index: str | None = None

    @property
    def huggingface_headers(self) -> tuple[tuple[str, str], ...]:
        """For requests to `huggingface`."""
        token = self.huggingface_token
        return (("Authorization", f"Bearer {token}"),) if token else ()

    @property
    def modelscope_headers(self) -> tuple[tuple[str, str], ...]:
        """For requests to `modelscope`, which knows its users by header or by cookie, depending on the route."""
        token = self.modelscope_token
        return (("Authorization", f"Bearer {token}"), ("Cookie", f"m_session_id={token}")) if token else ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, home: Path | None = None) -> Addresses:
        """Honours HF_ENDPOINT, HF_TOKEN, MODELSCOPE_ENDPOINT and MODELSCOPE_API_TOKEN as the hubs' own programs do.

        A token that `hf auth login` has stored is for huggingface.co: another HF_ENDPOINT is not told it. With
        HF_HUB_DISABLE_IMPLICIT_TOKEN no token is sent. ModelScope's own store, a Python pickle, is not read.
        home: the user's folder.
        """
        huggingface = _endpoint(environment.get("HF_ENDPOINT", "")) or _HUGGINGFACE
        token = _token(environment.get("HF_TOKEN", "") or environment.get("HUGGING_FACE_HUB_TOKEN", ""))
        if token is None and huggingface == _HUGGINGFACE:
            token = _stored_token(environment, home)
        if environment.get("HF_HUB_DISABLE_IMPLICIT_TOKEN", "").lower() in _TRUE:
            token = None
        return cls(
            modelscope=_endpoint(environment.get("MODELSCOPE_ENDPOINT", "")) or _MODELSCOPE,
            huggingface=huggingface,
            huggingface_token=token,
            modelscope_token=_token(environment.get("MODELSCOPE_API_TOKEN", "")),
        )


def _endpoint(text: str) -> str:
    """The address; a bare host name, which ModelScope's own programs take too, gets its scheme."""
    plain = text.strip().rstrip("/")
    return plain if not plain or "://" in plain else f"https://{plain}"


def _token(text: str) -> str | None:
    """None also for what could not stand in a header."""
    plain = text.strip()
    return plain if plain and plain.isascii() and plain.isprintable() and " " not in plain else None


def _stored_token(environment: Mapping[str, str], home: Path | None) -> str | None:
    """Where huggingface-hub keeps it: HF_TOKEN_PATH, else "token" in HF_HOME, else in the cache folder."""
    named = environment.get("HF_TOKEN_PATH", "")
    if named:
        path = Path(os.path.expandvars(named))
    else:
        cache = environment.get("XDG_CACHE_HOME", "") or str((home or Path.home()) / ".cache")
        path = Path(os.path.expandvars(environment.get("HF_HOME", "") or f"{cache}/huggingface")) / "token"
    try:
        with path.expanduser().open("rb") as file:
            return _token(file.read(_MAX_TOKEN_BYTES).decode())
    except (OSError, RuntimeError, UnicodeDecodeError):
        return None
