"""Advice on recorded computers, planned for real: it keeps what it promises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inference.planning.advice import Sibling, advise
from inference.planning.estimate import EstimateOracle
from inference.planning.machine import machine_from, usable_accelerators
from inference.planning.planner import make_plan
from inference.planning.speeds import accelerator_speed, cpu_speed_from_facts
from inference.planning.values import Advice, Machine, PlanAnswer, Wish
from inference.planning.verdict import improves
from models_catalog.gguf.header import GgufHeader
from tests.inference.planning.headers import dense
from tests.machines import is_windows, machines


def _machine(name: str) -> Machine:
    profile = machines()[name]
    speeds = {one.engine_device or "": accelerator_speed(one) for one in usable_accelerators(profile)}
    return machine_from(
        profile,
        cpu_speed=cpu_speed_from_facts(profile.cpu, profile.memory),
        device_speeds=speeds,
        disk_bytes_per_second=2e9,
        processes=(("browser", 1_500_000_000),),
        windows=is_windows(profile),
    )


def _qwen3_8b() -> GgufHeader:
    return dense(layers=36, width=4096, feed_forward=12288, heads=32, kv_heads=8, head_width=128, vocabulary=151936)


def _llama_70b() -> GgufHeader:
    return dense(
        architecture="llama",
        layers=80,
        width=8192,
        feed_forward=28672,
        heads=64,
        kv_heads=8,
        head_width=128,
        vocabulary=128256,
    )


class _Planner:
    def __init__(self, header: GgufHeader) -> None:
        self._header, self._oracle = header, EstimateOracle(header)

    def __call__(self, wish: Wish, machine: Machine) -> PlanAnswer:
        return make_plan(model_path="", header=self._header, machine=machine, wish=wish, oracle=self._oracle)


def _changed(wish: Wish, advice: Advice) -> Wish | None:
    match advice.kind:
        case "context":
            return replace(wish, context_tokens=int(advice.fields["context_tokens"]))
        case "kv":
            return replace(wish, kv_type_k="q8_0", kv_type_v="q8_0")
        case "batch":
            return replace(wish, batch_tokens=int(advice.fields["batch_tokens"]))
        case "parallel":
            return replace(wish, parallel=int(advice.fields["parallel"]))
        case _:
            return None


@pytest.mark.parametrize(
    ("name", "wish"),
    [
        ("desktop_rtx4060_16gb", Wish(context_tokens=16384)),
        ("laptop_office_8gb", Wish(context_tokens=8192)),
        ("desktop_no_gpu_32gb", Wish(context_tokens=32768, parallel=4)),
    ],
)
def test_what_is_advised_helps(name: str, wish: Wish) -> None:
    machine, planner, header = _machine(name), _Planner(_qwen3_8b()), _qwen3_8b()
    before = planner(wish, machine)
    assert before.verdict != "fits"
    siblings = (Sibling(quantization="Q2_K", weight_bytes=header.weight_bytes // 2),)
    found = advise(before, wish=wish, machine=machine, replan=planner, siblings=siblings)
    assert found
    for advice in found:
        changed = _changed(wish, advice)
        if changed is not None and advice.makes_fit:
            assert improves(before.verdict, planner(changed, machine).verdict), advice


def test_a_hopeless_model_needs_other_hardware() -> None:
    machine, planner = _machine("laptop_office_8gb"), _Planner(_llama_70b())
    before = planner(Wish(), machine)
    assert before.verdict == "larger_than_memory"
    found = advise(before, wish=Wish(), machine=machine, replan=planner)
    assert [(advice.kind, advice.fields) for advice in found] == [("memory", {"memory_gb": 64})]
