"""Published figures of graphics cards that are not at hand, found by the names that people and drivers give them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from hardware_probe.gpu_names import FILLERS, GIB, OPTIONAL, GpuName, parse_gpu_name
from hardware_probe.gpu_names import parse_size as parse_size
from hardware_probe.gpu_table import GpuEntry, gpu_entries
from hardware_probe.gpu_table import GpuFacts as GpuFacts
from hardware_probe.gpu_table import gpu_table as gpu_table

# As many devices as the engine's dry run can imagine.
MOST_GPUS = 8
_MOST_CANDIDATES = 6
_SMALLEST_SHARED_GIB, _LARGEST_SHARED_GIB = 2, 2048
# A question may be a little off the marketed size ("80 GB" of 79.6); two variants never lie this close.
_SIZE_TOLERANCE = 0.04
# A driver reports less than is marketed, and each driver another part of it.
_REPORTED_TOLERANCE = 0.12

# Only the driver's "H100 80GB HBM3" tells a form by it; else people may add it to any card.
_KIND_OF_MEMORY = {"hbm", "gddr"}

NotFoundReason = Literal["unknown", "ambiguous", "memory", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFound:
    """What was asked for, `count` times."""

    facts: GpuFacts
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuNotFound:
    """No single card is meant by the text.

    reason: "unknown": no such card in the table; "ambiguous": several, with different memory; "memory": the card
    exists, but not with that much memory; "count": none, or more than MOST_GPUS at once.
    candidates: names that can be asked for instead, nearest first.
    """

    text: str
    reason: NotFoundReason
    candidates: tuple[str, ...] = ()


def find_gpu(text: str) -> GpuFound | GpuNotFound:
    """What a person means by "RTX 4060 8GB", "rtx4060", "4060 laptop", "2x RTX 3090", "M2 Max 64GB".

    Of cards that differ in neither name nor memory (PCIe and SXM) it is the slower one: a promise has to be kept.
    """
    name = parse_gpu_name(text)
    if not 1 <= name.count <= MOST_GPUS:
        return GpuNotFound(text=text, reason="count")
    meant = _meant(name, gpu_entries())
    if not meant:
        reason: NotFoundReason = "ambiguous" if _holding(name) else "unknown"
        return GpuNotFound(text=text, reason=reason, candidates=_nearest(name))
    fitting = [entry for entry in meant if _has_memory(entry, name.memory_gib)]
    if not fitting:
        return GpuNotFound(text=text, reason="memory", candidates=_names(meant) + _variants(name, meant))
    if name.memory_gib is None and len(plain := [entry for entry in fitting if not _says_memory(entry)]) == 1:
        fitting = plain
    if len({entry.marketed_gib for entry in fitting}) > 1:
        return GpuNotFound(text=text, reason="ambiguous", candidates=_names(fitting))
    slowest = min((entry.facts for entry in fitting), key=lambda facts: facts.memory_bytes_per_second)
    return GpuFound(facts=_with_memory(slowest, name.memory_gib), count=name.count)


def find_reported_gpu(name: str, total_bytes: int | None) -> GpuFacts | None:
    """The card behind the name that a driver or the engine gives it; None when that is not certain.

    total_bytes: of its memory as reported, which tells variants apart and keeps slices of a card from passing for it.
    """
    meant = _meant(parse_gpu_name(name), gpu_entries())
    if total_bytes is not None:
        meant = [entry for entry in meant if _reports(entry.facts, total_bytes)]
        meant.sort(key=lambda entry: abs((entry.facts.memory_bytes or total_bytes) - total_bytes))
        meant = [entry for entry in meant if entry.marketed_gib == meant[0].marketed_gib]
    return min((entry.facts for entry in meant), key=lambda facts: facts.memory_bytes_per_second, default=None)


# ---- names ----------------------------------------------------------------------------------------------------------


def _meant(name: GpuName, entries: Iterable[GpuEntry]) -> list[GpuEntry]:
    """Entries of which the name says everything that matters; of these, those that leave least of it unexplained."""
    ranked: dict[int, list[GpuEntry]] = {}
    for entry in entries:
        unexplained = [count for own in entry.names if (count := _unexplained(name, own)) is not None]
        if unexplained:
            ranked.setdefault(min(unexplained), []).append(entry)
    return ranked[min(ranked)] if ranked else []


def _unexplained(asked: GpuName, own: GpuName) -> int | None:
    """How many telling words of the question are not in the card's name; None: another card is meant."""
    if not (asked.words & own.words) - FILLERS or _needed(own) - asked.words:
        return None
    extra = asked.words - own.words - FILLERS
    return None if extra - _KIND_OF_MEMORY else len(extra)


def _needed(own: GpuName) -> frozenset[str]:
    return frozenset(word for word in own.words - OPTIONAL if not word.startswith("cores"))


def _holding(name: GpuName) -> list[GpuEntry]:
    """Entries whose name holds all that is asked for, and more."""
    words = name.words - FILLERS
    if not any(word.isdigit() for word in words):
        return []
    return [entry for entry in gpu_entries() if any(words <= own.words for own in entry.names)]


def _nearest(name: GpuName) -> tuple[str, ...]:
    holding = _names(_holding(name))
    if holding:
        return holding
    numbers = {word for word in name.words if word.isdigit() and len(word) > 2}
    same = [entry for entry in gpu_entries() if any(numbers & own.words for own in entry.names)]
    by_text = {_plain(own): entry for entry in gpu_entries() for own in entry.names}
    alike = difflib.get_close_matches(_plain(name), by_text, n=_MOST_CANDIDATES, cutoff=0.5)
    return _names([*same, *(by_text[text] for text in alike)])


def _plain(name: GpuName) -> str:
    return " ".join(sorted(name.words - FILLERS))


def _names(entries: Iterable[GpuEntry]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry.facts.name for entry in entries))[:_MOST_CANDIDATES]


# ---- memory ---------------------------------------------------------------------------------------------------------


def _says_memory(entry: GpuEntry) -> bool:
    return entry.names[0].memory_gib is not None


def _has_memory(entry: GpuEntry, asked_gib: float | None) -> bool:
    if asked_gib is None:
        return True
    if entry.marketed_gib is None:
        return _SMALLEST_SHARED_GIB <= asked_gib <= _LARGEST_SHARED_GIB
    return abs(entry.marketed_gib - asked_gib) <= _SIZE_TOLERANCE * entry.marketed_gib


def _variants(name: GpuName, others: list[GpuEntry]) -> tuple[str, ...]:
    """Other cards of nearly that name, with the memory that is asked for."""
    room = _MOST_CANDIDATES - len(_names(others))
    return _names(entry for entry in _holding(name) if entry not in others and _has_memory(entry, name.memory_gib))[
        : max(0, room)
    ]


def _reports(facts: GpuFacts, total_bytes: int) -> bool:
    if facts.memory_bytes is None:
        return True
    own = facts.memory_bytes / facts.chips
    return abs(own - total_bytes) <= _REPORTED_TOLERANCE * own


def _with_memory(facts: GpuFacts, asked_gib: float | None) -> GpuFacts:
    if not facts.shares_host_memory or asked_gib is None:
        return facts
    return replace(facts, memory_bytes=int(asked_gib * GIB))
