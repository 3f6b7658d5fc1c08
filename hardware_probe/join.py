"""Joins what several sources say of one card.

Which sightings are of one card: the same PCI address; without one, the same maker and a name that does not contradict,
in the order in which both sources list them. Two sightings from one source are always two cards (two chips of a board
may share an address), except that each of the engine's back ends counts as a source: CUDA0 and Vulkan0 may be one card.

Whose word counts, field by field: the first source, in this order, that says anything at all.
- memory: the maker's driver or tool, the kernel's files, the engine, Vulkan. The engine comes late, for on several
  back ends it does not see what other programs hold (Metal) or takes everything for free (Vulkan without a budget).
  For main memory that graphics borrow (Apple, integrated) the engine comes first: only it knows its own limit.
- what it is (kind, shared memory): the engine, Vulkan, then the others, for the engine acts on its own view.
- name: the maker's tool, the engine, Vulkan; the list of PCI names comes last, for it names several models at once.
Shared memory is bounded by what main memory has, so that nobody plans on more than there is; it says so by
`shares_host_memory`, and is counted once by whoever counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from hardware_probe.drivers import driver_minimum, is_older
from hardware_probe.sighting import Sighting
from hardware_probe.sources import engine, pci, vulkan
from hardware_probe.values import Accelerator, Memory

Value = TypeVar("Value")
_LATE_FOR_MEMORY = (pci.SOURCE, engine.SOURCE, vulkan.SOURCE)
_EARLY_FOR_KIND = (engine.SOURCE, vulkan.SOURCE)


@dataclass(slots=True)
class _Card:
    """The sightings of one card, in the order in which they came."""

    sightings: list[Sighting] = field(default_factory=list)

    def first(self, get: Callable[[Sighting], Value | None], order: Iterable[Sighting] | None = None) -> Value | None:
        """What the first sighting that says it says."""
        said = (get(sighting) for sighting in order or self.sightings)
        return next((value for value in said if value not in (None, "", ())), None)

    def has_voice(self, voice: str) -> bool:
        return any(_voice(sighting) == voice for sighting in self.sightings)


def join(sightings: Iterable[Sighting], memory: Memory | None, *, wsl: bool = False) -> tuple[Accelerator, ...]:
    """Pure. One accelerator for each card, those with the most memory of their own first.

    memory: bounds shared memory. wsl: Linux inside of Windows, whose NVIDIA driver is that of Windows.
    """
    ordered = sorted(sightings, key=_trust)
    cards: list[_Card] = []
    # Addresses first: a sighting without one then finds all cards that it could mean.
    for sighting in sorted(ordered, key=lambda one: not one.pci_id):
        card = _same_card(cards, sighting)
        if card is not None:
            card.sightings.append(sighting)
        elif not _is_second_view(cards, sighting):
            cards.append(_Card(sightings=[sighting]))
    accelerators = [_accelerator(card, memory, wsl=wsl) for card in cards]
    return tuple(sorted(accelerators, key=lambda one: (one.kind == "integrated", -(one.total_bytes or 0))))


def _trust(sighting: Sighting) -> int:
    """Whom to believe about memory: makers' tools 0, then the general sources."""
    late = _LATE_FOR_MEMORY
    return late.index(sighting.source) + 1 if sighting.source in late else 0


def _voice(sighting: Sighting) -> str:
    """The source, and for the engine also its back end."""
    return sighting.source + engine.backend_of(sighting.engine_device or "")


def _same_card(cards: list[_Card], sighting: Sighting) -> _Card | None:
    candidates = [card for card in cards if not card.has_voice(_voice(sighting))]
    if sighting.pci_id:
        fitting = [card for card in candidates if card.first(lambda one: one.pci_id) == sighting.pci_id]
        # Slices of a card share its address; the engine sees one of them, which is known by its size.
        return min(fitting, key=lambda card: _size_distance(card, sighting), default=None)
    return next((card for card in candidates if _may_be(card, sighting)), None)


