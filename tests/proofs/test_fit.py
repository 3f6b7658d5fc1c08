"""The planner against what llama.cpp's fitter chose (recorded by `python -m tests.proofs.fit --record`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.backends.llama_cpp.breakdown import readable
from tests.inference.backends.virtual import CALLBACKS, DEVICES
from tests.proofs.fit import Comparison, read_placements
from tests.proofs.fit_cases import CASES, Case

PLACEMENTS = read_placements((Path(__file__).parent / "fit_placements.json").read_text(encoding="utf-8"))
# One of each kind; the command compares all.
QUICK = (
    "qwen3-8b Q4_K_M 8192 on 5 GiB",
    "qwen3-8b Q4_K_M 8192 on 3+3 GiB",
    "qwen3-30b-a3b Q4_K_M 8192 on 7 GiB",
    "deepseek-v2-lite-chat Q4_K_M 8192 on 7 GiB",
    "gemma-3-4b-it Q4_K_M 8192 on 2 GiB",
    "rwkv7-g1-2.9b Q4_K_M 8192 on 1.5 GiB",
)


@pytest.mark.skipif(not readable(), reason="the C++ layout of this platform is not known")
@pytest.mark.parametrize("case", [case for case in CASES if case.name in QUICK], ids=lambda case: case.name)
def test_never_slower_than_the_fitter_and_within_the_budget(case: Case) -> None:
    comparison = Comparison(case, DEVICES, CALLBACKS)
    row = comparison.row(PLACEMENTS[case.name])
    comparison.oracle.close()
    assert row.kept_budget
    assert not row.missed, (row.ours, row.theirs)


def test_every_case_was_recorded() -> None:
    assert set(PLACEMENTS) == {case.name for case in CASES} and set(QUICK) <= set(PLACEMENTS)
