"""The memory bill: what was measured of a model, and all that no measurement of buffers contains."""

from __future__ import annotations

from collections.abc import Sequence

from inference.planning.reserves import back_end_bytes
from inference.planning.values import (
    HOST,
    Bill,
    BillTerm,
    Companion,
    DeviceBytes,
    Limits,
    Machine,
    Measured,
    Residuals,
    Settings,
)
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.plan_data import vocabulary_size

MIB = 1024**2
# What is left of an engine child's private memory (Python 3.11, llama.cpp's libraries, message buffers) when all else
# of the bill is taken off: fitted on 72 loads of 12 architectures (`python -m tests.proofs.host_memory`), as is the
# size of a slot of the graphs that llama.cpp keeps.
PROCESS_BYTES = 16 * MIB
_GRAPH_SLOT_BYTES = 1485
# `llama_context::graph_max_nodes` of llama-context.cpp: slots for each token of a batch, and for each tensor.
_GRAPH_SLOTS = {
    ("kimi-k3", "glm5-next"): (160, 64),
    ("hrm_text",): (80, 64),
    (
        "qwen3next",
        "kimi-linear",
        "bailingmoe3",
        "qwen35",
        "qwen35moe",
        "qwen4exp",
        "deepseek4",
        "nanbeige",
        "minimax-01",
        "minimax-m3",
        "hy_v4",
    ): (40, 32),
}
_LEAST_GRAPH_SLOTS, _GRAPH_SLOTS_OF_TENSOR = 1024, 8
# Measured on vocabularies of 32 k to 152 k tokens: the objects of llama_vocab on the heap.
_VOCABULARY_BASE_BYTES = 4 * MIB
_VOCABULARY_ENTRY_BYTES = 155
_ROW_ELEMENT_BYTES = 4
# Re-ordered weights are the only host weights that a mapped load copies.
_REPACKED = "REPACK"
# Keys of models that keep a state instead of, or beside, keys and values.
_STATE_KEYS = ("ssm.state_size", "ssm.conv_kernel", "wkv.head_size", "shortconv.l_cache", "kda.head_dim")


def make_bill(
    *,
    header: GgufHeader,
    machine: Machine,
    settings: Settings,
    measured: Measured,
    memory_map: bool,
    limits: Limits | None = None,
    residuals: Residuals | None = None,
    companions: Sequence[Companion] = (),
) -> Bill:
    """Every byte that a load with these settings is expected to hold, the host first, then the placement's devices.

    memory_map: host weights lie in mapped pages of the file, which the system can drop (soft bytes).
    residuals: what earlier loads held beyond their bill. An accelerator's reserve has room for what its back end takes
    for itself, so only what exceeds that is a line of the bill.
    """
    names = (HOST, *settings.placement.devices)
    terms = [term for name in names for term in _measured_terms(name, measured, header)]
    terms += _host_terms(header, settings, measured)
    terms += _companion_terms(settings, companions)
    terms += _learned_terms(names, machine, residuals or Residuals())
    terms = [term for term in terms if term.bytes]
    return Bill(
        devices=tuple(_device(name, machine, terms, measured, memory_map, limits or Limits()) for name in names),
        terms=tuple(terms),
        basis=measured.basis,
    )


def output_bytes(header: GgufHeader, settings: Settings) -> int:
    """`output_reserve` of llama-context.cpp: a row of logits for each sequence or output of the largest batch."""
    rows = max(settings.sequences, settings.outputs_max)
    return _ROW_ELEMENT_BYTES * (header.vocabulary_size or 0) * rows


def vocabulary_bytes(header: GgufHeader) -> int:
    """Heap of the vocabulary's objects."""
    size = vocabulary_size(header)
    return _VOCABULARY_BASE_BYTES + _VOCABULARY_ENTRY_BYTES * (size.tokens + size.merges)


