"""Everything that a plan says has its words."""

from __future__ import annotations

from typing import get_args

import pytest

from inference.planning.values import Basis, SpeedOrigin, Verdict
from resources import wording

_BILL = (
    *("weights", "kv", "state", "compute", "output", "vocabulary", "work", "process", "projector", "draft"),
    *("context", "pool", "reserve", "others", "free"),
)


@pytest.mark.parametrize(
    "key",
    [
        *(f"{table}.{verdict}" for table in ("verdict", "verdict_sentence") for verdict in get_args(Verdict)),
        *(f"{table}.{basis}" for table in ("basis", "basis_sentence") for basis in get_args(Basis)),
        *(f"origin.{origin}" for origin in get_args(SpeedOrigin)),
        *(f"bill.{kind}" for kind in _BILL),
        "ladder.quantization",
        "ladder.nothing_left",
    ],
)
def test_words(key: str) -> None:
    assert wording.entry(f"plan.{key}")
