"""The public keys that this build trusts: `resources/signing_keys.toml`."""

from __future__ import annotations

import base64
import binascii
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import resources

_ALGORITHM = b"Ed"
_ID_BYTES, _KEY_BYTES = 8, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """id: 16 hexadecimal digits, as minisign shows it. not_after: the last day on which it may vouch for something new;
    what it signed before and is kept here stays good."""

    id: str
    key: bytes
    not_after: date | None = None

    def expired(self, today: date) -> bool:
        return self.not_after is not None and today > self.not_after


def read_public_key(text: str, not_after: date | None = None) -> PublicKey:
    """From the line that minisign prints ("RW…"). Raises ValueError."""
    try:
        whole = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(whole) != len(_ALGORITHM) + _ID_BYTES + _KEY_BYTES or not whole.startswith(_ALGORITHM):
        raise ValueError("not a public key of minisign")
    return PublicKey(id=key_id(whole[2:10]), key=whole[10:], not_after=not_after)


def key_id(number: bytes) -> str:
    """The 8 bytes as minisign shows them."""
    return number[::-1].hex().upper()


def read_keys(toml: str) -> tuple[PublicKey, ...]:
    """The keys of a file such as `resources/signing_keys.toml`. Raises ValueError."""
    found: list[PublicKey] = []
    for table in tomllib.loads(toml).get("key", ()):
        not_after = table.get("not_after")
        if not_after is not None and type(not_after) is not date:
            raise ValueError("not_after is a date")
        found.append(read_public_key(str(table["public"]), not_after))
    return tuple(found)


@lru_cache(maxsize=1)
def shipped_keys() -> tuple[PublicKey, ...]:
    """The keys of this build; none if nobody publishes updates for it."""
    return read_keys(resources.path("signing_keys.toml").read_text(encoding="utf-8"))


def key_of(id: str, keys: Sequence[PublicKey]) -> PublicKey | None:
    """The key with the id."""
    return next((key for key in keys if key.id == id), None)
