"""Checks of the engine: what a child says of its back ends, and a tiny model that has to answer twice the same."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.selftest.tiny_model import write_tiny_model
from app.selftest.values import Finding, Surroundings

if TYPE_CHECKING:
    from inference.engine_report import EngineReport
    from inference.values import GenerationRequest, LoadPlan
    from inference.worker.client import Engine

REPORT_SECONDS = 8.0
ANSWER_SECONDS = 12.0
_TOKENS = 8
_CONTEXT_TOKENS = 128


def back_ends(surroundings: Surroundings) -> Finding:
    """Which libraries compute here, and that there is one libggml."""
    from inference.engine_report import as_values, ask_engine
    from inference.engine_version import engine_version

    report = ask_engine(surroundings.environment, limit_seconds=REPORT_SECONDS)
    facts = {"engine": engine_version(), **as_values(report), "device_names": _names(report)}
    if report.ending != "done":
        return Finding(verdict="failed", seen=(f"engine_{report.ending}",), facts=facts)
    if report.unsound or not report.devices:
        return Finding(verdict="failed", seen=(f"engine_{report.unsound or 'no_device'}",), facts=facts)
    seen = ["engine_variant" if report.cpu_variant else "engine_built_in"]
    seen += ["engine_other_variant"] * _has_better(report)
    seen += ["engine_failed"] * bool(report.failed)
    if _has_better(report):
        facts["best"] = report.variants[0].name
    return Finding(verdict="warning" if report.failed else "ok", seen=tuple(seen), facts=facts)


def answer(surroundings: Surroundings) -> Finding:
    """An engine child loads a model and answers, as every model is loaded."""
    path = surroundings.scratch / "tiny.gguf"
    write_tiny_model(path)
    return asyncio.run(_answer(path))


async def _answer(path: Path) -> Finding:
    from inference.worker.client import start_engine
    from inference.worker.silence import Patience

    patience = Patience(
        least_silence_seconds=ANSWER_SECONDS,
        first_silence_seconds=ANSWER_SECONDS,
        term_seconds=0.5,
        end_seconds=0.5,
    )
    # Any error is one of the app's, which has its own words.
    engine = await start_engine(_plan(path), patience=patience)
    try:
        facts: dict[str, Any] = {"load_seconds": round(engine.facts.load_seconds, 3), "engine": engine.facts.engine}
        first, second = [await _said(engine, _request(number)) for number in (1, 2)]
    finally:
        await engine.close()
    facts |= {"tokens": first[1]}
    if first != second:
        return Finding(verdict="failed", seen=("answer_differs",), facts=facts)
    if first[1] != _TOKENS:
        return Finding(verdict="failed", seen=("answer_short",), facts=facts)
    return Finding(seen=("answer",), facts=facts)


async def _said(engine: Engine, request: GenerationRequest) -> tuple[str, int]:
    from inference.worker.messages import Delta, Finished

    text, tokens = "", 0
    async with aclosing(engine.generate(request)) as events:
        async for event in events:
            if isinstance(event, Delta):
                text += event.text
            elif isinstance(event, Finished):
                tokens = event.usage.completion_tokens
    return text, tokens


def _request(number: int) -> GenerationRequest:
    from inference.values import ChatMessage, ChatPrompt, GenerationRequest, SamplingWish

    return GenerationRequest(
        request_id=f"selftest-{number}",
        chat=ChatPrompt(messages=(ChatMessage(role="user", content="你好"),)),
        sampling=SamplingWish(temperature=0.0),
        max_tokens=_TOKENS,
    )


def _plan(path: Path) -> LoadPlan:
    from inference.values import LoadPlan

    return LoadPlan(
        model_path=str(path),
        context_tokens=_CONTEXT_TOKENS,
        sequences=1,
        batch_tokens=32,
        decode_threads=1,
        batch_threads=1,
        load_deadline_seconds=ANSWER_SECONDS,
    )


def _has_better(report: EngineReport) -> bool:
    """The user chose another build than the fastest."""
    return bool(report.cpu_variant and report.variants and report.variants[0].name != report.cpu_variant)


def _names(report: EngineReport) -> list[str]:
    return [f"{one.name} ({' '.join(one.description.split())})" for one in report.devices]
