"""Fast and frugal cores, and instruction sets, as each system names them."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from hardware_probe.cpu import from_sysctl, parse_cpu, parse_sysctl
from hardware_probe.cpu_instructions import from_cpuinfo, from_windows
from hardware_probe.cpu_topology import parse_cpu_list, parse_windows_cores, slow_by_capacity
from tests.hardware_probe.test_cpu import FOUR_CORES

# An i7-1260P: four cores with two threads each, eight small ones.
HYBRID = replace(
    FOUR_CORES,
    logical_cores=16,
    physical_cores=12,
    affinity=frozenset(range(16)),
    siblings={number: f"{number - number % 2}-{number - number % 2 + 1}" for number in range(8)}
    | {number: str(number) for number in range(8, 16)},
    efficiency_threads=parse_cpu_list("8-15"),
)
M3_PRO = """\
hw.ncpu: 12
hw.perflevel0.physicalcpu: 6
hw.perflevel1.physicalcpu: 6
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_I8MM: 1
hw.optional.arm.FEAT_FP16: 1
hw.optional.arm.FEAT_SME: 0
hw.optional.neon: 1
machdep.cpu.brand_string: Apple M3 Pro
"""
EPYC_FLAGS = (
    "flags\t\t: fpu vme sse sse2 pni ssse3 fma sse4_1 avx f16c bmi1 avx2 bmi2 avx512f avx512dq avx512cd avx512bw"
)


def test_a_hybrid_processor() -> None:
    cpu = parse_cpu(HYBRID)
    assert (cpu.usable_cores, cpu.performance_cores, cpu.efficiency_cores) == (12, 4, 8)


def test_a_mask_over_a_hybrid_processor() -> None:
    mask = frozenset({0, 1, 8, 9})
    cpu = parse_cpu(replace(HYBRID, affinity=mask, siblings={number: HYBRID.siblings[number] for number in mask}))
    assert (cpu.usable_cores, cpu.performance_cores, cpu.efficiency_cores) == (3, 1, 2)
    small = frozenset({8, 9})
    cpu = parse_cpu(replace(HYBRID, affinity=small, siblings={number: str(number) for number in small}))
    assert (cpu.performance_cores, cpu.efficiency_cores) == (2, 0)


def test_an_arm_board_tells_by_capacity() -> None:
    # RK3588: four A55 and four A76. Snapdragon: small, middle and one large core.
    assert slow_by_capacity({0: 414, 1: 414, 4: 1024, 5: 1024}) == {0, 1}
    assert slow_by_capacity({0: 250, 1: 870, 2: 1024}) == {0}
    assert slow_by_capacity({}) == frozenset()


def test_a_mac() -> None:
    cpu = parse_cpu(from_sysctl(parse_sysctl(M3_PRO), logical=12, physical=12))
    assert (cpu.name, cpu.performance_cores, cpu.efficiency_cores) == ("Apple M3 Pro", 6, 6)
    assert cpu.instruction_sets == ("NEON", "ARM_FMA", "FP16_VA", "DOTPROD", "MATMUL_INT8")


def test_an_intel_mac() -> None:
    values = {
        "machdep.cpu.brand_string": "Intel(R) Core(TM) i7-9750H",
        "machdep.cpu.features": "FPU SSE3 SSSE3 FMA AVX1.0 F16C",
        "machdep.cpu.leaf7_features": "AVX2 BMI2",
    }
    cpu = parse_cpu(from_sysctl(values, logical=12, physical=6))
    assert cpu.instruction_sets == ("SSE3", "SSSE3", "AVX", "F16C", "FMA", "BMI2", "AVX2")
    assert (cpu.performance_cores, cpu.efficiency_cores) == (6, 0)


def _core_record(efficiency: int) -> bytes:
    return struct.pack("<IIBB", 0, 48, 1, efficiency) + bytes(38)


def test_windows_classes() -> None:
    cache = struct.pack("<IIBB", 2, 20, 0, 0) + bytes(10)
    assert parse_windows_cores(_core_record(1) * 4 + cache + _core_record(0) * 8) == (4, 8)
    assert parse_windows_cores(_core_record(0) * 6) == (6, 0)
    assert parse_windows_cores(b"") == (0, 0)
    assert parse_windows_cores(struct.pack("<IIBB", 0, 0, 0, 0)) == (0, 0)
    assert from_windows((40, 39, 13, 10)) == ("SSE3", "AVX", "F16C", "FMA", "BMI2", "AVX2")


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        (EPYC_FLAGS, ("SSE3", "SSSE3", "AVX", "F16C", "FMA", "BMI2", "AVX2")),
        (f"{EPYC_FLAGS} avx512vl avx512_vnni", ("AVX2", "AVX512", "AVX512_VNNI")),
        ("Features\t: fp asimd evtstrm asimdhp asimddp sve i8mm", ("NEON", "ARM_FMA", "FP16_VA", "DOTPROD")),
        ("isa\t\t: rv64imafdcv_zicbom\n", ("RISCV_V",)),
        ("isa\t\t: rv64imafdc_zve\n", ()),
        ("Features\t\t: cpucfg lam ual fpu lsx lasx", ("LSX", "LASX")),
        ("cpu\t\t: POWER9, altivec supported", ("VSX",)),
        ("flags : avx avx2\nflags : avx\n", ("AVX",)),
        ("", ()),
    ],
)
def test_instruction_sets(text: str, sets: tuple[str, ...]) -> None:
    found = from_cpuinfo(text)
    assert set(sets) <= set(found)
    assert ("AVX512" in found) == ("AVX512" in sets)


def test_kernel_lists() -> None:
    assert parse_cpu_list("0-3,8,10-11\n") == {0, 1, 2, 3, 8, 10, 11}
    assert parse_cpu_list("") == frozenset()
    assert parse_cpu_list("x,3-,5") == {5}
