"""Real engine children, llama.cpp and all, that are killed or abort: nothing is lost, mixed or left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from inference.errors import EngineDied, EngineDiedLoading
from inference.values import GenerationRequest, LoadPlan, SamplingWish, TextPrompt
from inference.worker.client import Engine, start_engine
from inference.worker.messages import Delta
from tests.tiny_models import tiny_llama

PROMPTS = ("hello", "the other", "and", "user said")
TOKENS = 60

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the deaths are signals")


@pytest.fixture
def plan(tmp_path: Path) -> LoadPlan:
    """A tiny model whose greedy answers never end by themselves."""
    return LoadPlan(
        model_path=str(tiny_llama().write(tmp_path / "tiny.gguf")),
        context_tokens=1024,
        sequences=4,
        batch_tokens=64,
        decode_threads=1,
        batch_threads=1,
    )


@pytest.fixture(autouse=True)
async def no_child_stays() -> AsyncIterator[None]:
    yield
    assert psutil.Process().children() == []


def request(prompt: str, max_tokens: int) -> GenerationRequest:
    return GenerationRequest(
        request_id=prompt,
        text=TextPrompt(text=prompt),
        sampling=SamplingWish(temperature=0.0),
        max_tokens=max_tokens,
    )


async def answer(engine: Engine, prompt: str, said: dict[str, str], max_tokens: int = TOKENS) -> None:
    """Stream an answer into `said`, so that it is there whatever happens."""
    said[prompt] = ""
    async for event in engine.generate(request(prompt, max_tokens)):
        if isinstance(event, Delta):
            said[prompt] += event.text


async def answers(engine: Engine) -> dict[str, str]:
    """The answers to all prompts, side by side."""
    said: dict[str, str] = {}
    await asyncio.gather(*(answer(engine, prompt, said) for prompt in PROMPTS))
    return said


@pytest.mark.parametrize(
    ("number", "cause"),
    [(signal.SIGKILL, "killed"), (signal.SIGABRT, "aborted"), (signal.SIGSEGV, "segfault"), (signal.SIGTERM, "killed")],
)
async def test_killed_in_the_middle_of_answers(plan: LoadPlan, number: signal.Signals, cause: str) -> None:
    said: dict[str, str] = {}
    engine = await start_engine(plan)
    running = [asyncio.create_task(answer(engine, prompt, said, max_tokens=200)) for prompt in PROMPTS]
    async with asyncio.timeout(30):
        while min(map(len, said.values()), default=0) < 5:  # noqa: ASYNC110  the answers grow elsewhere
            await asyncio.sleep(0)
    os.kill(engine.pid, number)
    deaths = await asyncio.gather(*running, return_exceptions=True)
    assert [(type(death), getattr(death, "cause", "")) for death in deaths] == [(EngineDied, cause)] * len(PROMPTS)
    assert (await engine.wait_dead()).signal == number

    successor = await start_engine(plan)
    undisturbed = await answers(successor)
    for prompt in PROMPTS:
        length = min(len(said[prompt]), len(undisturbed[prompt]))
        assert length >= 5
        assert said[prompt][:length] == undisturbed[prompt][:length]
    await successor.close()


async def test_the_text_of_an_assertion_arrives(plan: LoadPlan, tmp_path: Path) -> None:
    model = tiny_llama()
    model.metadata["llama.expert_count"] = 3
    path = str(model.write(tmp_path / "experts.gguf"))
    with pytest.raises(EngineDiedLoading) as death:
        await start_engine(replace(plan, model_path=path))
    assert death.value.cause == "aborted"
    assert "GGML_ASSERT(" in death.value.detail
    assert "/" not in death.value.detail.split(":")[0]


async def test_an_assertion_in_the_middle_of_the_computation(plan: LoadPlan, tmp_path: Path) -> None:
    model = tiny_llama()
    model.metadata["llama.attention.layer_norm_rms_epsilon"] = -1.0
    path = str(model.write(tmp_path / "norm.gguf"))
    engine = await start_engine(replace(plan, model_path=path, decode_threads=2, batch_threads=2))
    with pytest.raises(EngineDied) as death:
        await answers(engine)
    assert death.value.cause == "aborted"
    assert "GGML_ASSERT(eps" in death.value.detail


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA")
async def test_an_engine_that_does_not_fit_its_fence(plan: LoadPlan) -> None:
    with pytest.raises(EngineDiedLoading) as death:
        await start_engine(replace(plan, memory_limit_bytes=12_000_000))
    assert death.value.cause == "out_of_memory"
