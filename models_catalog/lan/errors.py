"""Errors of sharing on the local network. They carry fields, never sentences: `app.words` says them.

CatalogError
└── PeerRefused            another computer cannot be a source
    ├── PeerAddressRefused     no address of a local network
    ├── PeerCodeWrong          it is not a code, or not that computer's
    └── PeerUnreachable        nobody answers there
"""

from __future__ import annotations

from dataclasses import dataclass

from models_catalog.errors import CatalogError


@dataclass(eq=False)
class PeerRefused(CatalogError):
    """Another computer cannot be a source of models."""

    address: str


class PeerAddressRefused(PeerRefused):
    """Only numeric addresses of local networks are asked: nothing of this may ever reach the internet."""


class PeerCodeWrong(PeerRefused):
    """That computer does not accept the code."""


class PeerUnreachable(PeerRefused):
    """It does not answer, or does not share."""
