"""What the service needs from an engine and from those who make one; tests put their own in their place."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from app.values import LocalModel
from inference.errors import EngineDied
from inference.values import GenerationRequest, LoadPlan, ModelFacts
from inference.worker.messages import Admitted, Delta, Finished


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
    async def wait_dead(self) -> EngineDied: ...
    async def close(self) -> None: ...


class StartEngine(Protocol):
    """Starts a child and loads the plan's model; `inference.worker.client.start_engine` is the one of the product."""

    def __call__(
        self, plan: LoadPlan, *, on_progress: Callable[[float], None] | None = None
    ) -> Awaitable[RunningEngine]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLoad:
    """A plan and the memory it will take."""

    plan: LoadPlan
    needed_bytes: int


class MakePlan(Protocol):
    """Plans the load of a model; raises when the file is not sound."""

    def __call__(self, model: LocalModel, context_tokens: int | None) -> Awaitable[PlannedLoad]: ...
