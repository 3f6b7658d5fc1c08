"""A real engine child, driven as the service drives it, and its private memory seen from outside."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from inference.values import GenerationRequest, LoadPlan, SamplingWish, TextPrompt
from inference.worker.client import Engine, start_engine
from inference.worker.messages import Finished

_RESIDENT = re.compile(r"^Rss(?:Anon|Shmem):\s+(\d+) kB$", re.MULTILINE)
# A byte-level vocabulary without digits in its words takes a token for each of them.
_TOKEN_TEXT = "0123456789"


async def load_and_prefill(plan: LoadPlan, *, answer_tokens: int = 2) -> tuple[Engine, int]:
    """The engine after one full batch and a short answer, and how many tokens it answered. Close the engine."""
    engine = await start_engine(plan)
    try:
        tokens = await answer(engine, prompt_tokens=plan.batch_tokens + 8, answer_tokens=answer_tokens)
    except BaseException:
        await engine.close()
        raise
    return engine, tokens


async def answer(engine: Engine, *, prompt_tokens: int, answer_tokens: int) -> int:
    """How many tokens came of the `answer_tokens` that were asked for."""
    text = (_TOKEN_TEXT * (prompt_tokens // len(_TOKEN_TEXT) + 1))[:prompt_tokens]
    request = GenerationRequest(
        request_id=uuid.uuid4().hex,
        text=TextPrompt(text=text),
        sampling=SamplingWish(temperature=0.0),
        max_tokens=answer_tokens,
    )
    count = 0
    async for event in engine.generate(request):
        if isinstance(event, Finished):
            count = event.usage.completion_tokens
    return count


def private_bytes(pid: int) -> int:
    """Resident memory of a process that belongs to no file."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * sum(int(kilobytes) for kilobytes in _RESIDENT.findall(status))
