"""`liangli check FILE`: is this GGUF file sound, does it load and answer here, is its template right? No service."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.screen import harmless, print_json
from app.cli.template_report import as_json, lines
from app.values import Language
from app.words import shown_bytes, shown_seconds
from resources.wording import text

if TYPE_CHECKING:
    from inference.values import GenerationRequest, LoadPlan
    from inference.worker.client import Engine
    from models_catalog.gguf.header import GgufHeader

_CONTEXT_TOKENS = 1024
_BATCH_TOKENS = 256
# Beside the weights (a copy in the order that suits the processor) and the context.
_WORKING_BYTES = 1024**3
_LOAD_SECONDS = 30.0
_ANSWER_SECONDS = 15.0
# The slowest disk that is waited for.
_BYTES_PER_SECOND = 100e6


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What is known of a model that answered."""

    path: str
    name: str
    architecture: str
    quantization: str
    size_bytes: int
    parameters: int
    trained_context_tokens: int
    vocabulary_size: int
    has_chat_template: bool
    load_seconds: float
    first_token_seconds: float


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser], language: Language) -> None:
    parser = subparsers.add_parser("check", help=text("cli.check.help", language))
    parser.add_argument("file", type=Path, help=text("cli.check.file", language))
    parser.add_argument("--json", action="store_true", help=text("cli.program.json", language))


def run(args: argparse.Namespace) -> int:
    """0 with one line about the model, and one for each thing that is wrong with its chat template.

    A file that cannot be used is raised: leaves of ModelFileRefused, ModelRefused or RequestRefused.
    """
    import asyncio

    from app.engine_choice.command import choose_engine
    from inference.text.doctor.subject import subject_of
    from inference.worker.examination import examine_in_child
    from models_catalog.gguf.header import read_header
    from models_catalog.gguf.screen import screen

    header = screen(read_header(args.file))
    choose_engine()
    load_seconds, first_token_seconds = asyncio.run(_answer_one_token(header))
    diagnosis = asyncio.run(examine_in_child(subject_of(header)))
    result = CheckResult(
        path=header.path,
        name=header.name,
        architecture=header.architecture,
        quantization=header.quantization,
        size_bytes=header.size_bytes,
        parameters=header.parameters,
        trained_context_tokens=header.trained_context_tokens or 0,
        vocabulary_size=header.vocabulary_size or 0,
        has_chat_template=header.chat_template is not None,
        load_seconds=round(load_seconds, 3),
        first_token_seconds=round(first_token_seconds, 3),
    )
    if args.json:
        print_json(asdict(result) | {"template": as_json(diagnosis, args.language)})
    else:
        _print_line(result, args.language)
        for line in lines(diagnosis.findings, diagnosis.offered, args.language):
            print(harmless(" ".join(line.split())))
    return 0


def _print_line(result: CheckResult, language: Language) -> None:
    line = text(
        "cli.check.sound",
        language,
        path=result.path,
        name=result.name[:200],
        architecture=result.architecture,
        quantization=result.quantization,
        size=shown_bytes(result.size_bytes),
        load=shown_seconds(result.load_seconds, language),
    )
    print(harmless(" ".join(line.split())))


async def _answer_one_token(header: GgufHeader) -> tuple[float, float]:
    """Seconds of loading and of the first token, in a fenced child that is gone when this returns."""
    from inference.errors import EngineDied, EngineDiedLoading
    from inference.worker.client import start_engine
    from inference.worker.silence import Patience

    plan = _plan(header)
    patience = Patience(
        least_silence_seconds=_answer_seconds(header),
        first_silence_seconds=_answer_seconds(header),
        term_seconds=1.0,
        end_seconds=1.0,
    )
    started = time.monotonic()
    engine = await start_engine(plan, patience=patience)
    loaded = time.monotonic()
    try:
        await _first_token(engine, _request(header), _answer_seconds(header))
        return loaded - started, time.monotonic() - loaded
    except EngineDied as death:
        # Nothing was lost: it is the file that is in question.
        raise EngineDiedLoading(path=header.path, **asdict(death)) from death
    finally:
        await engine.close()


async def _first_token(engine: Engine, request: GenerationRequest, limit_seconds: float) -> None:
    import asyncio
    from contextlib import aclosing

    from inference.errors import EngineDied

    try:
        async with asyncio.timeout(limit_seconds), aclosing(engine.generate(request)) as events:
            async for _ in events:
                pass
    except TimeoutError:
        raise EngineDied(cause="hung", detail="", exit_code=None, signal=None) from None


def _request(header: GgufHeader) -> GenerationRequest:
    from inference.values import ChatMessage, ChatPrompt, GenerationRequest, SamplingWish, TextPrompt

    chat = ChatPrompt(messages=(ChatMessage(role="user", content="你好"),)) if header.chat_template else None
    return GenerationRequest(
        request_id="check",
        chat=chat,
        text=None if chat else TextPrompt(text="你好"),
        sampling=SamplingWish(temperature=0.0),
        max_tokens=1,
    )


def _plan(header: GgufHeader) -> LoadPlan:
    """Small, and the same on every computer: whether the file is sound is the question, not how fast it is here."""
    from hardware_probe.cpu import parse_cpu, read_cpu
    from inference.planning.threads import choose_threads
    from inference.values import LoadPlan

    context = min(_CONTEXT_TOKENS, header.trained_context_tokens or _CONTEXT_TOKENS)
    threads = choose_threads(parse_cpu(read_cpu()))
    context_bytes = 4 * (header.layers or 0) * (header.embedding_length or 0) * context
    return LoadPlan(
        model_path=header.path,
        context_tokens=context,
        sequences=1,
        batch_tokens=min(_BATCH_TOKENS, context),
        decode_threads=threads.decode,
        batch_threads=threads.batch,
        memory_limit_bytes=header.weight_bytes + 2 * context_bytes + _WORKING_BYTES,
        load_deadline_seconds=_LOAD_SECONDS + header.size_bytes / _BYTES_PER_SECOND,
    )


def _answer_seconds(header: GgufHeader) -> float:
    return _ANSWER_SECONDS + header.size_bytes / _BYTES_PER_SECOND
