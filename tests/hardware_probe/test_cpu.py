"""The processor, on recorded descriptions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hardware_probe.control_group import GroupReadings
from hardware_probe.cpu import CpuReadings, parse_cpu, read_cpu

X86 = """\
processor\t: 0
vendor_id\t: GenuineIntel
model\t\t: 154
model name\t: 12th Gen Intel(R)  Core(TM) i7-1260P
cpu cores\t: 4
"""
RASPBERRY_PI = "processor\t: 0\nCPU part\t: 0xd0b\n\nRevision\t: d04170\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n"
LOONGARCH = "system type\t\t: generic-loongson-machine\n\nprocessor\t: 0\nModel Name\t\t: Loongson-3A6000\n"
ARM_SERVER = "processor\t: 0\nBogoMIPS\t: 200.00\nCPU implementer\t: 0x48\nCPU part\t: 0xd01\n"

FOUR_CORES = CpuReadings(
    description=X86,
    machine="x86_64",
    logical_cores=8,
    physical_cores=4,
    affinity=frozenset(range(8)),
    siblings={number: f"{number % 4},{number % 4 + 4}" for number in range(8)},
)


@pytest.mark.parametrize(
    ("description", "name"),
    [
        (X86, "12th Gen Intel(R) Core(TM) i7-1260P"),
        (RASPBERRY_PI, "Raspberry Pi 5 Model B Rev 1.0"),
        (LOONGARCH, "Loongson-3A6000"),
        (ARM_SERVER, "aarch64"),
        ("Apple M3 Pro", "Apple M3 Pro"),
        ("", "aarch64"),
    ],
)
def test_names(description: str, name: str) -> None:
    assert parse_cpu(replace(FOUR_CORES, description=description, machine="aarch64")).name == name


def test_two_threads_of_a_core_are_one_core() -> None:
    cpu = parse_cpu(FOUR_CORES)
    assert (cpu.physical_cores, cpu.logical_cores, cpu.usable_cores, cpu.usable_threads) == (4, 8, 4, 8)
    assert cpu.quota_cores is None


def test_affinity_counts_cores_not_threads() -> None:
    one_core = {number: FOUR_CORES.siblings[number] for number in (1, 5)}
    cpu = parse_cpu(replace(FOUR_CORES, affinity=frozenset({1, 5}), siblings=one_core))
    assert (cpu.usable_cores, cpu.usable_threads, cpu.physical_cores) == (1, 2, 4)


def test_without_sibling_lists_the_mask_bounds_the_cores() -> None:
    assert parse_cpu(replace(FOUR_CORES, siblings={})).usable_cores == 4
    assert parse_cpu(replace(FOUR_CORES, siblings={}, affinity=frozenset({0, 1, 2}))).usable_cores == 3
    assert parse_cpu(replace(FOUR_CORES, siblings={}, physical_cores=None)).usable_cores == 8


def test_the_groups_quota_is_reported() -> None:
    group = GroupReadings(cpu=({"cpu.max": "150000 100000\n"},))
    assert parse_cpu(replace(FOUR_CORES, group=group)).quota_cores == 1.5


def test_this_computer_has_a_processor() -> None:
    cpu = parse_cpu(read_cpu())
    assert cpu.name
    assert 1 <= cpu.usable_cores <= cpu.usable_threads <= cpu.logical_cores
