from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.planning.calibrated import Chosen, Findings, Strain, ThreadTiming, calibration_of, choose
from inference.planning.values import GraphCost
from tests.inference.planning.speed_values import graph


def timing(threads: int, decode: float, batch: float, *, repack: bool = True) -> ThreadTiming:
    return ThreadTiming(threads=threads, repack=repack, decode_seconds=decode, batch_seconds=batch)


def test_one_more_thread_has_to_pay() -> None:
    chosen = choose([timing(4, 0.0100, 0.010), timing(7, 0.0098, 0.006), timing(8, 0.0120, 0.0055)])
    assert chosen == Chosen(decode_threads=4, batch_threads=8, repack=True)


@pytest.mark.parametrize(
    ("decode", "batch", "pays"), [(1.2, 0.5, False), (1.2, 0.99, True), (0.6, 1.0, False), (1.0, 1.0, True)]
)
def test_repacking_is_weighed_over_reading_and_writing(decode: float, batch: float, pays: bool) -> None:
    assert choose([timing(1, 1.0, 1.0), timing(1, decode, batch, repack=False)]).repack is pays


@given(
    st.lists(
        st.builds(
            timing,
            st.integers(1, 16),
            st.floats(1e-4, 1),
            st.floats(1e-4, 1),
            repack=st.booleans(),
        ),
        min_size=1,
    )
)
def test_what_is_chosen_was_timed(timings: list[ThreadTiming]) -> None:
    chosen = choose(timings)
    mine = {timing.threads for timing in timings if timing.repack == chosen.repack}
    assert {chosen.decode_threads, chosen.batch_threads} <= mine


def without(cost: GraphCost, kind: str) -> GraphCost:
    return replace(cost, operations=tuple(operation for operation in cost.operations if operation.kind != kind))


def findings() -> Findings:
    found = Findings(
        chosen=Chosen(decode_threads=2, batch_threads=2, repack=True),
        timings=(timing(2, 0.04, 0.01),),
        node_seconds=1e-5,
    )
    found.add_first("Q4_K", without(graph(1), "attention"), without(graph(32), "attention"))
    return found


def test_the_cost_of_nodes_is_taken_off() -> None:
    found = findings()
    assert found.read["Q4_K"] == pytest.approx(4 * 100e6 / (0.04 - 80e-5))
    assert found.flops["Q4_K"] == pytest.approx(4 * 2 * 170e6 * 32 / (0.32 - 80e-5))


def test_of_experts_what_is_already_known_is_taken_off() -> None:
    found = findings()
    found.node_seconds = 0.0
    found.read["Q4_K"] = 10e9
    found.add_weights("Q4_K", graph(1, experts=True), 0.1, experts=True)
    # 160 MB of the toy are dense.
    assert found.read["Q4_K|experts"] == pytest.approx(240e6 / (0.1 - 0.016))


def test_attention_is_what_a_deeper_context_takes_longer() -> None:
    found = findings()
    cost = graph(1)
    found.add_attention("f16|flash", cost, cells=1024, seconds=0.001, tokens=1)
    found.add_attention("f16|flash", cost, cells=1024, seconds=0.01, tokens=256)
    assert found.keys["f16|flash"] == pytest.approx(8e6 / 0.001)
    assert found.flops["f16|flash|one"] == pytest.approx(1e6 / 0.001)
    assert found.flops["f16|flash"] == pytest.approx(256 * 1e6 / 0.01)


def test_what_was_not_timed_is_taken_for_what_is_alike_or_for_the_slowest() -> None:
    found = findings()
    found.read |= {"Q4_K": 20e9, "Q6_K": 10e9, "Q4_K|experts": 15e9}
    found.flops |= {"Q4_K": 100e9, "Q6_K": 80e9, "Q8_0": 60e9}
    calibration = calibration_of(found, cpu_name="A", engine="1")
    read = calibration.speed.read_bytes_per_second
    assert (read["Q4_0"], read[""]) == (20e9, 10e9)
    assert calibration.speed.flops_per_second["Q5_0"] == 60e9
    assert (read["Q6_K|experts"], read["|experts"]) == (7.5e9, 7.5e9)
    assert calibration.speed.origin == "calibrated"
    found.contended = True
    assert calibration_of(found, cpu_name="A", engine="1").speed.spread > calibration.speed.spread


def test_contention_is_seen_in_calls_and_in_processor_time() -> None:
    quiet = Strain(ratios=[1.05, 1.1, 1.5], wanted_seconds=2.0, given_seconds=1.95)
    assert not quiet.contended
    assert Strain(ratios=[1.4, 1.4, 1.0], wanted_seconds=2.0, given_seconds=2.0).contended
    assert Strain(ratios=[1.0], wanted_seconds=2.0, given_seconds=1.5).contended
    assert not Strain().contended
