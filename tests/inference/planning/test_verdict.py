"""One word for a plan."""

from __future__ import annotations

from inference.planning.values import HOST
from inference.planning.verdict import ORDER, improves, judge
from inference.values import Override, Placement
from tests.inference.planning.bills import ON_CARD, bill, machine, plan


def test_room_is_a_share_or_a_gibibyte() -> None:
    here = machine(ram_gib=16)  # 14.5 GiB may be taken
    assert judge(bill(here, (10, 1, 0.5)), plan(), here) == "fits"
    # 15 % of the budget would be 2.2 GiB, but one GiB is enough.
    assert judge(bill(here, (12, 1, 0.5)), plan(), here) == "fits"
    assert judge(bill(here, (12.2, 1, 0.5)), plan(), here) == "tight"
    assert judge(bill(here, (13.2, 1, 0.5)), plan(), here) == "does_not_fit"
    small = machine(ram_gib=4)  # 2.5 GiB: 15 % are 0.375
    assert judge(bill(small, (1.5, 0.5, 0.1)), plan(), small) == "fits"
    assert judge(bill(small, (1.6, 0.5, 0.1)), plan(), small) == "tight"


def test_every_used_device_needs_room() -> None:
    here = machine(ram_gib=32, card_gib=8)  # 7.5 GiB may be taken on the card
    on_card = plan(placement=ON_CARD)
    assert judge(bill(here, (0.2, 0, 0.1), (5, 1, 0.4)), on_card, here) == "fits"
    assert judge(bill(here, (0.2, 0, 0.1), (6, 1, 0.4)), on_card, here) == "tight"
    assert judge(bill(here, (0.2, 0, 0.1), (6, 1, 0.6)), on_card, here) == "does_not_fit"


def test_a_full_card_that_is_not_used_does_not_matter() -> None:
    here = machine(ram_gib=32, card_gib=0.6)
    asked = plan(user=("gpu_layers",))
    assert judge(bill(here, (4, 1, 0.5)), asked, here) == "fits"


def test_layers_on_the_processor() -> None:
    here = machine(ram_gib=32, card_gib=8)
    half = plan(placement=Placement(devices=("CUDA0",), gpu_layers=20))
    assert judge(bill(here, (4, 1, 0.5), (5, 1, 0.4)), half, here) == "partly_on_cpu"
    spilled = plan(
        placement=Placement(devices=("CUDA0",), gpu_layers=99, overrides=(Override(pattern="x", device=HOST),))
    )
    assert judge(bill(here, (4, 0, 0.5), (5, 1, 0.4)), spilled, here) == "partly_on_cpu"
    # The table of the input always lies on the host, and costs no time there.
    assert judge(bill(here, (4, 0, 0.5), (5, 1, 0.4)), plan(placement=ON_CARD), here) == "fits"
    # Too large for the card altogether.
    assert judge(bill(here, (9, 1, 0.5)), plan(), here) == "partly_on_cpu"


def test_memory_that_is_shared_is_counted_once() -> None:
    here = machine(ram_gib=16, card_gib=10, shared=True)
    both = bill(here, (6, 0.5, 0.5), (7, 0.5, 0.5))
    assert judge(both, plan(placement=ON_CARD), here) == "does_not_fit"
    # Computing beside a shared card is no worse place.
    assert judge(bill(here, (4, 1, 0.5)), plan(), here) == "fits"


def test_mapped_weights_beyond_memory_are_read_again_and_again() -> None:
    here = machine(ram_gib=16)
    mapped = plan(memory_map=True)
    assert judge(bill(here, (30, 1, 0.5), soft=30), mapped, here) == "larger_than_memory"
    assert judge(bill(here, (14, 1, 0.5), soft=14), mapped, here) == "tight"
    assert judge(bill(here, (9, 1, 0.5), soft=9), mapped, here) == "fits"
    # What has to stay in memory is too much by itself.
    assert judge(bill(here, (30, 14, 1), soft=30), mapped, here) == "does_not_fit"


def test_order() -> None:
    assert improves("does_not_fit", "tight") and not improves("fits", "fits")
    assert ORDER[0] == "fits" and ORDER[-1] == "does_not_fit"
