"""A child may die in any way: the service learns why, keeps what was said, and keeps no zombie and no descriptor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from inference.errors import EngineBusy, EngineDied, EngineDiedLoading, ModelLoadFailed, ModelLoadTimeout
from inference.values import GenerationRequest, LoadPlan, TextPrompt
from inference.worker.child_process import ChildProcess
from inference.worker.client import Engine, start_engine
from inference.worker.messages import Admitted, Delta, Finished
from inference.worker.silence import Patience
from models_catalog.errors import NotGguf
from tests.inference.worker.fake_engine import FACTS

PLAN = LoadPlan(
    model_path="/m.gguf",
    backend="scripted",
    context_tokens=100,
    sequences=2,
    batch_tokens=32,
    decode_threads=1,
    batch_threads=1,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripted deaths are signals")


def command(behaviour: str) -> list[str]:
    return [sys.executable, "-m", "tests.inference.worker.fake_engine", behaviour]


def request(text: str, request_id: str = "a") -> GenerationRequest:
    return GenerationRequest(request_id=request_id, text=TextPrompt(text=text))


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    started = await start_engine(PLAN, command=command("good"))
    yield started
    await started.close()


@pytest.fixture(autouse=True)
async def nothing_stays() -> AsyncIterator[None]:
    """No process, zombie or descriptor of a test outlives it."""
    before = descriptors()
    yield
    await asyncio.sleep(0)  # closed transports let go of their sockets in the next turn
    assert psutil.Process().children() == []
    assert descriptors() == before


def descriptors() -> list[str]:
    """Open file descriptors of this process, where that is told."""
    return os.listdir("/proc/self/fd") if sys.platform == "linux" else []  # noqa: PTH208  numbers, not paths


async def until(condition: Callable[[], object], pause_seconds: float = 0.0) -> None:
    """Let the event loop turn until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  what is waited for tells nobody
            await asyncio.sleep(pause_seconds)


async def text_of(engine: Engine, order: str, request_id: str = "a") -> str:
    """The whole answer."""
    events = [event async for event in engine.generate(request(order, request_id))]
    return "".join(event.text for event in events if isinstance(event, Delta))


async def fate_of(engine: Engine, order: str) -> tuple[str, EngineDied]:
    """What was said before the end, and the end."""
    said = ""
    with pytest.raises(EngineDied) as death:
        async for event in engine.generate(request(order)):
            said += event.text if isinstance(event, Delta) else ""
    return said, death.value


async def test_load_and_answer() -> None:
    fractions: list[float] = []
    engine = await start_engine(PLAN, command=command("good"), on_progress=fractions.append)
    assert fractions == [0.5, 1.0]
    assert engine.facts == FACTS
    assert engine.alive
    assert engine.memory_bytes() > 1_000_000
    events = [event async for event in engine.generate(request("say 3"))]
    assert isinstance(events[0], Admitted)
    assert "".join(event.text for event in events if isinstance(event, Delta)) == "w0 w1 w2 "
    assert isinstance(events[-1], Finished)
    await engine.close()
    assert not engine.alive
    assert engine.memory_bytes() == 0
    with pytest.raises(EngineDied):
        await text_of(engine, "say 1")


async def test_requests_side_by_side(engine: Engine) -> None:
    texts = await asyncio.gather(*(text_of(engine, f"say {count}", str(count)) for count in (1, 5, 300)))
    assert [len(text.split()) for text in texts] == [1, 5, 300]


async def test_a_reader_that_stands_still_holds_up_nobody(engine: Engine) -> None:
    async with aclosing(engine.generate(request("say 5000", "slow"))) as events:
        assert isinstance(await anext(events), Admitted)
        assert len((await text_of(engine, "say 5000")).split()) == 5000
        rest = [event async for event in events]
    assert [type(event) for event in rest] == [Delta, Finished]
    assert isinstance(rest[0], Delta)
    assert len(rest[0].text.split()) == 5000


async def test_a_request_is_refused_and_the_next_is_not(engine: Engine) -> None:
    with pytest.raises(EngineBusy) as refusal:
        await text_of(engine, "refuse")
    assert (refusal.value.waiting, refusal.value.limit) == (3, 2)
    assert await text_of(engine, "say 1") == "w0 "


async def test_one_request_per_id(engine: Engine) -> None:
    async with aclosing(engine.generate(request("wait"))) as events:
        await anext(events)
        with pytest.raises(ValueError, match="in use"):
            await text_of(engine, "say 1")