def _size_distance(card: _Card, sighting: Sighting) -> int:
    total = card.first(lambda one: one.total_bytes)
    return abs(total - sighting.total_bytes) if total and sighting.total_bytes else 0


def _may_be(card: _Card, sighting: Sighting) -> bool:
    if any(one.vendor != sighting.vendor for one in card.sightings):
        return False
    kind = card.first(lambda one: one.kind)
    if kind and sighting.kind and kind != sighting.kind:
        return False
    name = card.first(lambda one: one.name) or ""
    return not name or not sighting.name or _is_like(name, sighting.name)


def _is_like(one: str, other: str) -> bool:
    """ "NVIDIA GeForce RTX 4060" and "GeForce RTX 4060", "AMD Radeon RX 6800 (RADV NAVI21)" and "Radeon RX 6800"."""
    words_of_one, words_of_other = (set(re.findall(r"[a-z0-9]+", name.lower())) for name in (one, other))
    shorter = min(words_of_one, words_of_other, key=len)
    return bool(shorter) and len(words_of_one & words_of_other) * 2 > len(shorter)


def _is_second_view(cards: list[_Card], sighting: Sighting) -> bool:
    """A Vulkan card that fits to none, of a maker whose cards are known: a second driver's view of one of them."""
    return (
        sighting.source == vulkan.SOURCE
        and not sighting.pci_id
        and any(one.vendor == sighting.vendor for card in cards for one in card.sightings)
    )


def _accelerator(card: _Card, memory: Memory | None, *, wsl: bool) -> Accelerator:
    by_kind = sorted(card.sightings, key=lambda one: one.source not in _EARLY_FOR_KIND)
    first = card.sightings[0]
    shares = bool(card.first(lambda one: one.shares_host_memory, by_kind))
    by_own_limit = sorted(card.sightings, key=lambda one: one.source != engine.SOURCE)
    total, free = _memory(card, memory if shares else None, by_own_limit if shares else card.sightings)
    driver = card.first(lambda one: one.driver) or ""
    minimum = driver_minimum(first.vendor, wsl=wsl)
    return Accelerator(
        name=card.first(lambda one: one.name, sorted(card.sightings, key=lambda one: one.source == pci.SOURCE)) or "",
        vendor=next((one.vendor for one in card.sightings if one.vendor != "other"), "other"),
        kind=card.first(lambda one: one.kind, by_kind) or "discrete",
        total_bytes=total,
        free_bytes=free,
        shares_host_memory=shares,
        pci_id=card.first(lambda one: one.pci_id) or "",
        engine_device=card.first(lambda one: one.engine_device),
        driver=driver,
        driver_minimum=minimum,
        driver_too_old=is_older(driver, minimum),
        compute_capability=card.first(lambda one: one.compute_capability) or "",
        display_attached=card.first(lambda one: one.display_attached),
        is_slice=any(one.is_slice for one in card.sightings),
        users=card.first(lambda one: one.users) or (),
        memory_bytes_per_second=card.first(lambda one: one.memory_bytes_per_second),
        link_bytes_per_second=card.first(lambda one: one.link_bytes_per_second),
        sources=tuple(_unique(one.source for one in card.sightings)),
    )


def _memory(card: _Card, host: Memory | None, order: list[Sighting]) -> tuple[int | None, int | None]:
    """Total and free from the first source that knows the total; where it does not know what is free, from the next."""
    total = card.first(lambda one: one.total_bytes, order)
    free = card.first(lambda one: one.free_bytes, order)
    if total is None:
        return None, None
    if host is not None:
        total = min(total, host.total_bytes)
        free = min(total if free is None else free, host.available_bytes)
    return total, None if free is None else min(free, total)


def _unique(names: Iterable[str]) -> Iterator[str]:
    return iter(dict.fromkeys(names))
