"""What a plan leaves alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.planning.reserves import (
    GIB,
    MIB,
    device_reserve_bytes,
    host_reserve_bytes,
    idle_device_bytes,
    idle_host_bytes,
)


@pytest.mark.parametrize(
    ("total_gib", "reserve_mib"), [(2, 384), (4, 768), (8, 1536), (16, 1536), (32, 2621), (64, 5242), (128, 10485)]
)
def test_the_host_keeps_a_share_of_small_and_of_large_memory(total_gib: int, reserve_mib: int) -> None:
    assert host_reserve_bytes(total_gib * GIB, limited_by_group=False) // MIB == reserve_mib


@pytest.mark.parametrize(("limit_gib", "reserve_mib"), [(1, 128), (2, 128), (4, 256), (8, 512), (16, 1024)])
def test_a_control_group_keeps_less_for_nobody_else_lives_in_it(limit_gib: int, reserve_mib: int) -> None:
    assert host_reserve_bytes(limit_gib * GIB, limited_by_group=True) // MIB == reserve_mib


@given(st.integers(0, 4096 * GIB), st.booleans())
def test_a_reserve_never_is_all_there_is(total: int, group: bool) -> None:
    reserve = host_reserve_bytes(total, limited_by_group=group)
    assert 0 <= reserve <= max(total / 5, 128 * MIB)
    assert reserve <= host_reserve_bytes(total, limited_by_group=False)


@pytest.mark.parametrize(
    ("total_gib", "name", "display", "windows", "reserve_mib"),
    [
        (8, "CUDA0", False, False, 256 + 350),
        (8, "CUDA0", True, False, 400 + 350),
        (8, "CUDA1", True, True, 700 + 350),
        (80, "CUDA0", False, False, 2457 + 350),
        (16, "Vulkan0", True, True, 700 + 128),
        (16, "Strange0", False, False, 491 + 350),
    ],
)
def test_a_device_keeps_for_display_and_back_end(
    total_gib: int, name: str, display: bool, windows: bool, reserve_mib: int
) -> None:
    reserve = device_reserve_bytes(total_gib * GIB, name=name, display=display, windows=windows)
    assert reserve // MIB == reserve_mib


def test_what_was_learned_takes_the_place_of_the_first_guess() -> None:
    guess = device_reserve_bytes(8 * GIB, name="CUDA0", display=False, windows=False)
    learned = device_reserve_bytes(8 * GIB, name="CUDA0", display=False, windows=False, learned_bytes=500 * MIB)
    assert learned - guess == 150 * MIB


@pytest.mark.parametrize(("total_gib", "system_mib"), [(4, 1024), (8, 1228), (16, 2457), (32, 3072), (128, 3072)])
def test_an_idle_system_takes_its_share(total_gib: int, system_mib: int) -> None:
    assert (total_gib * GIB - idle_host_bytes(total_gib * GIB)) // MIB == system_mib


def test_nothing_is_free_of_nothing() -> None:
    assert idle_host_bytes(512 * MIB) == 0
    assert idle_device_bytes(0) == 0
    assert idle_device_bytes(24 * GIB) // MIB == 24 * 1024 - 492
