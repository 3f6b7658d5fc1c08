"""Tools of AMD, Intel, Apple, Vulkan and the Chinese makers, on their recorded answers."""

from __future__ import annotations

import pytest

from hardware_probe.sighting import Sighting
from hardware_probe.sources.amd import parse_amd_smi, parse_rocm_smi
from hardware_probe.sources.apple import gpu_budget_bytes, parse_apple
from hardware_probe.sources.ascend import parse_ascend
from hardware_probe.sources.engine import parse_engine_devices
from hardware_probe.sources.hygon import parse_hygon
from hardware_probe.sources.iluvatar import parse_iluvatar
from hardware_probe.sources.intel import parse_xpu_smi
from hardware_probe.sources.moore_threads import parse_moore_threads
from hardware_probe.sources.vulkan import parse_vulkan
from hardware_probe.values import AcceleratorUser
from tests.hardware_probe.recorded import recorded

MIB, GIB = 1 << 20, 1 << 30


def _brief(found: tuple[Sighting, ...] | None) -> list[tuple[str, str, int | None, int | None]]:
    assert found is not None
    return [(one.name, one.pci_id, one.total_bytes, one.free_bytes) for one in found]


def test_ascend_910b() -> None:
    found = parse_ascend(recorded("npu-smi-910b.txt"))
    assert _brief(found) == [
        ("Ascend 910B4-1", "0000:c1:00.0", 65536 * MIB, (65536 - 3197) * MIB),
        ("Ascend 910B4-1", "0000:01:00.0", 65536 * MIB, (65536 - 15503) * MIB),
    ]
    assert found is not None
    assert found[0].users == ()
    assert found[1].users == (AcceleratorUser(pid=692318, name="python3", used_bytes=12417 * MIB),)
    assert found[1].driver == "25.2.0"


def test_ascend_cards_with_two_chips() -> None:
    first, second = parse_ascend(recorded("npu-smi-910-two-chips.txt")) or ()
    assert (first.name, first.pci_id, second.pci_id) == ("Ascend910", "0000:9d:00.0", "0000:9f:00.0")
    assert (len(first.users), len(second.users)) == (1, 0)


def test_ascend_310p_has_ordinary_memory_and_two_chips_at_one_address() -> None:
    assert _brief(parse_ascend(recorded("npu-smi-310p.txt"))) == [
        ("Ascend 310P3", "0000:01:00.0", 44280 * MIB, (44280 - 1529) * MIB),
        ("Ascend 310P3", "0000:01:00.0", 43693 * MIB, (43693 - 1412) * MIB),
    ]


def test_ascend_without_addresses() -> None:
    blacked_out = recorded("npu-smi-910b.txt").replace("0000:C1:00.0", "0000:xx:00.0").replace("0000:01:00.0", "NA")
    assert [one[:2] for one in _brief(parse_ascend(blacked_out))] == [("Ascend 910B4-1", "")] * 2


def test_moore_threads() -> None:
    found = parse_moore_threads(recorded("mthreads-gmi-s80.txt"))
    assert _brief(found) == [("MTT S80", "0000:04:00.0", 16384 * MIB, 16382 * MIB)]
    assert found is not None
    assert found[0].driver == "2.7.0"
    assert found[0].link_bytes_per_second == pytest.approx(4 * 3.938e9)
    assert [one[1:] for one in _brief(parse_moore_threads(recorded("mthreads-gmi-s5000.txt")))] == [
        ("0000:2a:00.0", 81920 * MIB, (81920 - 66641) * MIB),
        ("0000:3a:00.0", 81920 * MIB, (81920 - 64889) * MIB),
    ]


def test_moore_threads_that_uses_more_than_it_has() -> None:
    assert _brief(parse_moore_threads(recorded("mthreads-gmi-no-iommu.txt")))[0][2:] == (32768 * MIB, 0)


def test_hygon() -> None:
    found = parse_hygon(recorded("hy-smi-bw.txt"))
    assert _brief(found) == [
        ("Hygon BW", "0000:09:00.0", 65520 * MIB, (65520 - 9703) * MIB),
        ("Hygon BW", "0000:36:00.0", 65520 * MIB, (65520 - 9651) * MIB),
    ]
    assert found is not None
    assert found[0].users == ()
    assert found[1].users == (AcceleratorUser(pid=2004092, name="", used_bytes=9649 * MIB),)
    assert found[1].driver == "6.3.31-V1.5.0a"


def test_iluvatar() -> None:
    assert _brief(parse_iluvatar(recorded("ixsmi.txt"))) == [
        ("Iluvatar MR-V50", "0001:01:00.0", 16384 * MIB, (16384 - 116) * MIB),
        ("Iluvatar MR-V100", "0001:02:00.0", 32768 * MIB, (32768 - 27996) * MIB),
    ]
    assert parse_iluvatar("No devices were found\n") == ()
    assert parse_iluvatar('Field "gpu_bus_id" is not a valid field to query.\n') is None


def test_rocm_smi() -> None:
    found = parse_rocm_smi(recorded("rocm-smi-7900xt.json"))
    assert _brief(found) == [("Radeon RX 7900 XT", "0000:03:00.0", 21_458_059_264, 21_458_059_264 - 27_856_896)]
    assert found is not None
    assert found[0].users == (AcceleratorUser(pid=1168514, name="pt_main_thread", used_bytes=17_738_694_246),)
    assert found[0].driver == "6.7.0"


