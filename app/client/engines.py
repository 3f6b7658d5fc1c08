"""Loaded models, memory plans, and the computer that both are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from app.client.requests import LOAD_SECONDS, Requests, given
from app.values import EngineStatus

# Imported where they are used: a command that asks for none of them does not make these classes.
if TYPE_CHECKING:
    from app.plan_values import CalibrationStatus, HardwareView, LiveView, Plans, PlanWish


class EnginesClient(Requests):
    """Loading, planning, and what the planning goes by."""

    def load_engine(
        self, model: str, context_tokens: int | None = None, *, wish: PlanWish | None = None
    ) -> EngineStatus:
        """Load a model and return when it is ready, which can take minutes. wish: numbers that its plan has to keep,
        and no others."""
        fixed = {"exactly": True, **_engine_wish(wish)} if wish else {"context_tokens": context_tokens}
        body = given(model=model, **fixed)
        return self._ask("POST", "/engines/load", EngineStatus, json=body, timeout_seconds=LOAD_SECONDS)

    def unload_engine(self, model: str) -> None:
        self._send("POST", "/engines/unload", json={"model": model})

    def plans(self, model: str, wish: PlanWish, *, advice: bool = True) -> Plans:
        """Plans for a model, by whatever name; one that is not here may have to be read from the network."""
        from app.plan_values import Plans

        body = {"model": model, "advice": advice} | msgspec.to_builtins(wish)
        return self._ask("POST", "/plans", Plans, json=body, timeout_seconds=LOAD_SECONDS)

    def hardware(self) -> HardwareView:
        from app.plan_values import HardwareView

        return self._ask("GET", "/hardware", HardwareView)

    def hardware_live(self) -> LiveView:
        from app.plan_values import LiveView

        return self._ask("GET", "/hardware/live", LiveView)

    def calibration(self) -> CalibrationStatus:
        from app.plan_values import CalibrationStatus

        return self._ask("GET", "/hardware/calibrate", CalibrationStatus)

    def calibrate(self) -> CalibrationStatus:
        """Begin to measure this computer's speed; events tell how it goes."""
        from app.plan_values import CalibrationStatus

        return self._ask("POST", "/hardware/calibrate", CalibrationStatus)

    def cancel_calibration(self) -> None:
        self._send("DELETE", "/hardware/calibrate")


def _engine_wish(wish: PlanWish) -> dict[str, Any]:
    """The part of a wish that concerns the model, as POST /engines/load names it."""
    return {
        "context_tokens": wish.context,
        "parallel": wish.parallel,
        "kv_type": wish.kv,
        "flash_attention": wish.flash_attention,
        "swa_full": wish.swa_full,
        "batch_tokens": wish.batch,
        "gpu_layers": wish.gpu_layers,
        "decode_threads": wish.threads,
        "memory_map": wish.mmap,
    }
