"""What the service needs from an engine and from those who make one; tests put their own in their place."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from app.values import LocalModel
from inference.errors import EngineDied
from inference.planning.values import Limits, PlanAnswer, Wish
from inference.values import ChatPrompt, GenerationRequest, LoadPlan, ModelFacts, ModelManner
from inference.worker.messages import Admitted, Delta, Finished, MemoryReport, PromptShown


class RunningEngine(Protocol):
    """A loaded model in its child process (`inference.worker.client.Engine`)."""

    @property
    def plan(self) -> LoadPlan: ...
    @property
    def facts(self) -> ModelFacts: ...
    @property
    def pid(self) -> int: ...
    @property
    def alive(self) -> bool: ...
    def memory_bytes(self) -> int: ...
    def generate(self, request: GenerationRequest) -> AsyncGenerator[Admitted | Delta | Finished, None]: ...
    async def show_prompt(self, chat: ChatPrompt) -> PromptShown: ...
    async def wait_dead(self) -> EngineDied: ...
    async def close(self) -> None: ...


class StartEngine(Protocol):
    """Starts a child and loads the plan's model; `inference.worker.client.start_engine` is the one of the product."""

    def __call__(
        self,
        plan: LoadPlan,
        *,
        on_progress: Callable[[float], None] | None = None,
        on_memory: Callable[[MemoryReport], None] | None = None,
    ) -> Awaitable[RunningEngine]: ...


class MakePlan(Protocol):
    """Plans the load of a model on this computer as it is now; raises when the file is not sound.

    freed_bytes: by device name ("CPU" is the host), what idle models hold that can be unloaded for this one; it counts
    as free.
    """

    def __call__(
        self, model: LocalModel, wish: Wish, limits: Limits, freed_bytes: Mapping[str, int]
    ) -> Awaitable[PlanAnswer]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFigures:
    """What one finished answer took, for whoever forecasts the next.

    planned: what was forecast for this model. prompt_tokens: those that were computed, not found in the cache.
    depth_tokens: filled context in the middle of the answer. unevenness: see `Timings`. alone: no other request of this
    model ran beside it.
    """

    model: str
    planned: PlanAnswer
    architecture: str
    prompt_tokens: int
    prefill_seconds: float
    completion_tokens: int
    decode_seconds: float
    depth_tokens: int
    unevenness: float
    alone: bool


# Engine version, architecture, bytes beyond the bill by device.
OnMeasured = Callable[[str, str, Mapping[str, int]], None]
OnAnswer = Callable[[AnswerFigures], None]
# None for a model that the catalogue does not know.
MannerOf = Callable[[LocalModel], Awaitable[ModelManner | None]]
