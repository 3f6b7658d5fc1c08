"""Real llama.cpp in a child whose fence cannot hold the planned context: the plan is lowered, and it answers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from app.service.service import Outside
from app.values import LocalModel
from inference.planning.values import Limits, PlanAnswer, Wish
from inference.worker.client import start_engine
from tests.app.service.fakes import FakeWorld, model, running_service, until
from tests.tiny_models import tiny_llama

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA")

# The child itself has about 90 MB of private mappings. One token of this model takes 4 KiB of cache, and as much again
# of working memory for each 1,024 tokens of a batch.
FENCE_BYTES = 400_000_000


class TightWorld(FakeWorld):
    """Plans too much, under a fence that stands for a full memory."""

    context_tokens = 131_072

    async def make_plan(
        self, model: LocalModel, wish: Wish, limits: Limits, freed_bytes: Mapping[str, int]
    ) -> PlanAnswer:
        answer = await super().make_plan(model, wish, limits, freed_bytes)
        plan = replace(answer.plan, backend="llama_cpp", memory_map=True, memory_limit_bytes=FENCE_BYTES, repack=False)
        return replace(answer, plan=plan)

    def outside(self) -> Outside:
        return replace(super().outside(), start_engine=start_engine, available_bytes=lambda: 10**12)


async def test_a_context_that_does_not_fit_is_shortened(tmp_path: Path) -> None:
    file = tmp_path / "tiny.gguf"
    tiny_llama(context=1_000_000, layers=8, width=256).write(file)
    world = TightWorld()
    world.context_tokens, world.free_bytes = TightWorld.context_tokens, 10**12
    world.shelf_models = [replace(model("tiny"), path=str(file))]
    async with running_service(tmp_path / "data", world) as running, running.events() as events:
        chat = (await running.ask("POST", "/chats", {}))["summary"]["id"]
        body = {"text": "hello", "sampling": {"temperature": 0}, "max_tokens": 4}
        answer = (await running.ask("POST", f"/chats/{chat}/messages", body))["assistant"]["id"]
        message = await until(events, "message", id=answer, state="length")
        assert message["stats"]["completion_tokens"] == 4
        (engine,) = (await running.ask("GET", "/status"))["engines"]
    assert [change["kind"] for change in engine["changes"]] == ["batch", "batch", "context"]
    assert engine["context_tokens"] == TightWorld.context_tokens // 2
    assert 200_000_000 < engine["private_bytes"] < FENCE_BYTES
