"""Plans that turn out too large are lowered step by step, and only what the planner chose; requests survive it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from app.errors import MemoryTooSmall, ModelTooLarge
from app.service.engines.engines import Engines
from app.service.events import EventBus
from app.service.library import LocalLibrary
from inference.errors import EngineDied
from inference.planning.values import HOST, Advice, Wish
from inference.values import GenerationRequest, SamplingWish, TextPrompt
from inference.worker.messages import Admitted, Delta, Finished
from tests.app.service.fakes import FakeWorld, model


class Events(EventBus):
    """Keeps what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[tuple[str, object]] = []

    def publish(self, kind: str, data: object) -> None:
        self.published.append((kind, data))

    @property
    def changes(self) -> list[str]:
        return [data["change"].kind for kind, data in self.published if kind == "plan_changed"]  # type: ignore[index]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
async def engines(world: FakeWorld, events: Events) -> AsyncIterator[Engines]:
    made = Engines(
        library=LocalLibrary(world, lambda: ()),
        start_engine=world.start_engine,
        make_plan=world.make_plan,
        default_context_tokens=lambda: world.default_context_tokens,
        available_bytes=world.available_bytes,
        events=events,
        on_measured=world.on_measured,
        on_answer=world.answers.append,
    )
    yield made
    await made.close()
    assert all(engine.closed or not engine.alive for engine in world.engines)


def request(seed: int | None = None) -> GenerationRequest:
    return GenerationRequest(request_id="r", text=TextPrompt(text="a b"), sampling=SamplingWish(seed=seed))


async def ask(engines: Engines, asked: GenerationRequest | None = None) -> list[Admitted | Delta | Finished]:
    return await ask_of(engines, "", asked)


async def ask_of(
    engines: Engines, wanted: str, asked: GenerationRequest | None = None
) -> list[Admitted | Delta | Finished]:
    async with aclosing(engines.generate(wanted, asked or request())) as events:
        return [event async for event in events]


