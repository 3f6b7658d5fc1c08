from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from app.errors import MemoryTooSmall, ModelInUse, ModelMissing, ModelTooLarge, NoModelInstalled
from app.service.engines.engines import Engines
from app.service.events import EventBus
from app.service.library import LocalLibrary
from inference.errors import EngineDied, ModelLoadFailed
from inference.planning.values import Wish
from inference.values import GenerationRequest, TextPrompt
from inference.worker.messages import Delta
from tests.app.service.fakes import FakeWorld, model


@pytest.fixture
async def engines(world: FakeWorld) -> AsyncIterator[Engines]:
    made = Engines(
        library=LocalLibrary(world, lambda: ()),
        start_engine=world.start_engine,
        make_plan=world.make_plan,
        default_context_tokens=lambda: None,
        available_bytes=world.available_bytes,
        events=EventBus(),
        on_measured=world.on_measured,
        on_answer=world.answers.append,
    )
    yield made
    await made.close()
    assert all(engine.closed or not engine.alive for engine in world.engines)


def request(request_id: str = "r") -> GenerationRequest:
    return GenerationRequest(request_id=request_id, text=TextPrompt(text="x"))


async def answer(engines: Engines, wanted: str = "") -> str:
    async with aclosing(engines.generate(wanted, request())) as events:
        return "".join([event.text async for event in events if isinstance(event, Delta)])


async def settle(engines: Engines, state: str, restarts: int = 0) -> None:
    """Let background work go on until the first engine is in this state after so many restarts."""
    async with asyncio.timeout(5):
        while (engines.statuses()[0].state, engines.statuses()[0].restarts < restarts) != (state, False):  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_the_first_request_loads_and_the_next_reuse(engines: Engines, world: FakeWorld) -> None:
    assert await answer(engines) == "你好，world"
    assert await answer(engines, "qwen-small") == "你好，world"
    (status,) = engines.statuses()
    assert world.loads == 1
    assert (status.state, status.pid, status.context_tokens, status.running_requests) == ("ready", 1001, 4096, 0)
    assert status.tokens_per_second == pytest.approx(2 / 0.2)
    assert status.memory_bytes == 1_000_000


async def test_requests_that_come_while_it_loads_wait_for_the_one_load(engines: Engines, world: FakeWorld) -> None:
    world.load_gate = asyncio.Event()
    asking = [asyncio.create_task(answer(engines)) for _ in range(3)]
    await settle_loading(engines)
    async with asyncio.timeout(5):
        while engines.statuses()[0].waiting_requests < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    (status,) = engines.statuses()
    assert (status.state, status.running_requests) == ("loading", 0)
    asking[0].cancel()
    await asyncio.wait({asking[0]})
    world.load_gate.set()
    assert await asyncio.gather(*asking[1:]) == ["你好，world"] * 2
    assert world.loads == 1


async def settle_loading(engines: Engines) -> None:
    async with asyncio.timeout(5):
        while not engines.statuses() or engines.statuses()[0].load_fraction < 0.5:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_unloading_while_it_loads_ends_the_load(engines: Engines, world: FakeWorld) -> None:
    world.load_gate = asyncio.Event()
    loading = asyncio.create_task(engines.load("qwen-small"))
    await settle_loading(engines)
    await engines.unload("qwen-small")
    with pytest.raises(EngineDied):
        await loading
    assert engines.statuses() == ()


async def test_the_idle_model_used_longest_ago_makes_room(engines: Engines, world: FakeWorld) -> None:
    world.shelf_models = [model(name, size_bytes=400) for name in ("a1", "b2", "c3")]
    world.free_bytes = 1000
    await answer(engines, "a1")
    await answer(engines, "b2")
    await answer(engines, "a1")
    await answer(engines, "c3")
    assert {status.model for status in engines.statuses()} == {"a1", "c3"}
    assert world.engines[1].closed


async def test_a_model_that_answers_is_never_unloaded(engines: Engines, world: FakeWorld) -> None:
    world.shelf_models = [model("a1", size_bytes=600), model("b2", size_bytes=600)]
    world.free_bytes = 1000
    world.script.gated_from = 0
    asking = asyncio.create_task(answer(engines, "a1"))
    await world.started.wait()
    await world.engines[0].asked(1)
    with pytest.raises(MemoryTooSmall) as small:
        await engines.load("b2")
    assert (small.value.needed_bytes, small.value.free_bytes) == (600, 400)
    with pytest.raises(ModelInUse):
        await engines.unload("a1")
    with pytest.raises(ModelInUse):
        await engines.load("a1", Wish(context_tokens=8192))
    world.script.gate.set()
    assert await asking == "你好，world"
    assert (await engines.load("b2")).state == "ready"


