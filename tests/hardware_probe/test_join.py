"""Sightings of the same card, of cards that only look the same, and of memory that is main memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_probe.join import join
from hardware_probe.sighting import Sighting
from hardware_probe.sources.engine import parse_engine_devices
from hardware_probe.sources.nvidia import parse_nvidia
from hardware_probe.sources.vulkan import parse_vulkan
from hardware_probe.values import AcceleratorUser, Memory
from tests.hardware_probe.recorded import recorded

HOST = Memory(total_bytes=16_000_000_000, available_bytes=9_000_000_000, limited_by_group=False)
NVML = Sighting(
    source="nvml",
    vendor="nvidia",
    name="NVIDIA GeForce RTX 4060",
    pci_id="0000:01:00.0",
    kind="discrete",
    total_bytes=8_000_000_000,
    free_bytes=6_000_000_000,
    driver="550.54.14",
    users=(AcceleratorUser(pid=1, name="Xorg", used_bytes=5),),
)
CUDA = Sighting(
    source="engine",
    vendor="nvidia",
    name="NVIDIA GeForce RTX 4060",
    pci_id="0000:01:00.0",
    kind="discrete",
    total_bytes=7_900_000_000,
    free_bytes=7_000_000_000,
    engine_device="CUDA0",
    shares_host_memory=False,
)
BUS = Sighting(source="pci", vendor="nvidia", pci_id="0000:01:00.0", kind="discrete", display_attached=True)


def _sightings(found: object) -> tuple[Sighting, ...]:
    assert isinstance(found, tuple)
    return found


def test_one_card_from_three_sources() -> None:
    (card,) = join([BUS, CUDA, NVML], HOST)
    assert (card.total_bytes, card.free_bytes) == (8_000_000_000, 6_000_000_000)
    assert (card.engine_device, card.display_attached, card.driver) == ("CUDA0", True, "550.54.14")
    assert card.sources == ("nvml", "pci", "engine")
    assert not card.driver_too_old


def test_a_hidden_card_is_listed_without_an_engine_device() -> None:
    other = Sighting(source="nvml", vendor="nvidia", name=NVML.name, pci_id="0000:02:00.0", total_bytes=8_000_000_000)
    shown, hidden = join([NVML, other, CUDA], HOST)
    assert (shown.pci_id, shown.engine_device) == ("0000:01:00.0", "CUDA0")
    assert (hidden.pci_id, hidden.engine_device) == ("0000:02:00.0", None)


def test_two_back_ends_of_one_card_and_the_first_one_is_used() -> None:
    vulkan = Sighting(
        source="engine", vendor="nvidia", name="GeForce RTX 4060", kind="discrete", engine_device="Vulkan0"
    )
    (card,) = join([NVML, CUDA, vulkan], HOST)
    assert card.engine_device == "CUDA0"


def test_two_equal_cards_without_addresses_stay_two() -> None:
    def seen(source: str, number: int) -> Sighting:
        device = f"ROCm{number}" if source == "engine" else None
        return Sighting(source=source, vendor="amd", name="Radeon VII", total_bytes=16 + number, engine_device=device)

    cards = join([seen("rocm-smi", 0), seen("rocm-smi", 1), seen("engine", 0), seen("engine", 1)], HOST)
    assert [card.engine_device for card in cards] == ["ROCm1", "ROCm0"]


def test_chips_that_share_an_address_stay_two() -> None:
    chips = [
        Sighting(source="npu-smi", vendor="huawei", name="Ascend 310P3", pci_id="0000:01:00.0", total_bytes=size)
        for size in (44280, 43693)
    ]
    on_bus = Sighting(source="pci", vendor="huawei", pci_id="0000:01:00.0", kind="discrete")
    assert [card.total_bytes for card in join([*chips, on_bus], HOST)] == [44280, 43693]


def test_the_engine_sees_one_slice_and_it_is_the_one_of_its_size() -> None:
    slices = _sightings(parse_nvidia(recorded("nvml-a100-mig.json")))
    cuda = Sighting(
        source="engine",
        vendor="nvidia",
        name="NVIDIA A100-PCIE-40GB MIG 1g.5gb",
        pci_id="0000:65:00.0",
        total_bytes=5_100_000_000,
        engine_device="CUDA0",
    )
    large, small = join([cuda, *slices], HOST)
    assert (large.engine_device, small.engine_device) == (None, "CUDA0")
    assert large.is_slice
    assert small.is_slice


def test_a_laptop_with_two_kinds_of_graphics() -> None:
    engine = _sightings(parse_engine_devices(recorded("engine-laptop.json")))
    discrete, integrated = join(engine, HOST)
    assert (discrete.engine_device, discrete.kind, discrete.total_bytes) == ("CUDA0", "discrete", 8_585_740_288)
    assert (integrated.engine_device, integrated.kind, integrated.shares_host_memory) == ("Vulkan1", "integrated", True)
    # All of its "33 GB" are main memory, of which there are 16, and 9 available.
    assert (integrated.total_bytes, integrated.free_bytes) == (16_000_000_000, 9_000_000_000)


def test_the_kernel_knows_better_than_vulkan_what_an_integrated_card_borrows() -> None:
    on_bus = Sighting(
        source="pci",
        vendor="amd",
        pci_id="0000:03:00.0",
        kind="integrated",
        total_bytes=7_000_000_000,
        free_bytes=6_500_000_000,
        shares_host_memory=True,
    )
    seen = _sightings(parse_vulkan(recorded("vulkaninfo-apu-and-llvmpipe.txt")))
    (card,) = join([*seen, on_bus], HOST)
    assert card.name == "AMD Radeon Graphics (RADV RENOIR)"
    assert (card.total_bytes, card.free_bytes) == (7_000_000_000, 6_500_000_000)


def test_the_list_of_pci_names_is_the_least_exact() -> None:
    on_bus = Sighting(source="pci", vendor="amd", name="AMD Radeon RX 6800/6800 XT / 6900 XT", pci_id="0000:03:00.0")
    seen = Sighting(source="engine", vendor="amd", name="AMD Radeon RX 6800", pci_id="0000:03:00.0")
    assert join([on_bus, seen], HOST)[0].name == "AMD Radeon RX 6800"
    assert join([on_bus], HOST)[0].name == "AMD Radeon RX 6800/6800 XT / 6900 XT"


def test_a_second_vulkan_driver_is_no_second_card() -> None:
    radv = Sighting(source="vulkaninfo", vendor="amd", name="AMD Radeon RX 6600 XT (RADV NAVI23)", kind="discrete")
    amdvlk = Sighting(source="vulkaninfo", vendor="amd", name="AMD Radeon RX 6600 XT", kind="discrete")
    on_bus = Sighting(source="pci", vendor="amd", pci_id="0000:0a:00.0", kind="discrete", total_bytes=8)
    assert len(join([radv, amdvlk, on_bus], HOST)) == 1


def test_under_wsl_the_driver_is_that_of_windows() -> None:
    seen = _sightings(parse_nvidia(recorded("nvml-wsl.json")))
    assert join(seen, HOST, wsl=True)[0].driver_minimum == "528.33"


def test_unknown_memory_stays_unknown() -> None:
    spark = _sightings(parse_nvidia(recorded("nvml-gb10.json")))
    cuda = Sighting(
        source="engine",
        vendor="nvidia",
        pci_id="000f:01:00.0",
        kind="integrated",
        total_bytes=15_000_000_000,
        free_bytes=12_000_000_000,
        shares_host_memory=True,
        engine_device="CUDA0",
    )
    assert join(spark, HOST)[0].total_bytes is None
    (card,) = join([*spark, cuda], HOST)
    assert (card.kind, card.total_bytes, card.free_bytes) == ("integrated", 15_000_000_000, 9_000_000_000)


@pytest.mark.parametrize(("driver", "old"), [("470.256.02", True), ("525.60.13", False), ("580", False), ("?", False)])
def test_old_drivers(driver: str, old: bool) -> None:
    (card,) = join([Sighting(source="nvml", vendor="nvidia", name="X", driver=driver)], HOST)
    assert card.driver_too_old is (old and card.driver_minimum is not None)


_SIZES = st.none() | st.integers(1, 1 << 45)
_SIGHTINGS = st.builds(
    Sighting,
    source=st.sampled_from(["nvml", "engine", "vulkaninfo", "pci", "rocm-smi"]),
    vendor=st.sampled_from(["nvidia", "amd", "other"]),
    name=st.sampled_from(["", "Radeon VII", "GeForce RTX 4060", "NVIDIA GeForce RTX 4060"]),
    pci_id=st.sampled_from(["", "0000:01:00.0", "0000:02:00.0"]),
    kind=st.sampled_from([None, "discrete", "integrated"]),
    total_bytes=_SIZES,
    free_bytes=_SIZES,
    shares_host_memory=st.none() | st.booleans(),
    engine_device=st.sampled_from([None, "CUDA0", "CUDA1", "Vulkan0"]),
)


@given(st.lists(_SIGHTINGS, max_size=8))
def test_no_sighting_is_lost_or_counted_twice(sightings: list[Sighting]) -> None:
    cards = join(sightings, HOST)
    assert len(cards) <= len(sightings)
    addresses = {one.pci_id for one in sightings if one.pci_id}
    assert addresses == {card.pci_id for card in cards if card.pci_id}
    for card in cards:
        assert card.free_bytes is None or (card.total_bytes is not None and card.free_bytes <= card.total_bytes)
        if card.shares_host_memory and card.total_bytes is not None:
            assert card.total_bytes <= HOST.total_bytes
            assert card.free_bytes is not None