async def test_stop_is_a_finish(engine: Engine) -> None:
    reasons = []
    async for event in engine.generate(request("wait")):
        if isinstance(event, Delta):
            engine.cancel("a")
            engine.cancel("unknown")
        if isinstance(event, Finished):
            reasons.append(event.reason)
    assert reasons == ["cancelled"]


async def test_an_answer_may_be_left(engine: Engine) -> None:
    async with aclosing(engine.generate(request("wait"))) as events:
        await anext(events)
    reader = asyncio.create_task(text_of(engine, "wait", "b"))
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.wait([reader])
    assert await text_of(engine, "say 2", "c") == "w0 w1 "
    assert not engine._mailboxes


@pytest.mark.parametrize(
    ("order", "cause", "detail"),
    [
        ("segv", "segfault", "SIGSEGV __init__.py"),
        ("abort", "aborted", "ggml.c:12: GGML_ASSERT(a == b) failed"),
        ("exit", "exited", "last words"),
        ("flood", "exited", "the end"),
        ("garbage", "exited", "invalid message"),
        ("huge", "exited", "invalid message from the engine: message of 4294967295 bytes"),
    ],
)
async def test_death(engine: Engine, order: str, cause: str, detail: str) -> None:
    said, death = await fate_of(engine, order)
    assert said == "w0 "
    assert death.cause == cause
    assert detail in death.detail
    assert not engine.alive
    assert (await engine.wait_dead()).cause == cause
    with pytest.raises(EngineDied):
        await text_of(engine, "say 1")


@pytest.mark.parametrize(("order", "number", "detail"), [("hang", 15, "fake_engine.py"), ("hang-hard", 9, "")])
async def test_a_hang_is_ended(order: str, number: int, detail: str) -> None:
    impatient = Patience(least_silence_seconds=0.2, first_silence_seconds=0.2, term_seconds=0.1)
    engine = await start_engine(PLAN, command=command("good"), patience=impatient)
    _, death = await fate_of(engine, order)
    assert (death.cause, death.signal) == ("hung", number)
    assert detail in death.detail


async def test_reading_from_disk_is_no_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([1, 2, 3, 3])
    monkeypatch.setattr(ChildProcess, "read_bytes", lambda _: next(counts))
    impatient = Patience(first_silence_seconds=0.05, least_silence_seconds=0.05, term_seconds=0.1)
    engine = await start_engine(PLAN, command=command("good"), patience=impatient)
    _, death = await fate_of(engine, "hang")
    assert death.cause == "hung"
    assert next(counts, None) is None


async def test_a_closed_connection_is_the_end() -> None:
    engine = await start_engine(PLAN, command=command("good"), patience=Patience(end_seconds=0.1))
    said, death = await fate_of(engine, "close")
    assert (said, death.cause) == ("w0 ", "exited")
    assert "connection closed" in death.detail


async def test_an_unknown_refusal_is_a_death(engine: Engine) -> None:
    said, death = await fate_of(engine, "bad-refusal")
    assert (said, death.cause) == ("", "exited")


async def test_every_running_answer_learns_of_the_death(engine: Engine) -> None:
    running = [asyncio.create_task(text_of(engine, "wait", name)) for name in "abc"]
    await until(lambda: len(engine._mailboxes) == 3)
    os.kill(engine.pid, signal.SIGKILL)
    deaths = await asyncio.gather(*running, return_exceptions=True)
    assert [(type(death), getattr(death, "cause", "")) for death in deaths] == [(EngineDied, "killed")] * 3
    assert len({id(death) for death in deaths}) == 3


async def test_silence_is_allowed_when_announced_and_when_idle() -> None:
    engine = await start_engine(PLAN, command=command("good"), patience=Patience(least_silence_seconds=0.2))
    await text_of(engine, "say 1", "first")
    await asyncio.sleep(0.3)
    answer = asyncio.create_task(text_of(engine, "slow"))
    done, _ = await asyncio.wait([answer], timeout=0.3)
    assert not done
    engine.cancel("a")
    assert await answer == "w0 "
    await engine.close()


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA")
async def test_memory_fence() -> None:
    limit_bytes = 300_000_000
    plan = replace(PLAN, memory_limit_bytes=limit_bytes)
    engine = await start_engine(plan, command=command("good"))
    fences = await text_of(engine, "limits")
    assert fences == f"core=0 data={limit_bytes} oom=500 session=True descriptors=4"
    said, death = await fate_of(engine, "eat")
    assert (said, death.cause) == ("w0 ", "out_of_memory")
    await engine.close()


