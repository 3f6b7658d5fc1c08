"""Every recorded computer gives a machine that can be planned on."""

from __future__ import annotations

import pytest

from hardware_probe.gpu_facts import find_reported_gpu
from hardware_probe.values import HardwareProfile
from inference.planning.machine import machine_from, usable_accelerators
from inference.planning.reserves import GIB, MIB
from inference.planning.speeds import accelerator_speed, cpu_speed_from_facts
from inference.planning.values import Machine
from resources import wording
from tests.machines import is_windows, machines

NAMES = sorted(machines())


def planned_on(profile: HardwareProfile) -> Machine:
    speeds = {one.engine_device or "": accelerator_speed(one) for one in usable_accelerators(profile)}
    return machine_from(
        profile,
        cpu_speed=cpu_speed_from_facts(profile.cpu, profile.memory),
        device_speeds=speeds,
        disk_bytes_per_second=1e9,
        windows=is_windows(profile),
    )


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_the_recording_is_sound(name: str) -> None:
    profile = machines()[name]
    cpu, memory, disk = profile.cpu, profile.memory, profile.disk
    assert cpu is not None and memory is not None and disk is not None
    assert 1 <= cpu.usable_cores <= cpu.physical_cores <= cpu.logical_cores
    assert cpu.performance_cores + cpu.efficiency_cores == cpu.usable_cores
    assert 0 < memory.available_bytes <= memory.total_bytes
    assert 0 < disk.free_bytes <= disk.total_bytes
    for card in profile.accelerators:
        assert (card.free_bytes or 0) <= (card.total_bytes or 0)
        assert card.sources
        if card.shares_host_memory:
            assert (card.total_bytes or 0) <= memory.total_bytes
        assert len({one.engine_device for one in profile.accelerators if one.engine_device}) == len(
            [one for one in profile.accelerators if one.engine_device]
        )


@pytest.mark.parametrize("name", NAMES)
def test_budgets_are_positive_and_within_what_is_free(name: str) -> None:
    machine = planned_on(machines()[name])
    host = machine.host
    assert 0 < host.budget_bytes < host.free_bytes <= host.total_bytes
    assert host.budget_bytes > 0.3 * host.free_bytes
    for device in machine.devices:
        assert 0 < device.budget_bytes < device.free_bytes <= device.total_bytes
        assert device.budget_bytes > 0.3 * device.free_bytes
        assert " " not in device.name
    assert len({device.name for device in machine.devices}) == len(machine.devices)


@pytest.mark.parametrize("name", NAMES)
def test_shared_memory_is_budgeted_once(name: str) -> None:
    machine = planned_on(machines()[name])
    for device in machine.devices:
        assert device.shares_host_memory == (device.kind == "integrated")
        if device.shares_host_memory:
            assert device.budget_bytes <= machine.host.budget_bytes
            assert device.free_bytes <= machine.host.free_bytes


@pytest.mark.parametrize("name", NAMES)
def test_threads_are_within_cores_and_quota(name: str) -> None:
    cpu, host = machines()[name].cpu, planned_on(machines()[name]).host
    assert cpu is not None
    assert 1 <= host.decode_threads <= host.batch_threads <= cpu.usable_cores
    if cpu.quota_cores is not None:
        assert host.batch_threads <= cpu.quota_cores
    assert wording.text(f"plan.{host.threads_reason}", "zh")


@pytest.mark.parametrize("name", NAMES)
def test_the_table_knows_every_card_with_memory_of_its_own(name: str) -> None:
    for card in machines()[name].accelerators:
        if card.kind == "discrete" and not card.is_slice:
            facts = find_reported_gpu(card.name, card.total_bytes)
            assert facts is not None, card.name
            assert facts.vendor == card.vendor


def test_what_these_computers_can_hold() -> None:
    """Budgets in MiB, host and devices, as a person can check them against the recordings."""
    budgets = {
        name: (machine.host.budget_bytes // MIB, *(device.budget_bytes // MIB for device in machine.devices))
        for name in NAMES
        for machine in [planned_on(machines()[name])]
    }
    assert budgets == {
        "container_8_cores_2gb": (1623,),
        "desktop_arc_a770_32gb": (20846, 14182),
        "desktop_gtx1650_16gb": (8038, 2321),
        "desktop_mtt_s80_32gb": (23760,),
        "desktop_no_gpu_32gb": (22377,),
        "desktop_rtx3060_32gb": (19614, 9862),
        "desktop_rtx3090_64gb": (47394, 21999),
        "desktop_rtx4060_16gb": (7075, 5844),
        "desktop_rtx4070_ti_super_32gb": (18133, 13653),
        "desktop_rtx4090_128gb": (95420, 21324),
        "desktop_rtx5090_96gb": (69029, 28793),
        "desktop_rx7900xtx_64gb": (46018, 22005),
        "laptop_780m_16gb": (7280, 7152),
        "laptop_office_8gb": (1417, 1289),
        "laptop_rtx3050_4gb_16gb": (6574, 3339),
        "laptop_rtx3050_6gb_16gb": (6963, 5340),
        "laptop_rtx4060_16gb": (6195, 7351),
        "mac_studio_m2_ultra_192gb": (154255, 147392),
        "macbook_air_m2_16gb": (5939, 5875),
        "mini_strix_halo_128gb": (107102, 63769),
        "server_2x_h100_512gb": (441057, 78207, 57415),
        "server_a100_80gb_256gb": (212860, 78229),
        "server_a100_mig_slice": (55500, 8953),
        "server_ascend_910b_1tb": (888299,),
        "vm_2_vcpu_4gb": (2486,),
        "workstation_2x_rtx3090_128gb": (102146, 22518, 17674),
    }


@pytest.mark.parametrize("name", ["server_ascend_910b_1tb", "desktop_mtt_s80_32gb", "desktop_no_gpu_32gb"])
def test_a_card_that_the_engine_cannot_use_is_no_device(name: str) -> None:
    assert machines()[name].accelerators
    assert planned_on(machines()[name]).devices == ()


def test_both_cards_of_a_pair_are_there_the_freer_one_first() -> None:
    machine = planned_on(machines()["workstation_2x_rtx3090_128gb"])
    assert [device.name for device in machine.devices] == ["CUDA0", "CUDA1"]
    assert machine.devices[0].budget_bytes - machine.devices[1].budget_bytes > 4 * GIB
    assert machine.other_programs == (("python3", 5404 * MIB),)
