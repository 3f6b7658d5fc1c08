"""What is loaded beside a model, measured by dry runs of its own: a projector, or a model that drafts for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inference.planning.values import HOST, Companion, Settings, Wish
from inference.values import ALL_ON_CPU, Placement
from models_catalog.gguf.plan_data import read_plan_data

if TYPE_CHECKING:
    from inference.backends.llama_cpp.dry_run import DryRunOracle
    from inference.backends.llama_cpp.library import Callbacks
    from inference.backends.llama_cpp.virtual_devices import VirtualDevices

# A draft model reads what the model reads; without a wish, as long a context as the planner usually chooses.
_CONTEXT_TOKENS = 8192
_BATCH_TOKENS = 512
_ALL_LAYERS = 100_000


def measure_projector(path: str, devices: VirtualDevices, names: Sequence[str]) -> Companion:
    """names: of the machine's devices. Raises MeasureFailed for a file that is no projector."""
    from inference.backends.llama_cpp.projector import projector_bytes

    host = projector_bytes(Path(path), device=None)
    if not names:
        return Companion(kind="projector", host_bytes=sum(host.values()))
    placed = projector_bytes(Path(path), device=devices.call_them(names)[0])
    return Companion(
        kind="projector",
        host_bytes=sum(host.values()),
        device_bytes=placed.get(names[0], 0),
        device_host_bytes=placed.get(HOST, 0),
    )


def measure_draft(
    head: bytes, devices: VirtualDevices, names: Sequence[str], wish: Wish, callbacks: Callbacks
) -> Companion:
    """All of a draft model, with the context of the model that it drafts for. Raises MeasureFailed."""
    from inference.backends.llama_cpp.dry_run import DryRunOracle

    header = read_plan_data(head, "draft")
    oracle = DryRunOracle(
        head, size_bytes=header.size_bytes, devices=devices, device_names=tuple(names), threads=1, callbacks=callbacks
    )
    context = (wish.context_tokens or _CONTEXT_TOKENS) * (wish.parallel or 1)
    try:
        host = _held(oracle, context, ALL_ON_CPU)
        if not names:
            return Companion(kind="draft", host_bytes=sum(host.values()))
        placed = _held(oracle, context, Placement(devices=(names[0],), gpu_layers=_ALL_LAYERS))
    finally:
        oracle.close()
    return Companion(
        kind="draft",
        host_bytes=sum(host.values()),
        device_bytes=placed.get(names[0], 0),
        device_host_bytes=placed.get(HOST, 0),
    )


def _held(oracle: DryRunOracle, context: int, placement: Placement) -> dict[str, int]:
    settings = Settings(
        context_tokens=context, sequences=1, batch_tokens=_BATCH_TOKENS, outputs_max=1, placement=placement
    )
    held: dict[str, int] = {}
    for buffer in oracle.measure(settings).buffers:
        size = buffer.weights_bytes + buffer.state_bytes + buffer.compute_bytes
        held[buffer.device] = held.get(buffer.device, 0) + size
    return held
