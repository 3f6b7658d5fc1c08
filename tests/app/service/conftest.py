from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.app.service.fakes import FakeWorld, Running, running_service


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
async def running(tmp_path: Path, world: FakeWorld) -> AsyncIterator[Running]:
    async with running_service(tmp_path / "data", world) as one:
        yield one