async def test_the_environment_is_clean(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    del engine
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    started = await start_engine(PLAN, command=command("good"))
    lines = (await text_of(started, "environment")).splitlines()
    await started.close()
    assert "GOMP_SPINCOUNT=1000" in lines
    assert not [line for line in lines if "secret" in line or line.startswith("PYTHON")]


@pytest.mark.parametrize(
    ("behaviour", "error", "told"),
    [
        ("refuse_load", ModelLoadFailed, {"path": "/m.gguf", "detail": "no"}),
        ("refuse_file", NotGguf, {"path": "/m.gguf", "looks_like": "zip"}),
        ("die_loading", EngineDiedLoading, {"cause": "aborted", "signal": 6}),
        ("crash_in_python", EngineDiedLoading, {"cause": "exited", "detail": "RuntimeError: a bug", "exit_code": 1}),
    ],
)
async def test_a_model_that_does_not_load(behaviour: str, error: type[Exception], told: dict[str, object]) -> None:
    with pytest.raises(error) as refusal:
        await start_engine(PLAN, command=command(behaviour))
    assert told.items() <= vars(refusal.value).items()


async def test_a_relative_path_is_the_service_s_own() -> None:
    with pytest.raises(ModelLoadFailed) as refusal:
        await start_engine(replace(PLAN, model_path="m.gguf"), command=command("refuse_load"))
    assert refusal.value.path == str(Path.cwd() / "m.gguf")


async def test_load_deadline() -> None:
    with pytest.raises(ModelLoadTimeout) as refusal:
        await start_engine(replace(PLAN, load_deadline_seconds=0.3), command=command("load_for_ever"))
    assert refusal.value.limit_seconds == 0.3


async def test_a_cancelled_load_leaves_nothing() -> None:
    arrived = asyncio.Event()

    def progress(fraction: float) -> None:
        del fraction
        arrived.set()

    loading = asyncio.create_task(start_engine(PLAN, command=command("load_for_ever"), on_progress=progress))
    await arrived.wait()
    loading.cancel()
    await asyncio.wait([loading])
    assert loading.cancelled()


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        await start_engine(PLAN, command=["/no/such/program"])


async def test_closing_a_deaf_child() -> None:
    engine = await start_engine(PLAN, command=command("deaf"), patience=Patience(end_seconds=0.1, term_seconds=0.1))
    closings = [asyncio.create_task(engine.close()) for _ in range(2)]
    await asyncio.gather(*closings)
    assert not engine.alive
    assert not engine._death.done()


async def test_closing_ends_running_answers(engine: Engine) -> None:
    answer = asyncio.create_task(text_of(engine, "wait"))
    await until(lambda: engine._mailboxes)
    await engine.close()
    with pytest.raises(EngineDied):
        await answer


async def test_killed_again_and_again() -> None:
    async def one() -> str:
        engine = await start_engine(PLAN, command=command("good"))
        answer = asyncio.create_task(fate_of(engine, "wait"))
        await until(lambda: engine._mailboxes)
        os.kill(engine.pid, signal.SIGKILL)
        return (await answer)[1].cause

    for _ in range(10):
        assert await asyncio.gather(*(one() for _ in range(5))) == ["killed"] * 5


PARENT = """
import asyncio, sys
from tests.inference.worker.test_client import PLAN, command, request, start_engine
async def main():
    engine = await start_engine(PLAN, command=command("good"))
    await anext(engine.generate(request(sys.argv[1])))
    print(engine.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a hung child notices at its next message only")
@pytest.mark.parametrize("order", ["wait", "hang-hard"])
async def test_the_child_dies_with_its_parent(order: str) -> None:
    root = Path(__file__).parents[3]
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, order, stdout=asyncio.subprocess.PIPE, cwd=root
    )
    assert parent.stdout is not None
    child = psutil.Process(int(await parent.stdout.readline()))
    parent.kill()
    await parent.communicate()
    await until(lambda: has_ended(child), 0.01)


def has_ended(process: psutil.Process) -> bool:
    """Gone, or waiting to be reaped by whoever inherits orphans on this machine."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
