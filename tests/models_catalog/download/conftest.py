"""Fixtures of the download's tests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models_catalog.download.model_download import download
from models_catalog.download.values import FileToFetch, ModelToFetch
from models_catalog.sources.byte_source import WholeFile
from models_catalog.transfer.patience import Patience
from tests.models_catalog.hub_server import HubServer

KIB = 1024
Download = Callable[..., Path]


@pytest.fixture
def patience(patience: Patience) -> Patience:
    """Ranges and steps small enough for a file of 1.25 MiB."""
    return replace(
        patience,
        adapt_seconds=0.05,
        review_seconds=0.4,
        least_lease_bytes=256 * KIB,
        least_part_bytes=32 * KIB,
        stall_bytes=1,
    )


def source(hub: HubServer, route: str, headers: tuple[tuple[str, str], ...] = ()) -> WholeFile:
    """The file's address on a route of the hub, named like the route."""
    return WholeFile(name=route, url=f"{hub.base}/{route}/file", headers=headers)


def model_of(hub: HubServer, *routes: str, sha256: str | None = "") -> ModelToFetch:
    """The hub's file, from these routes; sha256 None: of which nothing is known but its address."""
    known = hashlib.sha256(hub.content).hexdigest() if sha256 == "" else sha256
    file = FileToFetch(
        place=("Somebody", "Some-Model", "model.gguf"),
        sources=tuple(source(hub, route) for route in routes),
        size_bytes=len(hub.content) if known else None,
        sha256=known,
    )
    return ModelToFetch(name="Some Model", files=(file,))


@pytest.fixture
def got(hub: HubServer, patience: Patience, tmp_path: Path) -> Download:
    """`download` of the hub's file from the named routes into the test's folder."""

    def run(*routes: str, sha256: str | None = "", **options: Any) -> Path:
        model = options.pop("model", None) or model_of(hub, *(routes or ("mirror",)), sha256=sha256)
        return download(model, tmp_path, **{"patience": patience, **options})[0]

    return run


def holds(path: Path, hub: HubServer) -> bool:
    """The file is whole, and nothing lies beside it."""
    return path.read_bytes() == hub.content and sorted(entry.name for entry in path.parent.iterdir()) == [path.name]
