"""Several answers to one API request, advancing side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from inference.values import FinishReason, TokenLogprob, Usage
from inference.worker.messages import Admitted, Delta, Finished

EngineEvent = Admitted | Delta | Finished
# So many events of all choices may wait for a client that reads slowly; then the engine's side waits.
WAITING_EVENTS = 32


@dataclass(slots=True)
class Choice:
    """One answer as far as it has come."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    finished: Finished | None = None

    def take(self, event: EngineEvent) -> None:
        """Add what the engine said."""
        if isinstance(event, Delta):
            self.text.append(event.text)
            self.reasoning.append(event.reasoning)
            self.logprobs.extend(event.logprobs)
        elif isinstance(event, Finished):
            self.finished = event

    @property
    def finish_reason(self) -> str:
        """In the dialect's words."""
        return dialect_reason(self.finished.reason if self.finished else "cancelled")


async def side_by_side(
    answers: Sequence[AsyncGenerator[EngineEvent, None]],
) -> AsyncGenerator[tuple[int, EngineEvent], None]:
    """Events of all answers as they come, each with its answer's index. The first error ends all of them.

    Has to be closed when it is left early: that ends the answers.
    """
    waiting: asyncio.Queue[tuple[int, EngineEvent | Exception | None]] = asyncio.Queue(WAITING_EVENTS)

    async def forward(index: int, answer: AsyncGenerator[EngineEvent, None]) -> None:
        try:
            async with aclosing(answer) as events:
                async for event in events:
                    await waiting.put((index, event))
        except Exception as error:
            await waiting.put((index, error))
        else:
            await waiting.put((index, None))

    tasks = [asyncio.create_task(forward(index, answer)) for index, answer in enumerate(answers)]
    unfinished = len(tasks)
    try:
        while unfinished:
            index, event = await waiting.get()
            if event is None:
                unfinished -= 1
            elif isinstance(event, Exception):
                raise event
            else:
                yield index, event
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def dialect_reason(reason: FinishReason) -> str:
    """The finish reason as the dialect names it; it has no word for an answer that was cancelled."""
    return "length" if reason == "length" else "stop"


def usage_of(choices: Sequence[Choice], prompts: int = 1) -> dict[str, object]:
    """Tokens of all choices together. A prompt that several choices share counts once, as the dialect bills it."""
    usages = [choice.finished.usage if choice.finished else _NOTHING for choice in choices]
    per_prompt = usages[:: max(1, len(usages) // prompts)]
    prompt_tokens = sum(usage.prompt_tokens for usage in per_prompt)
    completion_tokens = sum(usage.completion_tokens for usage in usages)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": sum(usage.cached_tokens for usage in per_prompt)},
    }


_NOTHING = Usage(prompt_tokens=0, completion_tokens=0)