def graph_bytes(header: GgufHeader, settings: Settings) -> int:
    """What the nodes of llama.cpp's graphs take on the heap."""
    tensors = len(header.tensors)
    slots = max(_LEAST_GRAPH_SLOTS, _GRAPH_SLOTS_OF_TENSOR * tensors)
    for architectures, (of_token, of_tensor) in _GRAPH_SLOTS.items():
        if header.architecture in architectures:
            slots = max(of_token * settings.batch_tokens, of_tensor * tensors)
    return _GRAPH_SLOT_BYTES * slots


def keeps_state(header: GgufHeader) -> bool:
    """Whether layers keep a state of fixed size for each sequence (recurrent and hybrid models)."""
    return any(header.own(key) is not None for key in _STATE_KEYS)


def _measured_terms(name: str, measured: Measured, header: GgufHeader) -> list[BillTerm]:
    own = [buffer for buffer in measured.buffers if buffer.device == name]
    state = "state" if keeps_state(header) else "kv"
    return [
        BillTerm(kind="weights", device=name, bytes=sum(buffer.weights_bytes for buffer in own)),
        BillTerm(kind=state, device=name, bytes=sum(buffer.state_bytes for buffer in own)),
        BillTerm(kind="compute", device=name, bytes=sum(buffer.compute_bytes for buffer in own)),
    ]


def _host_terms(header: GgufHeader, settings: Settings, measured: Measured) -> list[BillTerm]:
    return [
        BillTerm(kind="output", device=HOST, bytes=output_bytes(header, settings)),
        BillTerm(kind="vocabulary", device=HOST, bytes=vocabulary_bytes(header)),
        BillTerm(kind="work", device=HOST, bytes=measured.work_bytes),
        BillTerm(kind="graph", device=HOST, bytes=graph_bytes(header, settings)),
        BillTerm(kind="process", device=HOST, bytes=PROCESS_BYTES),
    ]


def _companion_terms(settings: Settings, companions: Sequence[Companion]) -> list[BillTerm]:
    """llama.cpp puts projector and draft model on the first device, where there is one."""
    devices = settings.placement.devices
    if not devices:
        return [BillTerm(kind=one.kind, device=HOST, bytes=one.host_bytes) for one in companions]
    return [
        term
        for one in companions
        for term in (
            BillTerm(kind=one.kind, device=devices[0], bytes=one.device_bytes),
            BillTerm(kind=one.kind, device=HOST, bytes=one.device_host_bytes),
        )
    ]


def _learned_terms(names: tuple[str, ...], machine: Machine, residuals: Residuals) -> list[BillTerm]:
    reserves = {device.name: device.reserve_bytes for device in machine.devices}
    terms = []
    for name in names:
        learned = residuals.device_bytes.get(name, 0)
        covered = min(reserves.get(name, 0), back_end_bytes(name)) if name in reserves else 0
        kind = "process" if name == HOST else "pool"
        terms.append(BillTerm(kind=kind, device=name, bytes=max(0, learned - covered)))
    return terms


def _device(
    name: str, machine: Machine, terms: list[BillTerm], measured: Measured, memory_map: bool, limits: Limits
) -> DeviceBytes:
    source = machine.host if name == HOST else next(device for device in machine.devices if device.name == name)
    by_kind: dict[str, int] = {}
    for term in terms:
        if term.device == name:
            by_kind[term.kind] = by_kind.get(term.kind, 0) + term.bytes
    weights = by_kind.pop("weights", 0)
    state = by_kind.pop("state", 0) + by_kind.pop("kv", 0)
    compute = by_kind.pop("compute", 0)
    return DeviceBytes(
        name=name,
        description=machine.host.name if name == HOST else getattr(source, "description", ""),
        weights_bytes=weights,
        state_bytes=state,
        compute_bytes=compute,
        other_bytes=sum(by_kind.values()),
        budget_bytes=max(0, source.budget_bytes - limits.device_bytes.get(name, 0)),
        free_bytes=source.free_bytes,
        soft_bytes=_soft_bytes(measured) if name == HOST and memory_map else 0,
    )


def _soft_bytes(measured: Measured) -> int:
    return sum(
        buffer.weights_bytes
        for buffer in measured.buffers
        if buffer.device == HOST and _REPACKED not in buffer.buffer_type
    )
