from __future__ import annotations

from dataclasses import replace

import pytest

from inference.planning.bill import PROCESS_BYTES, make_bill, output_bytes, vocabulary_bytes
from inference.planning.budget import pools, shortages, spare_fraction
from inference.planning.estimate import EstimateOracle
from inference.planning.values import HOST, Bill, Limits, Machine, Residuals, Settings
from inference.values import KvType, Placement
from tests.inference.planning.shapes import GIB, MIB, card, llama2_70b, machine, qwen3_8b

SETTINGS = Settings(context_tokens=8192, sequences=16, batch_tokens=512, outputs_max=16)
ON_CARD = replace(SETTINGS, placement=Placement(devices=("CUDA0",), gpu_layers=37))


def bill(
    settings: Settings = SETTINGS,
    *,
    on: Machine | None = None,
    memory_map: bool = False,
    limits: Limits | None = None,
    residuals: Residuals | None = None,
) -> Bill:
    header = qwen3_8b()
    return make_bill(
        header=header,
        machine=on or machine(card(free=8)),
        settings=settings,
        measured=EstimateOracle(header).measure(settings),
        memory_map=memory_map,
        limits=limits,
        residuals=residuals,
    )


def test_the_lines_add_up_to_the_bars() -> None:
    for one in (bill(), bill(ON_CARD), bill(ON_CARD, memory_map=True)):
        assert one.total_bytes == sum(term.bytes for term in one.terms)
        assert one.devices[0].name == HOST


def test_what_no_breakdown_contains() -> None:
    header = qwen3_8b()
    terms = {term.kind: term.bytes for term in bill().terms}
    assert terms["output"] == output_bytes(header, SETTINGS) == 4 * 151936 * 16
    # 46.5 MiB were measured for Qwen's 152 k tokens and 151 k merges.
    assert terms["vocabulary"] == vocabulary_bytes(header) == pytest.approx(48.9 * MIB, rel=0.01)
    assert terms["process"] == PROCESS_BYTES
    assert terms["kv"] == 8192 * 36 * 2 * 8 * 128 * 2


def test_mapped_weights_of_the_host_are_soft() -> None:
    mapped = bill(replace(SETTINGS, repack=False), memory_map=True).devices[0]
    copied = bill().devices[0]
    assert mapped.soft_bytes == mapped.weights_bytes == copied.weights_bytes
    assert mapped.hard_bytes < GIB * 2 < copied.hard_bytes == copied.total_bytes


def test_re_ordered_weights_are_never_soft() -> None:
    assert bill(memory_map=True).devices[0].soft_bytes < bill().devices[0].weights_bytes


def test_what_was_learned_of_a_device_counts_beyond_its_reserve() -> None:
    assert bill(ON_CARD).terms == bill(ON_CARD, residuals=Residuals(device_bytes={"CUDA0": 300 * MIB})).terms
    learned = bill(ON_CARD, residuals=Residuals(device_bytes={"CUDA0": 500 * MIB, HOST: 20 * MIB}))
    assert learned.total_bytes - bill(ON_CARD).total_bytes == 170 * MIB


def test_a_failure_lowers_the_budget() -> None:
    taught = bill(ON_CARD, limits=Limits(device_bytes={"CUDA0": GIB})).devices[1]
    assert bill(ON_CARD).devices[1].budget_bytes - taught.budget_bytes == GIB


def test_shared_memory_is_counted_once() -> None:
    shared = machine(card("Metal0", free=24, shared=True), ram=8)
    placed = replace(SETTINGS, placement=Placement(devices=("Metal0",), gpu_layers=37))
    assert pools(shared)[0].members == (HOST, "Metal0")
    assert not shortages(bill(placed, on=shared), shared)
    small = machine(card("Metal0", free=24, shared=True), ram=6)
    assert set(shortages(bill(placed, on=small), small)) == {HOST}


def test_what_is_missing_is_told_by_pool() -> None:
    small = machine(card(free=4), ram=32)
    one = bill(ON_CARD, on=small)
    assert shortages(one, small) == {"CUDA0": one.devices[1].hard_bytes - small.devices[0].budget_bytes}
    assert spare_fraction(one, small) < 0 < spare_fraction(bill(ON_CARD), machine(card(free=8)))


@pytest.mark.parametrize(
    ("parallel", "kind", "gib"),
    [(1, "f16", 0.3125), (16, "f16", 5), (32, "f16", 10), (64, "f16", 20), (1, "q8_0", 0.3125 * 8.5 / 16)],
)
def test_published_figures_of_llama_2_70b(parallel: int, kind: KvType, gib: float) -> None:
    settings = replace(
        SETTINGS, context_tokens=1024 * parallel, sequences=max(16, parallel), kv_type_k=kind, kv_type_v=kind
    )
    measured = EstimateOracle(llama2_70b()).measure(settings)
    assert sum(buffer.state_bytes for buffer in measured.buffers) == gib * GIB