def test_rocm_smi_warns_before_it_answers() -> None:
    found = _brief(parse_rocm_smi(recorded("rocm-smi-dgpu-and-apu.json")))
    assert [one[0] for one in found] == ["Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]", "Raphael"]


@pytest.mark.parametrize("form", ["[{}]", '{{"gpu_data": [{}]}}'])
def test_amd_smi_old_and_new(form: str) -> None:
    amounts = '{"total_vram": {"value": 16368, "unit": "MB"}, "used_vram": {"value": 28, "unit": "MB"}}'
    card = f'{{"gpu": 0, "mem_usage": {amounts}}}'
    assert _brief(parse_amd_smi(form.format(card))) == [("", "", 16368 * MIB, 16340 * MIB)]


def test_xpu_smi() -> None:
    found = parse_xpu_smi(recorded("xpu-smi-flex170.txt"))
    assert _brief(found) == [("Intel(R) Data Center GPU Flex 170", "0000:4d:00.0", 14_942_253_056, 14_000_000_000)]
    assert found is not None
    assert found[0].driver == "XE_1.0.4_23.4.15"
    assert parse_xpu_smi('{"device_list": []}') == ()
    assert parse_xpu_smi('{"error": "No device discovered"}') is None


def test_vulkan_leaves_out_software_and_counts_all_heaps_of_an_integrated_card() -> None:
    found = parse_vulkan(recorded("vulkaninfo-apu-and-llvmpipe.txt"))
    assert found is not None
    (card,) = found
    assert (card.vendor, card.kind, card.pci_id, card.shares_host_memory) == ("amd", "integrated", "0000:03:00.0", True)
    assert card.total_bytes == 1_879_048_192 + 7_215_251_456 + 268_435_456
    assert card.free_bytes == 1_785_095_808 + 6_854_488_576 + 255_013_680


def test_vulkan_on_the_processor_alone_is_no_card() -> None:
    text = recorded("vulkaninfo-lavapipe.txt")
    assert parse_vulkan(text) == ()
    # The same answer from a card: this version writes no budget.
    found = parse_vulkan(text.replace("TYPE_CPU", "TYPE_DISCRETE_GPU").replace("llvmpipe", "Card"))
    assert found is not None
    assert (found[0].total_bytes, found[0].free_bytes, found[0].driver) == (1 << 31, None, "Mesa 22.3.6 (LLVM 15.0.6)")


def test_vulkan_with_a_budget_below_zero() -> None:
    found = parse_vulkan(recorded("vulkaninfo-polaris-budget.txt"))
    assert found is not None
    assert (found[0].total_bytes, found[0].free_bytes) == (16_777_216 + 8_573_157_376, 8_117_891_072)


def test_vulkan_without_a_budget_does_not_know_what_is_free() -> None:
    text = "\n".join(
        line
        for line in recorded("vulkaninfo-polaris-budget.txt").splitlines()
        if "budget" not in line and "usage" not in line
    )
    found = parse_vulkan(text)
    assert found is not None
    assert (found[0].total_bytes, found[0].free_bytes) == (8_589_934_592, None)


def test_apple() -> None:
    found = parse_apple(recorded("system-profiler-m3-pro.txt"))
    assert found is not None
    (card,) = found
    assert (card.name, card.vendor, card.kind, card.shares_host_memory) == ("Apple M3 Pro", "apple", "integrated", True)
    assert (card.total_bytes, card.display_attached) == (24 * GIB, True)


@pytest.mark.parametrize(
    ("memory", "wired_mib", "budget"),
    [
        (16 * GIB, 0, 16 * GIB * 2 // 3),
        (64 * GIB, 0, 48 * GIB),
        (32 * GIB, 26624, 26 * GIB),
        (32 * GIB, 99999, 32 * GIB),
        (None, 0, None),
    ],
)
def test_what_apple_lets_graphics_hold(memory: int | None, wired_mib: int, budget: int | None) -> None:
    assert gpu_budget_bytes(memory, wired_mib) == budget


def test_the_engines_devices_are_only_real_cards() -> None:
    found = parse_engine_devices(recorded("engine-laptop.json"))
    assert found is not None
    assert [one.engine_device for one in found] == ["CUDA0", "Vulkan0", "Vulkan1"]
    assert [one.vendor for one in found] == ["nvidia", "nvidia", "amd"]
    # More free than there is: Intel's and some AMD drivers report budgets larger than their heaps.
    assert (found[2].kind, found[2].free_bytes, found[2].shares_host_memory) == ("integrated", 33_000_000_000, True)
    assert found[0].pci_id == "0000:01:00.0"


def test_zero_of_zero_is_unknown() -> None:
    text = (
        '[{"name": "ROCm0", "description": "gfx90c", "type": "GPU", "free_bytes": 0, "total_bytes": 0, "pci_id": ""}]'
    )
    found = parse_engine_devices(text)
    assert found is not None
    assert (found[0].vendor, found[0].total_bytes, found[0].free_bytes) == ("amd", None, None)


def test_metal_borrows_main_memory() -> None:
    text = '[{"name": "MTL0", "description": "Apple M3 Pro", "type": "GPU", "free_bytes": 9, "total_bytes": 10}]'
    found = parse_engine_devices(text)
    assert found is not None
    assert (found[0].vendor, found[0].kind, found[0].shares_host_memory) == ("apple", "integrated", True)
