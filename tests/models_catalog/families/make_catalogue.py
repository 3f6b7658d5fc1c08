"""Writes resources/families/catalogue.json: `python -m tests.models_catalog.families.make_catalogue`."""

from __future__ import annotations

import msgspec

import resources
from models_catalog.families.loader import FOLDER, document


def compiled() -> bytes:
    """The file's bytes."""
    whole = document(resources.path(FOLDER), resources.path("licences.toml"), resources.path("chat_profiles.toml"))
    return msgspec.json.encode(whole, order="sorted") + b"\n"


if __name__ == "__main__":
    resources.path(FOLDER, "catalogue.json").write_bytes(compiled())
