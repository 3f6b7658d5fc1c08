"""From a hardware profile, or from a question, to the machine that is planned on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_probe.gpu_facts import GpuFacts, GpuFound, find_gpu
from hardware_probe.values import Accelerator, AcceleratorUser, Cpu, HardwareProfile, Memory
from inference.planning.machine import has_back_end, machine_from, usable_accelerators, what_if
from inference.planning.reserves import GIB, MIB
from inference.planning.values import DeviceSpeed, Machine
from tests.inference.planning.speed_values import speed

CPU = Cpu(
    name="a processor",
    physical_cores=8,
    logical_cores=16,
    usable_cores=8,
    usable_threads=16,
    quota_cores=None,
    performance_cores=8,
)
CARD = Accelerator(
    name="NVIDIA GeForce RTX 4060",
    vendor="nvidia",
    kind="discrete",
    total_bytes=8 * GIB,
    free_bytes=7 * GIB,
    engine_device="CUDA0",
    display_attached=False,
)
INTEGRATED = Accelerator(
    name="AMD Radeon 780M Graphics",
    vendor="amd",
    kind="integrated",
    total_bytes=8 * GIB,
    free_bytes=8 * GIB,
    shares_host_memory=True,
    engine_device="Vulkan0",
)


def profile(*accelerators: Accelerator, total: int = 16, available: int = 10, group: bool = False) -> HardwareProfile:
    memory = Memory(total_bytes=total * GIB, available_bytes=available * GIB, limited_by_group=group)
    return HardwareProfile(cpu=CPU, memory=memory, disk=None, accelerators=accelerators, issues=())


def machine(found: HardwareProfile, **options: Any) -> Machine:
    speeds: Mapping[str, DeviceSpeed] = options.pop(
        "device_speeds", {one.engine_device or "": speed(read=272e9) for one in found.accelerators}
    )
    return machine_from(found, cpu_speed=speed(), device_speeds=speeds, disk_bytes_per_second=2e9, **options)


def facts(text: str) -> list[GpuFacts]:
    found = find_gpu(text)
    assert isinstance(found, GpuFound), found
    return [found.facts] * found.count


def asked(text: str, base: Machine | None = None, **options: Any) -> Machine:
    return what_if(base or machine(profile()), gpus=facts(text), speed_of=of_facts, **options)


def of_facts(card: GpuFacts, name: str) -> DeviceSpeed:
    assert name[-1].isdigit()
    return speed(read=card.memory_bytes_per_second)


# ---- this computer --------------------------------------------------------------------------------------------------


def test_the_host_is_what_was_found() -> None:
    host = machine(profile()).host
    assert (host.name, host.total_bytes, host.free_bytes) == ("a processor", 16 * GIB, 10 * GIB)
    assert host.budget_bytes == 10 * GIB - 1536 * MIB
    assert (host.decode_threads, host.batch_threads, host.threads_reason) == (7, 8, "one_core_free")
    assert host.repack
    assert host.disk_bytes_per_second == 2e9


def test_a_container_keeps_less_in_reserve() -> None:
    host = machine(profile(total=2, available=1, group=True)).host
    assert host.reserve_bytes == 128 * MIB


def test_nothing_known_is_nothing_to_plan_with() -> None:
    host = machine(HardwareProfile(cpu=None, memory=None, disk=None, accelerators=(), issues=())).host
    assert (host.name, host.budget_bytes, host.decode_threads) == ("CPU", 0, 1)


def test_a_card_becomes_a_device() -> None:
    (device,) = machine(profile(CARD)).devices
    assert (device.name, device.description, device.kind) == ("CUDA0", "NVIDIA GeForce RTX 4060", "discrete")
    assert (device.total_bytes, device.free_bytes) == (8 * GIB, 7 * GIB)
    assert device.budget_bytes == 7 * GIB - (256 + 350) * MIB
    assert not device.shares_host_memory


@pytest.mark.parametrize(
    "card",
    [
        replace(CARD, engine_device=None),
        replace(CARD, total_bytes=0, free_bytes=0),
        replace(CARD, total_bytes=None, free_bytes=None),
        replace(CARD, free_bytes=None),
        replace(INTEGRATED, total_bytes=None),
    ],
)
def test_a_card_without_engine_or_known_memory_is_not_planned_on(card: Accelerator) -> None:
    assert machine(profile(card)).devices == ()


def test_an_integrated_card_is_left_out_beside_another() -> None:
    assert usable_accelerators(profile(INTEGRATED, CARD)) == (CARD,)
    assert usable_accelerators(profile(INTEGRATED)) == (INTEGRATED,)
    assert usable_accelerators(profile(INTEGRATED, replace(CARD, engine_device=None))) == (INTEGRATED,)


def test_a_device_is_taken_once() -> None:
    assert len(machine(profile(CARD, replace(CARD, name="the same"))).devices) == 1


def test_more_free_than_there_is_is_not_believed() -> None:
    (device,) = machine(profile(replace(CARD, free_bytes=9 * GIB))).devices
    assert device.free_bytes == device.total_bytes


def test_a_display_needs_room_and_more_on_windows() -> None:
    headless = machine(profile(CARD)).devices[0].reserve_bytes
    shown = machine(profile(replace(CARD, display_attached=True))).devices[0].reserve_bytes
    unknown = machine(profile(replace(CARD, display_attached=None))).devices[0].reserve_bytes
    windows = machine(profile(replace(CARD, display_attached=True)), windows=True).devices[0].reserve_bytes
    assert headless < shown == unknown < windows
    assert windows == (700 + 350) * MIB


def test_what_was_learned_of_a_device_replaces_the_guess() -> None:
    (device,) = machine(profile(CARD), reserves={"CUDA0": 600 * MIB}).devices
    assert device.reserve_bytes == (256 + 600) * MIB


def test_what_will_be_unloaded_counts_as_free() -> None:
    found = machine(profile(CARD), freed_bytes={"CUDA0": GIB // 2}, host_freed_bytes=2 * GIB)
    assert found.devices[0].free_bytes == 7 * GIB + GIB // 2
    assert found.host.free_bytes == 12 * GIB
    found = machine(profile(CARD), freed_bytes={"CUDA0": 5 * GIB}, host_freed_bytes=99 * GIB)
    assert found.devices[0].free_bytes == 8 * GIB
    assert found.host.free_bytes == 16 * GIB


def test_a_full_card_is_planned_on_when_its_model_goes() -> None:
    found = machine(profile(replace(CARD, free_bytes=0)), freed_bytes={"CUDA0": 6 * GIB})
    assert found.devices[0].free_bytes == 6 * GIB


def test_shared_memory_is_never_more_than_the_host_can_give() -> None:
    found = machine(profile(INTEGRATED, available=6))
    (device,) = found.devices
    assert device.shares_host_memory
    assert device.free_bytes == 6 * GIB
    assert 0 < device.budget_bytes <= found.host.budget_bytes


def test_shared_memory_is_never_more_than_its_own_limit() -> None:
    found = machine(profile(INTEGRATED, total=64, available=60))
    (device,) = found.devices
    assert device.free_bytes == 8 * GIB
    assert device.budget_bytes < 8 * GIB < found.host.budget_bytes


def test_shared_memory_of_unknown_use_is_as_free_as_the_host() -> None:
    (device,) = machine(profile(replace(INTEGRATED, free_bytes=None), available=6)).devices
    assert device.free_bytes == 6 * GIB


def test_what_a_sharing_device_frees_is_freed_on_the_host() -> None:
    found = machine(profile(INTEGRATED, available=4), freed_bytes={"Vulkan0": 3 * GIB}, host_freed_bytes=GIB)
    assert found.host.free_bytes == 8 * GIB
    assert found.devices[0].free_bytes == 8 * GIB


def test_the_faster_device_comes_first_and_equals_keep_their_order() -> None:
    slow, fast = replace(CARD, engine_device="CUDA1"), replace(CARD, engine_device="CUDA2")
    speeds = {"CUDA0": speed(read=300e9), "CUDA1": speed(read=300e9), "CUDA2": speed(read=900e9)}
    found = machine(profile(CARD, slow, fast), device_speeds=speeds)
    assert [device.name for device in found.devices] == ["CUDA2", "CUDA0", "CUDA1"]


def test_a_device_needs_a_speed() -> None:
    with pytest.raises(KeyError):
        machine(profile(CARD), device_speeds={})


def test_other_programs_are_told_by_name_largest_first() -> None:
    users = (
        AcceleratorUser(pid=1, name="chrome.exe", used_bytes=600 * MIB),
        AcceleratorUser(pid=2, name="chrome.exe", used_bytes=200 * MIB),
        AcceleratorUser(pid=3, name="dwm.exe", used_bytes=900 * MIB),
        AcceleratorUser(pid=4, name="our engine", used_bytes=3 * GIB),
        AcceleratorUser(pid=5, name="silent", used_bytes=None),
        AcceleratorUser(pid=6, name="tiny", used_bytes=5 * MIB),
    )
    processes = [("chrome.exe", 300 * MIB), ("chrome.exe", 300 * MIB), ("game.exe", 2 * GIB), ("small", MIB)]
    found = machine(profile(replace(CARD, users=users)), processes=processes, own_pids=frozenset({4}))
    assert found.other_programs == (("game.exe", 2 * GIB), ("chrome.exe", 800 * MIB))


# ---- a computer that is asked about ---------------------------------------------------------------------------------


def test_a_card_that_is_not_there() -> None:
    found = asked("RTX 4060 8GB", ram_bytes=16 * GIB)
    assert found.hypothetical and found.other_programs == ()
    (device,) = found.devices
    assert (device.name, device.description) == ("CUDA0", "NVIDIA GeForce RTX 4060")
    assert device.total_bytes == 8188 * MIB
    assert 7.5 * GIB < device.free_bytes < device.total_bytes
    assert 6 * GIB < device.budget_bytes < 7.4 * GIB
    assert device.speed == speed(read=272e9)
    assert found.host.total_bytes == 16 * GIB
    assert 11 * GIB < found.host.budget_bytes < 13 * GIB


def test_cards_take_the_place_of_those_that_are_there() -> None:
    base = machine(profile(CARD))
    assert [device.description for device in asked("RTX 3090", base).devices] == ["NVIDIA GeForce RTX 3090"]
    assert what_if(base, gpus=(), speed_of=of_facts).devices == ()


def test_only_other_main_memory() -> None:
    base = machine(profile(CARD, available=3))
    found = what_if(base, ram_bytes=64 * GIB, speed_of=of_facts)
    assert found.host.total_bytes == 64 * GIB
    assert found.host.free_bytes == 61 * GIB
    assert found.devices[0].free_bytes > base.devices[0].free_bytes


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("2x RTX 3090", ["CUDA0", "CUDA1"]),
        ("RX 7900 XTX", ["Vulkan0"]),
        ("Arc A770 16GB", ["Vulkan0"]),
        ("M2 Max 64GB", ["MTL0"]),
        ("MTT S80", ["MUSA0"]),
        ("Ascend 910B2", ["CANN0"]),
        ("K100 AI", ["ROCm0"]),
        ("Atlas 300I Duo 96GB", ["CANN0", "CANN1"]),
        ("3x A16", [f"CUDA{number}" for number in range(8)]),
    ],
)
def test_devices_are_called_as_the_engine_would_call_them(text: str, names: list[str]) -> None:
    assert [device.name for device in asked(text).devices] == names


def test_a_card_of_two_processors_is_two_devices_of_half_the_card() -> None:
    first, second = asked("Atlas 300I Duo 96GB").devices
    assert first.total_bytes == second.total_bytes == 44280 * MIB
    assert first.speed == speed(read=204e9)


def test_a_card_that_no_back_end_is_for_is_left_out() -> None:
    (card,) = facts("MLU370-X8")
    assert not has_back_end(card)
    assert asked("MLU370-X8").devices == ()
    assert has_back_end(facts("RTX 3090")[0])


@pytest.mark.parametrize(("text", "limit_gib"), [("M2 16GB", 10.67), ("M2 Max 64GB", 48), ("M2 Ultra 192GB", 144)])
def test_shared_memory_sets_the_main_memory(text: str, limit_gib: float) -> None:
    found = asked(text, ram_bytes=8 * GIB)
    (device,) = found.devices
    assert device.total_bytes / GIB == pytest.approx(limit_gib, rel=0.01)
    assert device.shares_host_memory
    assert found.host.total_bytes > device.total_bytes
    assert 0 < device.budget_bytes <= found.host.budget_bytes


def test_shared_memory_of_no_said_size_is_a_share_of_the_main_memory() -> None:
    found = asked("780M", ram_bytes=32 * GIB)
    assert found.devices[0].total_bytes == 16 * GIB
    assert found.host.total_bytes == 32 * GIB


def test_an_integrated_card_is_not_used_beside_another_in_a_question_either() -> None:
    found = what_if(machine(profile()), gpus=[*facts("780M"), *facts("RTX 4060")], speed_of=of_facts)
    assert [device.name for device in found.devices] == ["CUDA0"]


def test_a_chip_that_is_processor_and_graphics_brings_both() -> None:
    base = machine(profile())
    apple = asked("M2 Max 64GB", base).host
    assert (apple.name, apple.decode_threads, apple.batch_threads) == ("Apple M2 Max", 7, 8)
    assert apple.speed.read_bytes_per_second[""] > base.host.speed.read_bytes_per_second[""]
    card = asked("RTX 4060", base).host
    assert (card.name, card.speed, card.decode_threads) == (base.host.name, base.host.speed, base.host.decode_threads)


def test_data_centre_cards_are_as_large_as_they_are() -> None:
    (device,) = asked("H200").devices
    assert 130 * GIB < device.budget_bytes < 141 * GIB


# ---- whatever is found ----------------------------------------------------------------------------------------------

BYTES = st.integers(0, 512 * GIB)
ACCELERATORS = st.builds(
    Accelerator,
    name=st.sampled_from(["NVIDIA GeForce RTX 4060", "AMD Radeon 780M Graphics", "?", ""]),
    vendor=st.sampled_from(["nvidia", "amd", "other"]),
    kind=st.sampled_from(["discrete", "integrated"]),
    total_bytes=st.none() | BYTES,
    free_bytes=st.none() | BYTES,
    shares_host_memory=st.booleans(),
    engine_device=st.none() | st.sampled_from(["CUDA0", "CUDA1", "Vulkan0", "MTL0"]),
    display_attached=st.none() | st.booleans(),
)


@given(
    total=BYTES,
    available=BYTES,
    group=st.booleans(),
    accelerators=st.lists(ACCELERATORS, max_size=4),
    freed=st.dictionaries(st.sampled_from(["CUDA0", "Vulkan0", "MTL0", "gone"]), BYTES),
    host_freed=BYTES,
    windows=st.booleans(),
)
def test_no_budget_is_ever_more_than_what_is_free(
    total: int,
    available: int,
    group: bool,
    accelerators: list[Accelerator],
    freed: dict[str, int],
    host_freed: int,
    windows: bool,
) -> None:
    memory = Memory(total_bytes=total, available_bytes=min(total, available), limited_by_group=group)
    found = HardwareProfile(cpu=CPU, memory=memory, disk=None, accelerators=tuple(accelerators), issues=())
    here = machine(found, freed_bytes=freed, host_freed_bytes=host_freed, windows=windows)
    asked_about = what_if(here, speed_of=of_facts, ram_bytes=available or None, windows=windows)
    for one in (here, asked_about):
        assert one.host.budget_bytes <= one.host.free_bytes <= one.host.total_bytes
        assert len({device.name for device in one.devices}) == len(one.devices)
        for device in one.devices:
            assert device.budget_bytes <= device.free_bytes <= device.total_bytes
            if device.shares_host_memory:
                assert device.budget_bytes <= one.host.budget_bytes
