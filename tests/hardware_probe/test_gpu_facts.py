"""The table of published figures, and finding cards in it by the names that people and drivers use."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_probe.gpu_facts import (
    GpuFound,
    GpuNotFound,
    find_gpu,
    find_reported_gpu,
    gpu_table,
    parse_size,
)
from hardware_probe.gpu_table import read_entries

GIB = 1024**3
GB_PER_SECOND = 1e9


def found(text: str) -> GpuFound:
    answer = find_gpu(text)
    assert isinstance(answer, GpuFound), answer
    return answer


def missed(text: str) -> GpuNotFound:
    answer = find_gpu(text)
    assert isinstance(answer, GpuNotFound), answer
    return answer


# ---- the table ------------------------------------------------------------------------------------------------------


def test_every_figure_is_in_its_range() -> None:
    for facts in gpu_table():
        assert 30 <= facts.memory_bytes_per_second / GB_PER_SECOND <= 8000, facts
        assert 0.4e12 <= facts.fp16_flops_per_second <= 3e15, facts
        assert facts.fp32_flops_per_second is None or facts.fp32_flops_per_second <= facts.fp16_flops_per_second, facts
        assert 2015 <= facts.year <= 2026, facts
        assert facts.chips in (1, 2, 4), facts
        assert (facts.processor_cores is not None) == (facts.vendor == "apple"), facts
        if facts.shares_host_memory:
            assert facts.kind == "integrated" and facts.memory_bytes is None, facts
            assert 0.5 <= facts.host_share <= 0.9, facts
        else:
            assert facts.kind == "discrete" and facts.host_share == 1.0, facts
            assert facts.memory_bytes is not None and 2.9 * GIB < facts.memory_bytes < 300 * GIB, facts


def test_names_are_unique() -> None:
    names = [facts.name for facts in gpu_table()]
    assert len(names) == len(set(names)) > 250


def test_every_card_is_found_by_its_own_name() -> None:
    for facts in gpu_table():
        answer = find_gpu(facts.name)
        if isinstance(answer, GpuFound):
            assert answer.facts == facts
        else:  # one of several variants that all have to be named with their memory
            assert answer.reason == "ambiguous" and facts.name in answer.candidates


@pytest.mark.parametrize("vendor", ["nvidia", "amd", "intel", "apple", "huawei", "moore_threads", "hygon", "iluvatar"])
def test_every_maker_has_cards(vendor: str) -> None:
    assert any(facts.vendor == vendor for facts in gpu_table())


@pytest.mark.parametrize(
    ("name", "gib", "bandwidth"),
    [
        ("H200 141GB", 140.4, 4800),
        ("H100 SXM5 80GB", 79.6, 3352),
        ("H100 PCIe 80GB", 79.6, 2039),
        ("H100 NVL", 93.6, 3938),
        ("A100 80GB PCIe", 80, 1935),
        ("A100 SXM4 80GB", 80, 2039),
        ("A100 40GB", 40, 1555),
        ("A800 80GB", 80, 1935),
        ("V100 32GB", 32, 900),
        ("V100 16GB", 16, 900),
        ("H20 96GB", 95.6, 4000),
        ("L40S", 45, 864),
        ("L20", 45, 864),
        ("L4", 22.5, 300),
        ("T4", 15, 320),
        ("A10", 22.5, 600),
        ("RTX 3090", 24, 936.2),
        ("RTX 4090", 24, 1008),
        ("RTX 3060", 12, 360),
        ("RTX 5090", 31.8, 1792),
        ("RX 7900 XTX", 24, 960),
        ("MI300X", 192, 5300),
        ("Arc B580", 11.9, 456),
        ("MTT S4000", 48, 768),
    ],
)
def test_known_figures(name: str, gib: float, bandwidth: float) -> None:
    facts = found(name).facts
    assert facts.memory_bytes is not None
    assert facts.memory_bytes / GIB == pytest.approx(gib, rel=0.005)
    assert facts.memory_bytes_per_second == bandwidth * GB_PER_SECOND
    assert facts.confirmed


def test_shared_memory_is_as_large_as_it_is_said_to_be() -> None:
    assert found("M2 Max 64GB").facts.memory_bytes == 64 * GIB
    assert found("M2 Max").facts.memory_bytes is None
    assert found("M2 Max").facts.memory_bytes_per_second == 409.6 * GB_PER_SECOND


def test_a_link_is_computed_from_its_generation_and_lanes() -> None:
    assert found("RTX 4060").facts.link_bytes_per_second == pytest.approx(15.75e9, rel=0.01)
    assert found("RTX 5090").facts.link_bytes_per_second == pytest.approx(63e9, rel=0.01)
    assert found("M1").facts.link_bytes_per_second is None


@pytest.mark.parametrize(
    "card",
    [
        '{ name = "X", bandwidth = 1.0, fp16 = 1.0, year = 2020 }',
        '{ name = "X", gb = 8, bandwidth = 1.0, fp16 = 1.0, year = 2020, pcie = "6y16" }',
        '{ name = "X", gb = 8, bandwidth = 1.0, fp16 = 1.0, year = 2020, colour = "red" }',
        '{ name = "X", gb = 8, bandwidth = "fast", fp16 = 1.0, year = 2020 }',
    ],
)
def test_an_unsound_table_is_refused(card: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read_entries(f'[[group]]\nvendor = "amd"\nprefix = "P"\npcie = "4x16"\ncards = [{card}]')


# ---- what people write ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("RTX 4060 8GB", "NVIDIA GeForce RTX 4060"),
        ("rtx4060", "NVIDIA GeForce RTX 4060"),
        ("4060", "NVIDIA GeForce RTX 4060"),
        ("4060 laptop", "NVIDIA GeForce RTX 4060 Laptop GPU"),
        ("RTX4060Laptop", "NVIDIA GeForce RTX 4060 Laptop GPU"),
        ("RTX 4060（移动版）", "NVIDIA GeForce RTX 4060 Laptop GPU"),
        ("4060m", "NVIDIA GeForce RTX 4060 Laptop GPU"),
        ("英伟达 RTX 4090 显卡", "NVIDIA GeForce RTX 4090"),
        ("4090d", "NVIDIA GeForce RTX 4090 D"),
        ("rtx 4060ti 16g", "NVIDIA GeForce RTX 4060 Ti 16GB"),
        ("2080 Ti 22G", "NVIDIA GeForce RTX 2080 Ti 22GB"),
        ("3050", "NVIDIA GeForce RTX 3050"),
        ("3050 6GB", "NVIDIA GeForce RTX 3050 6GB"),
        ("7900xtx", "AMD Radeon RX 7900 XTX"),
        ("Radeon 780M", "AMD Radeon 780M Graphics"),
        ("Strix Halo 128GB", "AMD Radeon 8060S Graphics"),
        ("Ryzen AI Max+ 395", "AMD Radeon 8060S Graphics"),
        ("arc a770", "Intel Arc A770"),
        ("M3 Max 128GB", "Apple M3 Max 30-core GPU"),
        ("M3 Max 40-core", "Apple M3 Max 40-core GPU"),
        ("华为昇腾 910B2", "Huawei Ascend 910B2"),
        ("Atlas 300I Duo 96G", "Huawei Atlas 300I Duo 96GB"),
        ("摩尔线程 S80", "Moore Threads MTT S80"),
        ("K100_AI", "Hygon DCU K100 AI"),
        ("A100 80GB", "NVIDIA A100 PCIe 80GB"),
        ("A100 80GB HBM2e", "NVIDIA A100 PCIe 80GB"),
        ("RTX PRO 6000", "NVIDIA RTX PRO 6000 Blackwell Workstation Edition"),
        ("RTX A6000", "NVIDIA RTX A6000"),
        ("RTX 6000 Ada", "NVIDIA RTX 6000 Ada Generation"),
    ],
)
def test_names_are_understood(text: str, name: str) -> None:
    assert found(text).facts.name == name


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("RTX 3090", 1),
        ("2x RTX 3090", 2),
        ("2×3090", 2),
        ("RTX 3090 x2", 2),
        ("3090*4", 4),
        ("两张 3090", 2),
        ("双卡3090", 2),
        ("3090双卡", 2),
    ],
)
def test_several_cards(text: str, count: int) -> None:
    answer = found(text)
    assert (answer.facts.name, answer.count) == ("NVIDIA GeForce RTX 3090", count)


@pytest.mark.parametrize(
    ("text", "reason", "candidate"),
    [
        ("RTX 4060 Ti", "ambiguous", "NVIDIA GeForce RTX 4060 Ti 16GB"),
        ("A100", "ambiguous", "NVIDIA A100 PCIe 40GB"),
        ("V100", "ambiguous", "NVIDIA Tesla V100 PCIe 32GB"),
        ("3050 laptop", "ambiguous", "NVIDIA GeForce RTX 3050 Laptop GPU 6GB"),
        ("昇腾 910B", "ambiguous", "Huawei Ascend 910B4"),
        ("RTX 4060 12GB", "memory", "NVIDIA GeForce RTX 4060"),
        ("3050 4GB", "memory", "NVIDIA GeForce RTX 3050 Laptop GPU 4GB"),
        ("GTX 4060", "unknown", "NVIDIA GeForce RTX 4060"),
        ("RTX 5091", "unknown", "NVIDIA GeForce RTX 5090"),
    ],
)
def test_what_is_not_one_card_names_the_nearest(text: str, reason: str, candidate: str) -> None:
    answer = missed(text)
    assert answer.reason == reason
    assert candidate in answer.candidates
    assert answer.text == text


@pytest.mark.parametrize("text", ["", "  ", "显卡", "a card", "NVIDIA", "8GB"])
def test_what_names_no_card_is_unknown(text: str) -> None:
    assert missed(text).reason == "unknown"


@pytest.mark.parametrize("text", ["0x RTX 3090", "9x RTX 3090", "100x 4090"])
def test_how_many_cards_is_limited(text: str) -> None:
    assert missed(text).reason == "count"


@given(st.text(max_size=40))
def test_no_text_is_too_odd(text: str) -> None:
    assert isinstance(find_gpu(text), GpuFound | GpuNotFound)
    assert parse_size(text) is None or parse_size(text)


# ---- what drivers say -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reported", "total_bytes", "name"),
    [
        ("NVIDIA GeForce RTX 4060 Laptop GPU", 8_585_740_288, "NVIDIA GeForce RTX 4060 Laptop GPU"),
        ("NVIDIA GeForce RTX 4060 Ti", 17_170_956_288, "NVIDIA GeForce RTX 4060 Ti 16GB"),
        ("NVIDIA GeForce RTX 4090", 51_527_024_640, "NVIDIA GeForce RTX 4090 48GB"),
        ("NVIDIA GeForce RTX 3050 Laptop GPU", 4_294_967_296, "NVIDIA GeForce RTX 3050 Laptop GPU 4GB"),
        ("NVIDIA A100-SXM4-80GB", 85_899_345_920, "NVIDIA A100 SXM4 80GB"),
        ("NVIDIA A100 80GB PCIe", 85_899_345_920, "NVIDIA A100 PCIe 80GB"),
        ("NVIDIA H100 80GB HBM3", 85_520_809_984, "NVIDIA H100 SXM5 80GB"),
        ("NVIDIA H100 PCIe", 85_520_809_984, "NVIDIA H100 PCIe 80GB"),
        ("Tesla V100-SXM2-32GB", 34_359_738_368, "NVIDIA Tesla V100 SXM2 32GB"),
        ("AMD Radeon RX 7900 XTX (RADV NAVI31)", 25_753_026_560, "AMD Radeon RX 7900 XTX"),
        ("AMD Radeon 780M Graphics (RADV PHOENIX)", 16_000_000_000, "AMD Radeon 780M Graphics"),
        ("Intel(R) Arc(TM) A770 Graphics (DG2)", 16_225_243_136, "Intel Arc A770"),
        ("Intel(R) UHD Graphics 620", 4_000_000_000, "Intel UHD Graphics 620"),
        ("Intel(R) UHD Graphics", None, "Intel UHD Graphics"),
        ("AMD Radeon(TM) Vega 8 Graphics", None, "AMD Radeon Vega 8 Graphics"),
        ("AMD Radeon RX Vega 56", None, "AMD Radeon RX Vega 56"),
        ("Intel(R) Iris(R) Xe Graphics", None, "Intel Iris Xe Graphics"),
        ("Apple M2 Max", 51_539_607_552, "Apple M2 Max"),
        ("Ascend 310P3", 22_573_000_000, "Huawei Atlas 300I Pro"),
    ],
)
def test_a_reported_card_is_recognized(reported: str, total_bytes: int | None, name: str) -> None:
    facts = find_reported_gpu(reported, total_bytes)
    assert facts is not None and facts.name == name


@pytest.mark.parametrize(
    ("reported", "total_bytes"),
    [
        ("AMD Radeon Graphics", 8 * GIB),
        ("NVIDIA A100-SXM4-80GB MIG 1g.10gb", 10 * GIB),
        ("NVIDIA GeForce RTX 4090", 8 * GIB),
        ("llvmpipe (LLVM 15.0.6, 256 bits)", 2 * GIB),
        ("", None),
    ],
)
def test_a_card_that_is_not_known_for_certain_is_nobody(reported: str, total_bytes: int) -> None:
    assert find_reported_gpu(reported, total_bytes) is None


# ---- sizes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16G", 16 * GIB),
        ("16GiB", 16 * GIB),
        ("16 GB", 16 * GIB),
        ("16gb", 16 * GIB),
        (" 16 ", 16 * GIB),
        ("１６Ｇ", 16 * GIB),
        ("1.5G", GIB + GIB // 2),
        ("512M", 512 * 1024**2),
        ("1T", 1024 * GIB),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "0", "16 apples", "1e3G", "nan", "16GG", "1,5G", "99999999999999G"])
def test_what_is_no_size(text: str) -> None:
    assert parse_size(text) is None
