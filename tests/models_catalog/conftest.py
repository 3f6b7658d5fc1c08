"""Fixtures of the catalogue's tests."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from models_catalog.transfer.patience import Patience
from tests.models_catalog.hub_server import HubServer

MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local server is asked directly, whatever the machine is set to."""
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def hub() -> Iterator[HubServer]:
    """Two and a half pieces of data that hardly shrinks, as weights are."""
    server = HubServer(random.Random(3).randbytes(MIB + MIB // 4), piece_bytes=MIB // 2)
    yield server
    server.close()


@pytest.fixture
def patience() -> Patience:
    """Waits are short enough for tests and long enough for a busy machine."""
    return Patience(
        connect_seconds=2.0,
        stall_seconds=2.0,
        stall_bytes=1,
        index_seconds=10.0,
        grace_seconds=0.02,
        probe_bytes=16 * 1024,
        rounds_seconds=(0.0, 0.01, 0.01),
        checkpoint_bytes=64 * 1024,
    )
