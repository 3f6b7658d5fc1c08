"""From a model's file to its load plan: header read and screened, this computer looked at, the planner asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from app.values import LocalModel
from hardware_probe.probe import probe_hardware, probe_memory
from hardware_probe.values import HardwareProfile
from inference.planning.simple import plan_load
from inference.planning.values import (
    HOST,
    Bill,
    BillTerm,
    DeviceBytes,
    Limits,
    PlanAnswer,
    Range,
    SpeedForecast,
    Wish,
)
from inference.values import LoadPlan
from models_catalog.gguf.header import GgufHeader, read_header
from models_catalog.gguf.screen import screen

# Beside weights and KV cache: compute buffers, the vocabulary, the child itself.
_WORKING_BYTES = 300_000_000


class PlanMaker:
    """Made with the folder of the models; looks at the hardware once, at the memory each time."""

    def __init__(self, models_folder: Path) -> None:
        self._models_folder = models_folder
        self._profile: HardwareProfile | None = None

    async def __call__(
        self, model: LocalModel, wish: Wish, limits: Limits, freed_bytes: Mapping[str, int]
    ) -> PlanAnswer:
        """The plan for this model now. Raises leaves of ModelFileRefused."""
        return await asyncio.to_thread(self._plan, Path(model.path), wish, limits, freed_bytes)

    def _plan(self, path: Path, wish: Wish, limits: Limits, freed_bytes: Mapping[str, int]) -> PlanAnswer:
        header = screen(read_header(path))
        profile = self._hardware(freed_bytes.get(HOST, 0))
        plan = plan_load(model_path=str(path), header=header, profile=profile, context_tokens=wish.context_tokens)
        if wish.context_tokens is None and limits.context_tokens is not None:
            plan = replace(plan, context_tokens=min(plan.context_tokens, limits.context_tokens))
        if limits.batch_tokens is not None:
            plan = replace(plan, batch_tokens=min(plan.batch_tokens, limits.batch_tokens))
        return _answer(plan, header, profile, limits)

    def _hardware(self, freed_bytes: int) -> HardwareProfile:
        if self._profile is None:
            self._profile = probe_hardware(self._models_folder)
        memory = probe_memory()
        return replace(self._profile, memory=replace(memory, available_bytes=memory.available_bytes + freed_bytes))


def _answer(plan: LoadPlan, header: GgufHeader, profile: HardwareProfile, limits: Limits) -> PlanAnswer:
    kv_bytes = plan.context_tokens * (header.kv_bytes_per_token or 0)
    terms = (
        BillTerm(kind="weights", device=HOST, bytes=header.weight_bytes),
        BillTerm(kind="kv", device=HOST, bytes=kv_bytes),
        BillTerm(kind="process", device=HOST, bytes=_WORKING_BYTES),
    )
    free_bytes = profile.memory.available_bytes if profile.memory is not None else 0
    host = DeviceBytes(
        name=HOST,
        description="",
        weights_bytes=header.weight_bytes,
        state_bytes=kv_bytes,
        compute_bytes=0,
        other_bytes=_WORKING_BYTES,
        budget_bytes=free_bytes,
        free_bytes=free_bytes,
        soft_bytes=header.weight_bytes if plan.memory_map else 0,
    )
    unknown = Range(low=0.0, likely=0.0, high=0.0)
    return PlanAnswer(
        plan=plan,
        bill=Bill(devices=(host,), terms=terms, basis="estimate"),
        speed=SpeedForecast(decode=unknown, prefill=unknown, depth_tokens=0, origin="table", slowest=HOST),
        verdict="larger_than_memory" if plan.memory_map else "fits",
        advice=(),
        limits=limits,
    )
