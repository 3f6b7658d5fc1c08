"""What is not as it should be with the accelerators, and what the user can do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hardware_probe.sighting import Sighting
from hardware_probe.sources import pci
from hardware_probe.surroundings import Surroundings
from hardware_probe.values import Accelerator, ProbeIssue, Vendor

# Kernel drivers with which these makers' cards can compute; nouveau and no driver at all cannot.
_KERNEL_DRIVERS: Mapping[Vendor, frozenset[str]] = {"nvidia": frozenset({"nvidia"}), "amd": frozenset({"amdgpu"})}


def gpu_issue(detail: str, *, advice: str, expected: bool = False) -> ProbeIssue:
    """An issue with the accelerators."""
    return ProbeIssue(part="gpu", detail=detail, expected=expected, advice=advice)


def missing_drivers(
    surroundings: Surroundings, sightings: Sequence[Sighting], *, nvml_started: bool
) -> list[ProbeIssue]:
    """Pure. Cards on the bus that their maker's driver does not serve, and that nobody else sees either.

    In a container the bus shows all cards of the computer, with or without a way to them.
    """
    seen = {one.vendor for one in sightings}
    issues = []
    for vendor, drivers in _KERNEL_DRIVERS.items():
        idle = pci.without_driver(surroundings.cards_on_bus, vendor, drivers)
        if idle and vendor not in seen:
            detail = f"{vendor} card without its driver at {', '.join(idle)}"
            issues.append(gpu_issue(detail, advice=f"install_{vendor}_driver"))
    served = [one.pci_id for one in surroundings.cards_on_bus if one.driver == "nvidia"]
    if served and "nvidia" not in seen and not nvml_started:
        issues.append(gpu_issue(f"no device file of the card at {', '.join(served)}", advice="card_not_passed_on"))
    return issues


def odd_cards(accelerators: tuple[Accelerator, ...], surroundings: Surroundings) -> list[ProbeIssue]:
    """Pure. Old drivers, cards of unknown size, cards that a variable hides."""
    issues = []
    for one in accelerators:
        if one.driver_too_old:
            detail = f"{one.name}: driver {one.driver} is older than {one.driver_minimum}"
            issues.append(gpu_issue(detail, advice="update_nvidia_driver"))
        if one.total_bytes is None and one.kind == "discrete" and pci.SOURCE not in one.sources:
            issues.append(gpu_issue(f"{one.name}: memory unknown", advice="memory_unknown"))
    hidden = [one.name for one in accelerators if one.engine_device is None and not one.is_slice]
    if hidden and surroundings.hidden and surroundings.has_engine:
        detail = f"{', '.join(hidden)}: {', '.join(surroundings.hidden)} is set"
        issues.append(gpu_issue(detail, advice="hidden_card", expected=True))
    return issues


def unused_cards(accelerators: tuple[Accelerator, ...]) -> list[ProbeIssue]:
    """Pure. Cards that work, but for which the engine here has no back end; said once, where it uses none of them."""
    cards = [one for one in accelerators if one.kind == "discrete"]
    if not cards or any(one.engine_device for one in cards):
        return []
    return [gpu_issue(f"no back end for {', '.join(one.name for one in cards)}", advice="no_back_end", expected=True)]
