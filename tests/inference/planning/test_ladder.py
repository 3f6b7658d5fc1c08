"""The ladder: mildest rung first, only what the planner chose, and it always ends."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from inference.planning.ladder import (
    AllocationFailedAtLoad,
    Failure,
    OutOfMemoryInUse,
    OverBudget,
    Step,
    step_down,
)
from inference.planning.values import HOST, Limits
from inference.values import LoadPlan
from resources import wording
from tests.inference.planning.bills import ON_CARD, plan

_MIB = 1024**2
_FIELDS = ("batch_tokens", "kv_type_k", "kv_type_v", "flash_attention", "gpu_layers", "memory_map", "context_tokens")


def _walk(start: LoadPlan, failure: Failure, most: int = 500) -> list[Step]:
    """All steps, when the planner obeys each limit but the devices' (which it answers by moving layers)."""
    steps: list[Step] = []
    limits, now = Limits(), start
    while (step := step_down(now, limits, failure)) is not None:
        steps.append(step)
        assert len(steps) < most
        limits = step.limits
        kind = limits.kv_type or now.kv_type_k
        now = replace(
            now,
            batch_tokens=min(now.batch_tokens, limits.batch_tokens or now.batch_tokens),
            kv_type_k=kind,
            kv_type_v=kind,
            context_tokens=min(now.context_tokens, (limits.context_tokens or 10**9) * now.parallel),
        )
    return steps


def test_the_order_on_a_card() -> None:
    steps = _walk(plan(placement=ON_CARD), AllocationFailedAtLoad(device="CUDA0"))
    kinds = list(dict.fromkeys(step.changed.kind for step in steps))
    assert kinds == ["batch", "kv", "device", "context"]
    assert [step.limits.batch_tokens for step in steps[:2]] == [256, 128]
    assert steps[2].limits.kv_type == "q8_0"
    assert steps[3].limits.device_bytes == {"CUDA0": 256 * _MIB}
    contexts = [step.limits.context_tokens for step in steps if step.changed.kind == "context"]
    assert contexts == [4096, 2048, 1024]


def test_the_order_on_the_processor() -> None:
    steps = _walk(plan(memory_map=True), OutOfMemoryInUse())
    kinds = [step.changed.kind for step in steps]
    assert kinds == ["batch", "batch", "context", "context", "context", "kv"]
    copied = step_down(plan(batch_tokens=128), Limits(), OutOfMemoryInUse(device=HOST))
    assert copied is not None and copied.changed.kind == "host"


def test_a_device_is_trusted_with_as_much_less_as_it_was_over() -> None:
    small = plan(placement=ON_CARD, batch_tokens=128, kv_type_k="q8_0", kv_type_v="q8_0")
    step = step_down(small, Limits(device_bytes={"CUDA0": 100 * _MIB}), OverBudget(device="CUDA0", by_bytes=700 * _MIB))
    assert step is not None
    assert step.limits.device_bytes == {"CUDA0": 800 * _MIB}
    assert step.changed.fields == {"device": "CUDA0", "less_bytes": 700 * _MIB}


def test_an_unknown_device_means_all_of_them() -> None:
    both = replace(ON_CARD, devices=("CUDA0", "CUDA1"), tensor_split=(1.0, 1.0))
    small = plan(placement=both, batch_tokens=128, kv_type_k="q8_0", kv_type_v="q8_0")
    step = step_down(small, Limits(), AllocationFailedAtLoad())
    assert step is not None and set(step.limits.device_bytes) == {"CUDA0", "CUDA1"}


def test_contexts_are_those_of_one_conversation() -> None:
    step = step_down(
        plan(context_tokens=4 * 8192, parallel=4, batch_tokens=128, memory_map=True), Limits(), OutOfMemoryInUse()
    )
    assert step is not None and step.limits.context_tokens == 4096
    assert step.changed.fields == {"before_tokens": 8192, "after_tokens": 4096}


def test_a_large_batch_comes_down_to_the_usual_one_first() -> None:
    step = step_down(plan(batch_tokens=2048), Limits(), OutOfMemoryInUse())
    assert step is not None and step.limits.batch_tokens == 512


def test_what_the_user_fixed_stays() -> None:
    assert step_down(plan(user=_FIELDS), Limits(), OutOfMemoryInUse()) is None
    assert step_down(plan(user=_FIELDS, placement=ON_CARD), Limits(), OverBudget(device="CUDA0", by_bytes=1)) is None
    kinds = {step.changed.kind for step in _walk(plan(user=("context_tokens",), placement=ON_CARD), OutOfMemoryInUse())}
    assert kinds == {"batch", "kv", "device"}
    without_flash = plan(user=("flash_attention",), flash_attention=False, placement=ON_CARD)
    assert "kv" not in {step.changed.kind for step in _walk(without_flash, OutOfMemoryInUse())}


@given(
    user=st.sets(st.sampled_from(_FIELDS)),
    on_card=st.booleans(),
    batch=st.sampled_from([32, 128, 200, 512, 4096]),
    context=st.integers(min_value=256, max_value=2**20),
    parallel=st.integers(min_value=1, max_value=64),
    memory_map=st.booleans(),
    kind=st.sampled_from(["f16", "q8_0", "q4_0"]),
    failure=st.one_of(
        st.builds(AllocationFailedAtLoad, device=st.sampled_from([None, HOST, "CUDA0", "gone"])),
        st.builds(OutOfMemoryInUse, device=st.sampled_from([None, HOST, "CUDA0"])),
        st.builds(OverBudget, device=st.sampled_from([HOST, "CUDA0"]), by_bytes=st.integers(0, 2**40)),
    ),
    obeyed=st.booleans(),
)
def test_it_always_ends(
    user: set[str],
    on_card: bool,
    batch: int,
    context: int,
    parallel: int,
    memory_map: bool,
    kind: str,
    failure: Failure,
    obeyed: bool,
) -> None:
    """Also when the planner changes nothing at all."""
    start = plan(
        user=tuple(user),
        batch_tokens=batch,
        context_tokens=context,
        parallel=parallel,
        memory_map=memory_map,
        kv_type_k=kind,
        kv_type_v=kind,
        **({"placement": ON_CARD} if on_card else {}),
    )
    if obeyed:
        steps = _walk(start, failure)
    else:
        limits, steps = Limits(), []
        while (step := step_down(start, limits, failure)) is not None:
            assert step.limits != limits
            steps.append(step)
            limits = step.limits
            assert len(steps) < 500
    for step in steps:
        assert step.limits.context_tokens is None or step.limits.context_tokens >= 1024
        for language in ("zh", "en"):
            assert wording.text(f"plan.ladder.{step.changed.kind}", language, **step.changed.fields)
