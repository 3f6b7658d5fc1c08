"""Which quantization is offered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.planning.quantizations import (
    QUALITY,
    Quantization,
    base_name,
    choose_quantization,
    next_to_plan,
    quality_ranks,
)
from inference.planning.values import Verdict
from inference.planning.verdict import ORDER
from tests.inference.planning.bills import answer

_BYTES = {name: 1000 - index for index, name in enumerate(QUALITY)}


def _choose(*candidates: tuple[str, Verdict, float], full_precision: bool = False) -> str | None:
    made = [
        Quantization(name=name, weight_bytes=_BYTES.get(base_name(name), 0), answer=answer(verdict, decode=speed))
        for name, verdict, speed in candidates
    ]
    chosen = choose_quantization(made, full_precision=full_precision)
    return None if chosen is None else candidates[chosen][0]


def test_the_best_that_fits_and_can_be_read_along() -> None:
    assert _choose(("Q4_K_M", "fits", 30), ("Q6_K", "fits", 22), ("Q8_0", "does_not_fit", 15)) == "Q6_K"
    assert (
        _choose(("Q8_0", "fits", 6), ("Q6_K", "fits", 7.5), ("Q5_K_M", "fits", 8.5), ("Q4_K_M", "fits", 10)) == "Q5_K_M"
    )


def test_full_precision_only_when_asked_for_or_alone() -> None:
    both: tuple[tuple[str, Verdict, float], ...] = (("F16", "fits", 20.0), ("Q8_0", "fits", 35.0))
    assert _choose(*both) == "Q8_0"
    assert _choose(*both, full_precision=True) == "F16"
    assert _choose(("BF16", "fits", 20)) == "BF16"


def test_twice_the_speed_is_worth_a_loss_that_nobody_notices() -> None:
    assert _choose(("Q8_0", "partly_on_cpu", 9), ("Q6_K", "fits", 40), ("Q4_K_M", "fits", 55)) == "Q6_K"
    assert _choose(("Q8_0", "fits", 30), ("Q4_K_M", "fits", 50)) == "Q8_0"
    # Below Q4_K_M the loss is noticed.
    assert _choose(("Q4_K_M", "partly_on_cpu", 9), ("IQ4_XS", "fits", 40)) == "Q4_K_M"


def test_room_is_worth_it_too() -> None:
    assert _choose(("Q8_0", "tight", 30), ("Q6_K", "fits", 35)) == "Q6_K"
    assert _choose(("Q4_K_M", "tight", 30), ("Q3_K_M", "fits", 35)) == "Q4_K_M"


def test_slow_computers_are_not_talked_into_answers_that_are_worse_to_see() -> None:
    assert _choose(("Q8_0", "fits", 2.7), ("Q5_K_M", "fits", 4.3), ("Q4_K_M", "fits", 4.9), ("Q2_K", "fits", 9)) == (
        "Q4_K_M"
    )
    # Too slow to bear, and there is one that can be read along.
    assert _choose(("Q4_K_M", "partly_on_cpu", 3), ("Q3_K_M", "partly_on_cpu", 5), ("Q2_K", "fits", 30)) == "Q2_K"
    # All are slow: the best that is not much slower than the fastest.
    assert _choose(("Q8_0", "fits", 1.5), ("Q4_K_M", "fits", 2.7), ("Q2_K", "fits", 4)) == "Q4_K_M"


def test_all_on_the_card_before_better_ones_that_lean_on_the_processor() -> None:
    assert _choose(("Q6_K", "partly_on_cpu", 13), ("Q5_K_M", "partly_on_cpu", 15), ("Q4_K_M", "tight", 23)) == "Q4_K_M"


def test_a_usual_context_before_better_answers() -> None:
    short, usual, roomy = (
        Quantization(name=name, weight_bytes=size, answer=answer("tight", context_tokens=context))
        for name, size, context in (("Q6_K", 7, 4096), ("Q5_K_M", 6, 8192), ("Q4_K_M", 5, 16384))
    )
    assert choose_quantization([short, usual, roomy]) == 1


def test_nothing_that_has_to_be_read_from_disk() -> None:
    assert _choose(("Q8_0", "does_not_fit", 2), ("Q4_K_M", "larger_than_memory", 0.2)) is None
    assert _choose() is None


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("UD-Q4_K_XL", "Q4_K_M"),
        ("Q6_K_L", "Q6_K"),
        ("Q3_K_L", "Q3_K_L"),
        ("q4_k_m", "Q4_K_M"),
        ("MXFP4_MOE", "MXFP4"),
        ("i1-IQ2_XXS", "IQ2_XXS"),
        ("SOMETHING", "SOMETHING"),
    ],
)
def test_publishers_names(name: str, base: str) -> None:
    assert base_name(name) == base


def test_an_unknown_name_is_placed_by_its_size() -> None:
    made = [
        Quantization(name=name, weight_bytes=size, answer=answer("fits"))
        for name, size in (("Q8_0", 80), ("NEW", 60), ("Q4_K_M", 45))
    ]
    ranks = quality_ranks(made)
    assert ranks[0] < ranks[1] < ranks[2]


@given(st.lists(st.tuples(st.sampled_from([*QUALITY, "NEW"]), st.sampled_from(ORDER), st.floats(0.1, 200)), max_size=8))
def test_what_is_offered_can_be_run(candidates: list[tuple[str, Verdict, float]]) -> None:
    made = [
        Quantization(name=name, weight_bytes=_BYTES.get(name, 500), answer=answer(verdict, decode=speed))
        for name, verdict, speed in candidates
    ]
    chosen = choose_quantization(made)
    in_memory = [verdict in ("fits", "tight", "partly_on_cpu") for _, verdict, _ in candidates]
    assert (chosen is None) == (not any(in_memory))
    assert chosen is None or in_memory[chosen]


@given(
    names=st.lists(st.sampled_from(QUALITY), min_size=1, max_size=8, unique=True),
    speeds=st.lists(st.integers(5, 600).map(lambda tenths: tenths / 10), min_size=8, max_size=8, unique=True),
    verdicts=st.lists(st.sampled_from(ORDER), min_size=8, max_size=8),
    contexts=st.lists(st.sampled_from([1024, 4096, 8192]), min_size=8, max_size=8),
)
def test_as_few_plans_as_the_choice_needs_lead_to_the_same_choice(
    names: list[str], speeds: list[float], verdicts: list[Verdict], contexts: list[int]
) -> None:
    """Best first: slower, in memory only if lesser ones are, and with no more context."""
    names.sort(key=QUALITY.index)
    by_order = sorted(verdicts[: len(names)], key=ORDER.index, reverse=True)
    measured = zip(sorted(speeds), by_order, sorted(contexts), strict=False)
    whole: list[Quantization] = []
    for name, (speed, verdict, context) in zip(names, measured, strict=False):
        plan = answer(verdict, decode=speed)
        plan = replace(plan, plan=replace(plan.plan, context_tokens=context))
        # Less than twice as many weights are never half as fast: weights are in proportion to the time they take.
        whole.append(Quantization(name=name, weight_bytes=int(1e9 / speed), answer=plan))
    planned: dict[int, Quantization] = {}
    while (index := next_to_plan(whole, planned)) is not None:
        assert index not in planned
        planned[index] = whole[index]
    order = list(planned)
    chosen = choose_quantization([planned[index] for index in order])
    assert (None if chosen is None else order[chosen]) == choose_quantization(whole)


def test_a_clear_choice_needs_one_plan_or_two() -> None:
    def plans_for(*speeds: float) -> list[str]:
        names = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q2_K")
        whole = [
            Quantization(name=name, weight_bytes=int(1e9 / speed), answer=answer("fits", decode=speed))
            for name, speed in zip(names, speeds, strict=True)
        ]
        planned: dict[int, Quantization] = {}
        while (index := next_to_plan(whole, planned)) is not None:
            planned[index] = whole[index]
        return [one.name for one in planned.values()]

    assert plans_for(30, 35, 40, 50, 60) == ["Q4_K_M", "Q8_0"]
    assert plans_for(3, 4, 5, 6, 7) == ["Q4_K_M"]
    assert plans_for(1, 1.5, 2, 3, 9) == ["Q4_K_M", "Q2_K"]
