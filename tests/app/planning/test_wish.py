from __future__ import annotations

import pytest

from app.errors import WishInvalid
from app.plan_values import PlanWish
from app.planning.wish import planner_wish
from inference.planning.values import Wish


def test_what_is_not_fixed_stays_open() -> None:
    assert planner_wish(PlanWish()) == Wish()


def test_every_number_arrives() -> None:
    wish = PlanWish(
        context=4096,
        parallel=2,
        kv="q8_0",
        flash_attention=True,
        swa_full=False,
        batch=256,
        gpu_layers=0,
        threads=3,
        mmap=True,
        gpus=("RTX 4060",),
        ram="16G",
    )
    assert planner_wish(wish) == Wish(
        context_tokens=4096,
        parallel=2,
        kv_type_k="q8_0",
        kv_type_v="q8_0",
        flash_attention=True,
        swa_full=False,
        batch_tokens=256,
        gpu_layers=0,
        decode_threads=3,
        memory_map=True,
    )


@pytest.mark.parametrize(
    "wish",
    [
        PlanWish(context=0),
        PlanWish(context=10**9),
        PlanWish(parallel=0),
        PlanWish(batch=1),
        PlanWish(gpu_layers=-1),
        PlanWish(threads=0),
        PlanWish(kv="q3"),
        PlanWish(kv="q8_0", flash_attention=False),
    ],
)
def test_what_no_plan_can_be_made_around_is_refused(wish: PlanWish) -> None:
    with pytest.raises(WishInvalid):
        planner_wish(wish)
