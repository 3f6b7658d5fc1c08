"""The bus as Linux lists it, on folders like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from hardware_probe.sources.pci import PciReading, parse_pci, read_makers, read_pci, without_driver
from hardware_probe.values import Vendor

GIB = 1 << 30
RX_6800 = PciReading(
    pci_id="0000:03:00.0",
    files={
        "class": "0x030000",
        "vendor": "0x1002",
        "device": "0x73bf",
        "mem_info_vram_total": "17163091968",
        "mem_info_vram_used": "692142080",
        "mem_info_vram_vendor": "samsung",
        "mem_info_gtt_total": "33000000000",
        "mem_info_gtt_used": "1000",
        "max_link_speed": "16.0 GT/s PCIe",
        "current_link_width": "16",
    },
    driver="amdgpu",
    bridge="0000:02:00.0",
    displays=("disconnected", "connected"),
)


def _apu(carved_out: int, borrowed: int) -> PciReading:
    files = {
        "class": "0x038000",
        "vendor": "0x1002",
        "mem_info_vram_total": str(carved_out),
        "mem_info_vram_used": "100",
        "mem_info_vram_vendor": "unknown",
        "mem_info_gtt_total": str(borrowed),
        "mem_info_gtt_used": "1000",
    }
    return PciReading(pci_id="0000:c3:00.0", files=files, driver="amdgpu", bridge="0000:00:08.1")


def test_a_card_with_memory_of_its_own() -> None:
    (card,) = parse_pci((RX_6800,))
    assert (card.vendor, card.kind, card.shares_host_memory) == ("amd", "discrete", False)
    assert (card.total_bytes, card.free_bytes) == (17_163_091_968, 17_163_091_968 - 692_142_080)
    assert card.display_attached is True
    assert card.link_bytes_per_second == pytest.approx(16 * 1.969e9)


def test_an_integrated_card_borrows_main_memory() -> None:
    (card,) = parse_pci((_apu(512 << 20, 96 * GIB),))
    assert (card.kind, card.shares_host_memory, card.total_bytes) == ("integrated", True, 96 * GIB)
    assert card.free_bytes == 96 * GIB - 1000
    assert card.link_bytes_per_second is None


def test_an_integrated_card_with_most_of_the_memory_cut_off_for_it() -> None:
    (card,) = parse_pci((_apu(96 * GIB, 16 * GIB),))
    assert (card.kind, card.shares_host_memory, card.total_bytes) == ("integrated", False, 96 * GIB)


def test_intel_inside_and_beside_the_processor() -> None:
    inside = PciReading(pci_id="0000:00:02.0", files={"class": "0x030000", "vendor": "0x8086"}, driver="i915")
    files = {"class": "0x030000", "vendor": "0x8086", "tile0/physical_vram_size_bytes": "0x2f8000000"}
    beside = PciReading(pci_id="0000:03:00.0", files=files, driver="xe")
    first, second = parse_pci((inside, beside))
    assert (first.kind, first.shares_host_memory, first.total_bytes) == ("integrated", True, None)
    assert (second.kind, second.shares_host_memory, second.total_bytes) == ("discrete", False, 0x2F8000000)


@pytest.mark.parametrize(
    ("vendor", "kind"),
    [
        ("0x1a03", "0x030000"),  # ASPEED, in servers
        ("0x1af4", "0x038000"),  # virtio
        ("0x15ad", "0x030000"),  # VMware
        ("0x19e5", "0x030000"),  # Huawei's own management chip
        ("0x8086", "0x120000"),  # a laptop's NPU
        ("nonsense", "0x030000"),
    ],
)
def test_what_draws_but_does_not_compute(vendor: str, kind: str) -> None:
    assert parse_pci((PciReading(pci_id="0000:01:00.0", files={"vendor": vendor, "class": kind}),)) == ()


def test_cards_without_their_driver() -> None:
    nouveau = PciReading(pci_id="0000:01:00.0", files={"class": "0x030000", "vendor": "0x10de"}, driver="nouveau")
    assert without_driver((nouveau, RX_6800), "nvidia", frozenset({"nvidia"})) == ("0000:01:00.0",)
    assert without_driver((nouveau, RX_6800), "amd", frozenset({"amdgpu"})) == ()


def test_the_folders_of_the_kernel(tmp_path: Path) -> None:
    device = tmp_path / "devices/pci0000:00/0000:00:08.1/0000:03:00.0"
    for name, content in {
        "class": "0x030000\n",
        "vendor": "0x1002\n",
        "tile0/physical_vram_size_bytes": "0x10\n",
    }.items():
        (device / name).parent.mkdir(parents=True, exist_ok=True)
        (device / name).write_text(content)
    (device / "drm/card0/card0-DP-1").mkdir(parents=True)
    (device / "drm/card0/card0-DP-1/status").write_text("connected\n")
    (tmp_path / "drivers/amdgpu").mkdir(parents=True)
    (device / "driver").symlink_to(tmp_path / "drivers/amdgpu")
    network = tmp_path / "devices/pci0000:00/0000:00:1f.6"
    network.mkdir()
    (network / "class").write_text("0x020000\n")
    bus = tmp_path / "bus"
    bus.mkdir()
    (bus / "0000:03:00.0").symlink_to(device)
    (bus / "0000:00:1f.6").symlink_to(network)
    (reading,) = read_pci(bus)
    assert (reading.pci_id, reading.driver, reading.bridge) == ("0000:03:00.0", "amdgpu", "0000:00:08.1")
    assert reading.displays == ("connected",)
    assert reading.files["tile0/physical_vram_size_bytes"] == "0x10"
    assert read_pci(tmp_path / "nowhere") == ()
    (network / "vendor").write_text("0x8086\n")
    assert read_makers(bus) == frozenset[Vendor]({"amd"})
    assert read_makers(tmp_path / "nowhere") is None
