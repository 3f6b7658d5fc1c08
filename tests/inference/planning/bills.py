"""Machines, bills and plans of a few numbers, for tests of what is decided about them."""

from __future__ import annotations

from typing import Any

from inference.planning.values import (
    HOST,
    Bill,
    BillTerm,
    Device,
    DeviceBytes,
    DeviceSpeed,
    Host,
    Machine,
    PlanAnswer,
    Range,
    SpeedForecast,
    Verdict,
)
from inference.values import LoadPlan, Placement, PlanChoice

GIB = 1024**3

SPEED = DeviceSpeed(
    read_bytes_per_second={"": 30e9},
    flops_per_second={"": 1e12},
    kv_read_bytes_per_second={"": 20e9},
    node_seconds=1e-6,
    split_seconds=1e-5,
    link_bytes_per_second=None,
    origin="table",
    spread=0.3,
)


def machine(
    *, ram_gib: float = 16, free_gib: float | None = None, card_gib: float | None = None, shared: bool = False
) -> Machine:
    """Main memory with 1.5 GiB kept back; a card with half a GiB kept back."""
    free = ram_gib if free_gib is None else free_gib
    card = Device(
        name="CUDA0",
        description="A card",
        kind="integrated" if shared else "discrete",
        total_bytes=int((card_gib or 0) * GIB),
        free_bytes=int((card_gib or 0) * GIB),
        reserve_bytes=GIB // 2,
        shares_host_memory=shared,
        speed=SPEED,
    )
    return Machine(
        host=Host(
            name="A processor",
            total_bytes=int(ram_gib * GIB),
            free_bytes=int(free * GIB),
            reserve_bytes=int(1.5 * GIB),
            decode_threads=4,
            batch_threads=4,
            threads_reason="one_core_free",
            repack=True,
            speed=SPEED,
            disk_bytes_per_second=1e9,
        ),
        devices=(card,) if card_gib else (),
    )


def bill(
    of: Machine, host: tuple[float, float, float], card: tuple[float, float, float] | None = None, soft: float = 0
) -> Bill:
    """Bars from (weights, state, compute) in GiB; soft: GiB of the host's weights that are mapped."""
    bars = [_bar(HOST, of.host.budget_bytes, of.host.free_bytes, host, soft)]
    if card is not None:
        bars.append(_bar("CUDA0", of.devices[0].budget_bytes, of.devices[0].free_bytes, card, 0))
    terms = tuple(BillTerm(kind="weights", device=bar.name, bytes=bar.weights_bytes) for bar in bars)
    return Bill(devices=tuple(bars), terms=terms, basis="exact")


def _bar(name: str, budget: int, free: int, gib: tuple[float, float, float], soft: float) -> DeviceBytes:
    weights, state, compute = (int(part * GIB) for part in gib)
    return DeviceBytes(
        name=name,
        description=name,
        weights_bytes=weights,
        state_bytes=state,
        compute_bytes=compute,
        other_bytes=0,
        budget_bytes=budget,
        free_bytes=free,
        soft_bytes=int(soft * GIB),
    )


def plan(*, user: tuple[str, ...] = (), **changes: Any) -> LoadPlan:
    """A plan whose fields named in `user` are the user's wish."""
    choices = tuple(PlanChoice(field=name, value="", chosen_by="user", reason="asked_for") for name in user)
    return LoadPlan(
        **{
            "model_path": "model.gguf",
            "context_tokens": 8192,
            "sequences": 1,
            "batch_tokens": 512,
            "decode_threads": 4,
            "batch_threads": 4,
            "memory_map": False,
            "choices": choices,
            **changes,
        }
    )


ON_CARD = Placement(devices=("CUDA0",), gpu_layers=99)


def forecast(decode: float = 20.0, slowest: str = HOST) -> SpeedForecast:
    """So many tokens per second."""
    return SpeedForecast(
        decode=Range(low=decode * 0.7, likely=decode, high=decode * 1.3),
        prefill=Range(low=70, likely=100, high=130),
        depth_tokens=2048,
        origin="table",
        slowest=slowest,
    )


def answer(verdict: Verdict, *, decode: float = 20.0, of: Machine | None = None, **changes: Any) -> PlanAnswer:
    """An answer with this verdict."""
    return PlanAnswer(
        plan=plan(**changes),
        bill=bill(of or machine(), (4, 1, 0.5)),
        speed=forecast(decode),
        verdict=verdict,
        advice=(),
    )
