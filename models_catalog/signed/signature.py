"""Detached Ed25519 signatures in minisign's format, so that anybody can check a document with an independent program.

`minisign -V -P KEY -m DOCUMENT` checks the same files. Only the prehashed kind ("ED", minisign's own default) is taken:
Ed25519 over BLAKE2b-512 of the very bytes, and a second signature that covers the first one and the trusted comment.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from models_catalog.signed.errors import Reason
from models_catalog.signed.keys import PublicKey, key_id, key_of

MAX_SIGNATURE_BYTES = 4096
PREHASHED = b"ED"
UNTRUSTED, TRUSTED = "untrusted comment: ", "trusted comment: "
_SIGNATURE_BYTES = 64


class SignatureRefused(Exception):
    """reason: UNSIGNED, UNKNOWN_KEY, EXPIRED_KEY or SIGNATURE. detail: technical English."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What a signature file holds; nothing of it is to be trusted before `verify`."""

    key: str
    signature: bytes
    comment: bytes
    comment_signature: bytes


def read_signature(text: bytes) -> Signature:
    """Raises SignatureRefused (UNSIGNED) for whatever is no signature file."""
    lines = text.decode("utf-8", errors="replace").splitlines() if len(text) <= MAX_SIGNATURE_BYTES else []
    if len(lines) != 4 or not lines[0].startswith(UNTRUSTED) or not lines[2].startswith(TRUSTED):
        raise SignatureRefused(Reason.UNSIGNED, "not a signature of minisign")
    try:
        first, second = (base64.b64decode(line, validate=True) for line in (lines[1], lines[3]))
    except (binascii.Error, ValueError) as error:
        raise SignatureRefused(Reason.UNSIGNED, "not base64") from error
    if [base64.b64encode(one).decode() for one in (first, second)] != [lines[1], lines[3]]:
        raise SignatureRefused(Reason.UNSIGNED, "base64 that can be written in another way")
    if len(first) != 2 + 8 + _SIGNATURE_BYTES or len(second) != _SIGNATURE_BYTES:
        raise SignatureRefused(Reason.UNSIGNED, "wrong length")
    if not first.startswith(PREHASHED):
        raise SignatureRefused(Reason.UNSIGNED, "not of the prehashed kind")
    return Signature(
        key=key_id(first[2:10]),
        signature=first[10:],
        comment=lines[2].removeprefix(TRUSTED).encode(),
        comment_signature=second,
    )


def verify(document: bytes, signature_text: bytes, keys: Sequence[PublicKey], *, today: date | None) -> PublicKey:
    """The key that signed the very bytes. today: None for what was taken before its key expired.

    Raises SignatureRefused.
    """
    found = read_signature(signature_text)
    key = key_of(found.key, keys)
    if key is None:
        raise SignatureRefused(Reason.UNKNOWN_KEY, found.key)
    if today is not None and key.expired(today):
        raise SignatureRefused(Reason.EXPIRED_KEY, f"{found.key}, {key.not_after}")
    if not _holds(found.signature, digest(document), key) or not _holds(
        found.comment_signature, found.signature + found.comment, key
    ):
        raise SignatureRefused(Reason.SIGNATURE, found.key)
    return key


def digest(document: bytes) -> bytes:
    """What is signed in the document's place."""
    return hashlib.blake2b(document, digest_size=64).digest()


def _holds(signature: bytes, message: bytes, key: PublicKey) -> bool:
    # libsodium takes longer to load than the rest of a command, and is needed only when something was served.
    from nacl.exceptions import CryptoError
    from nacl.signing import VerifyKey

    try:
        VerifyKey(key.key).verify(message, signature)
    except CryptoError:
        return False
    return True