async def test_a_model_larger_than_the_memory_is_loaded_when_it_is_alone(engines: Engines, world: FakeWorld) -> None:
    world.free_bytes, world.maps_large = 10, True
    assert (await engines.load("")).state == "ready"


async def test_what_does_not_fit_though_its_weights_are_mapped_is_refused(engines: Engines, world: FakeWorld) -> None:
    world.free_bytes, world.state_bytes, world.maps_large = 10, 1000, True
    with pytest.raises(ModelTooLarge):
        await engines.load("")
    assert world.loads == 0


async def test_exactly_what_is_wished_for_unfixes_the_rest(engines: Engines, world: FakeWorld) -> None:
    await engines.load("qwen-small", Wish(context_tokens=8192))
    await engines.load("qwen-small", Wish())
    assert world.loads == 1
    await engines.load("qwen-small", Wish(), exactly=True)
    assert world.loads == 2 and world.plans[-1][1] == Wish()


async def test_another_context_length_loads_anew(engines: Engines, world: FakeWorld) -> None:
    await engines.load("qwen-small")
    assert (await engines.load("qwen-small", Wish(context_tokens=8192))).context_tokens == 8192
    assert (await engines.load("qwen-small", Wish(context_tokens=8192))).context_tokens == 8192
    assert world.loads == 2 and world.engines[0].closed


async def test_a_dead_engine_is_restarted_at_once(engines: Engines, world: FakeWorld) -> None:
    await engines.load("")
    world.started.clear()
    world.engines[0].die()
    await world.started.wait()
    await settle(engines, "ready")
    assert engines.statuses()[0].restarts == 1 and engines.statuses()[0].error is None
    assert await answer(engines) == "你好，world"


async def test_a_request_right_after_the_death_waits_for_the_successor(engines: Engines, world: FakeWorld) -> None:
    await engines.load("")
    world.engines[0].die()
    assert await answer(engines) == "你好，world"
    assert world.loads == 2


async def test_three_deaths_in_a_row_stop_it_until_it_is_asked_for(engines: Engines, world: FakeWorld) -> None:
    await engines.load("")
    for number in range(3):
        await settle(engines, "ready")
        world.engines[number].die("segfault")
        await settle(engines, "failed" if number == 2 else "ready", restarts=min(number + 1, 2))
    error = engines.statuses()[0].error
    assert error is not None and error.fields["cause"] == "segfault"
    assert world.loads == 3
    assert await answer(engines, "qwen-small") == "你好，world"
    assert world.loads == 4


async def test_a_load_that_fails_is_said_and_tried_again_when_asked(engines: Engines, world: FakeWorld) -> None:
    world.load_error = ModelLoadFailed(path="x", detail="broken")
    with pytest.raises(ModelLoadFailed):
        await answer(engines)
    (status,) = engines.statuses()
    assert status.state == "failed" and status.error is not None and status.error.code == "ModelLoadFailed"
    world.load_error = None
    assert await answer(engines) == "你好，world"


async def test_which_model_is_meant(engines: Engines, world: FakeWorld) -> None:
    world.shelf_models = [model("old-one", added_at=1), model("new-one", added_at=2)]
    assert await engines.resolve("") == "new-one"
    await answer(engines, "OLD")
    assert await engines.resolve("default") == "old-one"
    with pytest.raises(ModelMissing) as missing:
        await engines.resolve("one")
    assert missing.value.available == ("old-one", "new-one")
    await engines.unload("old-one")
    world.shelf_models.clear()
    with pytest.raises(NoModelInstalled):
        await engines.resolve("")


async def test_nothing_is_started_after_the_end(engines: Engines, world: FakeWorld) -> None:
    asking = asyncio.create_task(answer(engines))
    await engines.close()
    with pytest.raises(EngineDied):
        await asking
    with pytest.raises(EngineDied):
        await engines.load("")
    assert world.loads == 0