def text(events: list[Admitted | Delta | Finished]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


async def until_ready(engines: Engines, world: FakeWorld, loads: int) -> None:
    async with asyncio.timeout(5):
        while world.loads < loads or engines.statuses()[0].state != "ready":  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_load_that_fails_is_lowered_until_it_fits(engines: Engines, world: FakeWorld, events: Events) -> None:
    world.load_memory = 4096 * 2 + 128
    status = await engines.load("")
    assert status.state == "ready" and status.error is None and status.context_tokens == 4096
    assert [change.kind for change in status.changes] == events.changes == ["batch", "batch"]
    assert status.changes[-1].fields == {"before_tokens": 256, "after_tokens": 128}
    assert [limits.batch_tokens for _, _, limits, _ in world.plans] == [None, 256, 128]
    assert world.loads == 3


async def test_the_context_follows_the_batch(engines: Engines, world: FakeWorld, events: Events) -> None:
    world.load_memory = 1024 * 2 + 128
    assert (await engines.load("")).context_tokens == 1024
    assert events.changes[-2:] == ["context", "context"]


async def test_a_number_of_the_users_is_never_lowered(engines: Engines, world: FakeWorld) -> None:
    world.load_memory = 8192 * 2
    world.advice = (Advice(kind="quantization", fields={"quantization": "IQ2_M"}, saves_bytes=1, makes_fit=True),)
    with pytest.raises(ModelTooLarge) as end:
        await engines.load("", Wish(context_tokens=8192))
    assert (end.value.model, end.value.needed_bytes, end.value.smaller) == ("qwen-small", 1000, "IQ2_M")
    (status,) = engines.statuses()
    assert status.state == "failed" and status.error is not None and status.error.code == "ModelTooLarge"
    assert all(wish.context_tokens == 8192 for _, wish, _, _ in world.plans)
    # Memory is free again: the user's next try begins at the top.
    world.load_memory = 10**9
    assert (await engines.load("")).changes == ()
    assert world.plans[-1][2].batch_tokens is None


async def test_a_request_that_ran_out_of_memory_is_answered_by_the_successor(
    engines: Engines, world: FakeWorld, events: Events
) -> None:
    await engines.load("")
    world.script.memory_for_use = 4096 * 2 + 256
    said = await ask(engines)
    assert text(said) == "你好，world"
    assert sum(isinstance(event, Admitted) for event in said) == 1
    (status,) = engines.statuses()
    assert (status.state, status.restarts, status.running_requests) == ("ready", 1, 0)
    assert [change.kind for change in status.changes] == events.changes == ["batch"]


async def test_a_request_whose_words_have_begun_ends_and_the_engine_comes_back_lower(
    engines: Engines, world: FakeWorld, events: Events
) -> None:
    world.script.gated_from = 1
    asking = asyncio.create_task(ask(engines))
    await world.started.wait()
    await world.engines[0].asked(1)
    await asyncio.sleep(0)
    world.engines[0].die("out_of_memory")
    with pytest.raises(EngineDied):
        await asking
    await until_ready(engines, world, 2)
    assert events.changes == ["batch"]


async def test_a_seed_that_was_told_stays(engines: Engines, world: FakeWorld) -> None:
    world.script.gated_from = 0
    asking = asyncio.create_task(ask(engines))
    await world.started.wait()
    await world.engines[0].asked(1)
    await asyncio.sleep(0)
    world.engines[0].die("out_of_memory")
    world.script.gate.set()
    said = await asking
    assert text(said) == "你好，world"
    assert [engine.requests[0].sampling.seed for engine in world.engines] == [None, 7]


async def test_the_ladders_end_in_use_is_said_to_who_waits(engines: Engines, world: FakeWorld) -> None:
    world.script.memory_for_use = 0
    with pytest.raises(ModelTooLarge):
        await ask(engines)
    (status,) = engines.statuses()
    assert status.state == "failed" and status.error is not None and status.error.code == "ModelTooLarge"


async def test_a_plain_crash_keeps_its_plan(engines: Engines, world: FakeWorld, events: Events) -> None:
    await engines.load("")
    world.engines[0].die("segfault")
    await until_ready(engines, world, 2)
    assert len(world.plans) == 1 and events.changes == []
    assert world.engines[1].plan is world.engines[0].plan


async def test_a_kept_plan_that_has_no_room_any_more_is_made_anew(engines: Engines, world: FakeWorld) -> None:
    world.maps_large = True
    await engines.load("")
    world.free_bytes = 500
    world.engines[0].die("segfault")
    await until_ready(engines, world, 2)
    assert len(world.plans) == 2


async def test_what_holds_more_than_was_free_is_loaded_lower_at_once(
    engines: Engines, world: FakeWorld, events: Events
) -> None:
    world.free_bytes, world.extra_bytes = 10_000, 9_500
    started = world.start_engine

    async def leaner_after_one(*args: object, **more: object) -> object:
        engine = await started(*args, **more)  # type: ignore[arg-type]
        world.extra_bytes = 0
        return engine

    engines._start_engine = leaner_after_one  # type: ignore[assignment]
    assert (await engines.load("")).state == "ready"
    assert events.changes == ["batch"] and world.loads == 2 and world.engines[0].closed


async def test_what_grows_over_its_budget_is_replaced_when_it_is_idle(
    engines: Engines, world: FakeWorld, events: Events
) -> None:
    world.script.gated_from = 1
    asking = asyncio.create_task(ask(engines))
    await world.started.wait()
    await world.engines[0].asked(1)
    world.engines[0].report(world.free_bytes + 1)
    assert events.changes == [] and engines.statuses()[0].private_bytes == world.free_bytes + 1
    world.script.gate.set()
    assert text(await asking) == "你好，world"
    assert events.changes == ["batch"]
    await until_ready(engines, world, 2)
    assert world.engines[0].closed and engines.statuses()[0].restarts == 0
    assert text(await ask(engines)) == "你好，world"


async def test_residuals_and_figures_are_told(engines: Engines, world: FakeWorld) -> None:
    world.extra_bytes = 77
    await ask(engines)
    world.engines[0].report(1200)
    assert world.measured == [("fake", "qwen2", {HOST: 200})]
    (figures,) = world.answers
    assert (figures.model, figures.architecture, figures.prompt_tokens, figures.alone) == (
        "qwen-small",
        "qwen2",
        1,
        True,
    )
    assert (figures.prefill_seconds, figures.completion_tokens, figures.decode_seconds) == (0.1, 3, 0.2)
    assert (figures.depth_tokens, figures.unevenness) == (2 + 3 // 2, 1.0)
    assert figures.planned.plan is world.engines[0].plan
    memory = engines.memory("qwen-small")
    assert memory is not None and memory[1] is not None and memory[1].private_bytes == 1200


async def test_an_answer_beside_another_is_not_alone(engines: Engines, world: FakeWorld) -> None:
    world.script.gated_from = 1
    first = asyncio.create_task(ask(engines))
    await world.started.wait()
    await world.engines[0].asked(1)
    second = asyncio.create_task(ask(engines))
    await world.engines[0].asked(2)
    world.script.gate.set()
    await asyncio.gather(first, second)
    assert [figures.alone for figures in world.answers] == [False, False]


async def test_the_usual_context_is_a_wish_too(engines: Engines, world: FakeWorld) -> None:
    world.default_context_tokens = 2048
    for _ in range(2):
        assert (await engines.load("", Wish(parallel=2))).context_tokens == 2048
    assert world.loads == 1 and world.plans[0][1] == Wish(context_tokens=2048, parallel=2)


async def test_what_was_idle_and_is_busy_now_is_planned_around(engines: Engines, world: FakeWorld) -> None:
    world.shelf_models = [model("a1", size_bytes=600), model("b2", size_bytes=600)]
    world.free_bytes = 1000
    world.script.gated_from = 0
    await engines.load("a1")
    asking: list[asyncio.Task[object]] = []
    planned = world.make_plan

    async def meanwhile_busy(*args: object) -> object:
        if not asking:
            asking.append(asyncio.create_task(ask_of(engines, "a1")))
            await world.engines[0].asked(1)
        return await planned(*args)  # type: ignore[arg-type]

    engines._make_plan = meanwhile_busy  # type: ignore[assignment]
    with pytest.raises(MemoryTooSmall) as small:
        await engines.load("b2")
    assert (small.value.needed_bytes, small.value.free_bytes) == (600, 400)
    # Asked again without what cannot be freed: a plan that is small enough would have been taken.
    assert [freed for name, _, _, freed in world.plans if name == "b2"] == [{HOST: 600}, {}]
    world.script.gate.set()
    await asking[0]


async def test_what_idle_models_hold_counts_as_free(engines: Engines, world: FakeWorld) -> None:
    world.shelf_models = [model("a1", size_bytes=600), model("b2", size_bytes=600)]
    world.free_bytes = 1000
    await engines.load("a1")
    await engines.load("b2")
    asked = [(name, freed) for name, _, _, freed in world.plans]
    # Planned as if the idle one were gone, and again when it really is.
    assert asked == [("a1", {}), ("b2", {HOST: 600}), ("b2", {})]
    assert [status.model for status in engines.statuses()] == ["b2"]
