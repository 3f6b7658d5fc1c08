"""Errors of updates. They carry fields, never sentences: `app.words` says them in the user's language.

CatalogError
└── UpdateFailed               nothing was changed; what was in use stays in use
    ├── UpdatesNotAllowed      the user has not agreed to it
    ├── UpdateAddressMissing   nobody said where updates are
    ├── SigningKeyMissing      this build has no key to check them with
    ├── UpdateUnreachable      no network, silence, a server that is busy or out of order
    └── UpdateRefused          what was served is not to be used
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models_catalog.errors import CatalogError


class UpdateFailed(CatalogError):
    """Nothing was changed; what was in use stays in use."""


@dataclass(eq=False)
class UpdatesNotAllowed(UpdateFailed):
    """The user has not agreed to updates; nothing was asked of any server."""


@dataclass(eq=False)
class UpdateAddressMissing(UpdateFailed):
    """No address of updates is set."""


@dataclass(eq=False)
class SigningKeyMissing(UpdateFailed):
    """This build holds no public key, so no update could be told from a forgery."""


@dataclass(eq=False)
class UpdateUnreachable(UpdateFailed):
    """No answer in time; `detail` is technical English."""

    address: str
    detail: str


class Reason(StrEnum):
    """Why an update is refused."""

    INSECURE = "insecure"  # plain http, or a redirect to it
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown_key"
    EXPIRED_KEY = "expired_key"
    SIGNATURE = "signature"  # of other bytes, or of another key
    OLDER = "older"  # than what was seen before
    NEWER = "newer"  # a format that this version does not read
    BROKEN = "broken"
    TOO_LARGE = "too_large"


@dataclass(eq=False)
class UpdateRefused(UpdateFailed):
    """`reason` is one of `Reason`; `detail` is technical English and may be empty."""

    address: str
    reason: str
    detail: str
