"""From a model's file to its load plan: header read and screened, this computer looked at, the planner asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from app.service.engines.interface import PlannedLoad
from app.values import LocalModel
from hardware_probe.probe import probe_hardware, probe_memory
from hardware_probe.values import HardwareProfile
from inference.planning.simple import plan_load
from models_catalog.gguf.header import GgufHeader, read_header
from models_catalog.gguf.screen import screen

# Beside weights and KV cache: compute buffers, the vocabulary, the child itself.
_WORKING_BYTES = 300_000_000


class PlanMaker:
    """Made with the folder of the models; looks at the hardware once, at the memory each time."""

    def __init__(self, models_folder: Path) -> None:
        self._models_folder = models_folder
        self._profile: HardwareProfile | None = None

    async def __call__(self, model: LocalModel, context_tokens: int | None) -> PlannedLoad:
        """The plan for this model now. Raises leaves of ModelFileRefused."""
        return await asyncio.to_thread(self._plan, Path(model.path), context_tokens)

    def _plan(self, path: Path, context_tokens: int | None) -> PlannedLoad:
        header = screen(read_header(path))
        plan = plan_load(model_path=str(path), header=header, profile=self._hardware(), context_tokens=context_tokens)
        return PlannedLoad(plan=plan, needed_bytes=_needed_bytes(header, plan.context_tokens))

    def _hardware(self) -> HardwareProfile:
        if self._profile is None:
            self._profile = probe_hardware(self._models_folder)
        return replace(self._profile, memory=probe_memory())


def _needed_bytes(header: GgufHeader, context_tokens: int) -> int:
    return header.weight_bytes + context_tokens * (header.kv_bytes_per_token or 0) + _WORKING_BYTES
