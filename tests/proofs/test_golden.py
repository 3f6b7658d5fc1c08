"""The recorded plans: a sample is made again, and all of them keep what any sensible plan keeps."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from inference.backends.llama_cpp.breakdown import readable
from models_catalog.plan_library import published_models
from tests.inference.backends.virtual import CALLBACKS, DEVICES
from tests.machines import machines
from tests.proofs.golden import MODELS, OFFERED, cases, key_of, recorded
from tests.proofs.golden_lines import Case, Planner

# Of one family and quantization, from the smallest on: never faster than the one before on the same computer.
FAMILIES = (
    tuple(f"qwen2.5-{size}b-instruct" for size in ("0.5", "1.5", "7", "14", "32", "72")),
    ("qwen3-1.7b", "qwen3-4b", "qwen3-8b", "qwen3-14b", "qwen3-32b"),
    ("qwen3-30b-a3b", "qwen3-235b-a22b"),
    ("glm-4-9b-0414", "glm-4-32b-0414"),
    ("llama-2-7b-chat", "llama-2-70b-chat"),
)
# The same kind of computer with more, or faster, graphics memory: never slower than the one before.
COMPUTERS = (
    ("desktop_rtx3060_32gb", "desktop_rtx3090_64gb", "desktop_rtx4090_128gb", "desktop_rtx5090_96gb"),
    ("desktop_rtx3090_64gb", "workstation_2x_rtx3090_128gb"),
)
# Different contexts and layouts make a little difference.
_TOLERANCE = 1.05
# Where a disk is read, it decides, not the card.
_FROM_DISK = frozenset({"larger_than_memory", "does_not_fit"})
_SAMPLE_MODELS = ("qwen3-30b-a3b", "qwen2.5-1.5b-instruct", "qwen3-8b")
_BAR = re.compile(r"(\S+) ([\d.]+)(?:\+([\d.]+))? / ([\d.]+) GB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the tests look at. choices: verdict, context, cache, batch, placement. bars: (name, GB held, its budget)."""

    key: str
    choices: tuple[str, ...]
    verdict: str
    context: int
    bars: tuple[tuple[str, float, float], ...]
    decode: float
    prefill: float
    reasons: tuple[str, ...]


def parsed(text: str) -> Line:
    """A line of the file."""
    parts = text.split(" | ")
    return Line(
        key=key_of(text),
        choices=tuple(parts[3:8]),
        verdict=parts[3],
        context=int(parts[4]),
        bars=tuple((name, float(held), float(budget)) for name, held, _, budget in _BAR.findall(parts[8])),
        decode=float(parts[9].split()[0]),
        prefill=float(parts[10].split()[0]),
        reasons=tuple(parts[11].split()),
    )


# Computers to which nothing can be offered have a line without a plan.
LINES = {key: parsed(text) for key, text in recorded().items() if text.count(" | ") > 4}


def _sample() -> list[Case]:
    """Every computer once, every other one twice, with a few models: whose dry runs are shared."""
    return [
        Case(machine=name, model=model)
        for offset, model in enumerate(_SAMPLE_MODELS)
        for number, name in enumerate(machines())
        if number % 2 == offset % 2
    ]


@pytest.fixture(scope="module")
def planner() -> Iterator[Planner]:
    made = Planner(DEVICES, CALLBACKS)
    yield made
    made.close()


@pytest.mark.skipif(not readable(), reason="the C++ layout of this platform is not known")
@pytest.mark.parametrize("case", _sample(), ids=lambda case: case.key)
def test_plans_are_those_that_were_reviewed(planner: Planner, case: Case) -> None:
    """After a change that is meant: `python -m tests.proofs.golden --write`, and read what differs.

    Choices are the same; figures may move a little, for they are calibrated again and again.
    """
    made, reviewed = parsed(planner.line(case, with_advice=False)), LINES[case.key]
    assert (made.choices, made.reasons) == (reviewed.choices, reviewed.reasons)
    for bar, before in zip(made.bars, reviewed.bars, strict=True):
        assert bar[1] == pytest.approx(before[1], rel=0.02, abs=0.05)
    assert (made.decode, made.prefill) == pytest.approx((reviewed.decode, reviewed.prefill), rel=0.06)


def test_every_case_is_recorded() -> None:
    assert set(recorded()) == {case.key for case in cases()}
    assert len(machines()) >= 20 and len(MODELS) >= 30
    assert set(MODELS) | set(OFFERED) <= set(published_models())


def test_budgets_are_kept() -> None:
    for line in LINES.values():
        if line.verdict != "does_not_fit":
            assert all(held <= budget for _, held, budget in line.bars), line


def test_nothing_is_refused_for_a_context_that_nobody_asked_for() -> None:
    for line in LINES.values():
        if line.verdict == "does_not_fit":
            assert line.context <= 2048, line


def test_no_context_takes_long_to_read() -> None:
    """Five minutes with what other figures the plan was made by (speed falls with depth)."""
    for line in LINES.values():
        assert line.context <= 4096 or line.context / line.prefill <= 300, line


def _case(machine: str, model: str) -> Line:
    return LINES[Case(machine=machine, model=model).key]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family[0])
def test_larger_models_are_not_faster(family: tuple[str, ...]) -> None:
    for machine in machines():
        for smaller, larger in itertools.pairwise(family):
            assert _case(machine, larger).decode <= _case(machine, smaller).decode * _TOLERANCE, (machine, larger)


@pytest.mark.parametrize("computers", COMPUTERS, ids=lambda computers: computers[0])
def test_more_graphics_memory_is_not_slower(computers: tuple[str, ...]) -> None:
    for model in MODELS:
        for lesser, better in itertools.pairwise(computers):
            before, after = _case(lesser, model), _case(better, model)
            if before.verdict not in _FROM_DISK and after.verdict not in _FROM_DISK:
                assert after.decode * _TOLERANCE >= before.decode, (model, lesser, better)


def test_reasons_are_true() -> None:
    for line in LINES.values():
        apart = {"experts_on_host", "ffn_on_host"} & set(line.reasons)
        assert not (apart and {"all_on_device", "all_on_devices"} & set(line.reasons)), line
        if "no_device" in line.reasons:
            assert len(line.bars) == 1, line
