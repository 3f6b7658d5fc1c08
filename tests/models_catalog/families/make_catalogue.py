"""Writes resources/families/catalogue.json: `python -m tests.models_catalog.families.make_catalogue`."""

from __future__ import annotations

import contextlib
from datetime import date

import msgspec

import resources
from models_catalog.families.loader import FOLDER, document
from models_catalog.families.schema import Document

_FILE = resources.path(FOLDER, "catalogue.json")


def compiled() -> bytes:
    """The file's bytes. Its date stays as long as nothing else changes, and is today's after that."""
    whole = document(
        resources.path(FOLDER),
        resources.path("licences.toml"),
        resources.path("chat_profiles.toml"),
        date=date.today().isoformat(),
    )
    with contextlib.suppress(OSError, msgspec.DecodeError):
        before = msgspec.json.decode(_FILE.read_bytes(), type=Document)
        if before.date and msgspec.structs.replace(whole, date=before.date) == before:
            whole = before
    return msgspec.json.encode(whole, order="sorted") + b"\n"


if __name__ == "__main__":
    _FILE.write_bytes(compiled())
