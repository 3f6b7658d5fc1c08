"""The code that lets another computer fetch files here, and what is signed with it. Pure but for chance and the clock.

A code is 100 random bits: nobody guesses it, so its key needs no slow derivation. It never travels: requests are signed
with it, each good for once and for some minutes, and a ticket opens one file to one address for some hours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict

_GROUPS, _GROUP = 5, 4
_CODE = re.compile(r"[A-Z2-7]{20}")
_NONCE = re.compile(r"[0-9a-f]{32}")
CLOCK_SECONDS = 300
TICKET_SECONDS = 24 * 3600
_MOST_NONCES = 20_000


def new_code() -> str:
    """Five groups of four letters and digits, such as "K7QF-2M4D-…"."""
    letters = base64.b32encode(secrets.token_bytes(13)).decode()[: _GROUPS * _GROUP]
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def key_of(code: str) -> bytes | None:
    """The key that a code stands for, however its groups are separated; None if it is no code."""
    letters = re.sub(r"[\s-]+", "", code).upper()
    return hashlib.sha256(f"liangli lan 1 {letters}".encode()).digest() if _CODE.fullmatch(letters) else None


def sign(key: bytes, sha256: str, *, now: int, nonce: str) -> str:
    """What proves the question "have you this file?"; nonce: 32 hexadecimal digits, never used before."""
    return _mac(key, "have", sha256, str(now), nonce)


def proof(key: bytes, sha256: str, *, nonce: str) -> str:
    """What proves that the answer to a question comes from somebody who knows the code, too."""
    return _mac(key, "answer", sha256, nonce)


def new_nonce() -> str:
    """For one question."""
    return secrets.token_hex(16)


def ticket(key: bytes, sha256: str, *, address: str, until: int) -> str:
    """Opens one file to one address until a second of the epoch."""
    return f"{until}.{_mac(key, 'file', sha256, address, str(until))}"


def ticket_holds(key: bytes, given: str, sha256: str, *, address: str, now: int) -> bool:
    """Whether a ticket was made for this file and this address and has not ended."""
    until, _, mac = given.partition(".")
    if not re.fullmatch(r"[0-9]{1,12}", until) or not now <= int(until) <= now + TICKET_SECONDS:
        return False
    return hmac.compare_digest(mac.encode(), _mac(key, "file", sha256, address, until).encode())


class Questions:
    """Tells true questions from forged, old and repeated ones."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, int] = OrderedDict()

    def is_signed(self, key: bytes, sha256: str, *, time: str, nonce: str, signature: str) -> bool:
        """Whether somebody who knows the code asks for this file, whenever that was."""
        if not re.fullmatch(r"[0-9]{1,12}", time) or not _NONCE.fullmatch(nonce):
            return False
        right = sign(key, sha256, now=int(time), nonce=nonce)
        return hmac.compare_digest(signature.encode(), right.encode())

    def is_new(self, *, time: str, nonce: str, now: int) -> bool:
        """Whether a signed question was made just now and is asked for the first time."""
        if abs(int(time) - now) > CLOCK_SECONDS or nonce in self._seen:
            return False
        self._seen[nonce] = now
        while self._seen and (
            len(self._seen) > _MOST_NONCES or next(iter(self._seen.values())) < now - 2 * CLOCK_SECONDS
        ):
            self._seen.popitem(last=False)
        return True


def _mac(key: bytes, *parts: str) -> str:
    return hmac.new(key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()
