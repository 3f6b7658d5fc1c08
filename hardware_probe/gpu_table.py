"""The table of published figures of graphics cards, `resources/accelerators.toml`, as values."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache

import msgspec

import resources
from hardware_probe.gpu_names import GIB, GpuName, parse_gpu_name
from hardware_probe.values import AcceleratorKind, Vendor

# Bytes per second of one lane after line coding, by PCI Express generation.
_LANE_BYTES_PER_SECOND = {3: 0.985e9, 4: 1.969e9, 5: 3.938e9}


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFacts:
    """One kind of card, as its maker describes it.

    memory_bytes: total, as the driver reports it; for shared memory, all memory of the machine, None where that is not
    said.
    host_share: for shared memory, the part of it that the card may use; 1.0 otherwise.
    memory_bytes_per_second: theoretical. fp16_flops_per_second: dense matrix products with 32-bit sums.
    link_bytes_per_second: one way between host and card, None where they share memory or the link is no PCI Express.
    chips: processors with memory of their own on the card, each a device to an engine; figures are of the whole card.
    processor_cores: (performance, efficiency) cores of the processor on the same chip; None where there is none, or
    where the chip comes with several.
    confirmed: False where memory or bandwidth are not well attested; a forecast made of them needs a wider range.
    """

    name: str
    vendor: Vendor
    kind: AcceleratorKind
    memory_bytes: int | None
    shares_host_memory: bool
    host_share: float
    memory_bytes_per_second: float
    fp16_flops_per_second: float
    fp32_flops_per_second: float | None
    link_bytes_per_second: float | None
    chips: int
    year: int
    confirmed: bool
    processor_cores: tuple[int, int] | None = None


class _Card(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: str
    bandwidth: float
    fp16: float
    year: int
    aliases: list[str] = []
    gb: int | None = None
    mib: int | None = None
    fp32: float | None = None
    chips: int = 1
    pcie: str | None = None
    confirmed: bool = True
    cores: tuple[int, int] | None = None


class _Group(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    vendor: Vendor
    prefix: str
    pcie: str
    cards: list[_Card]
    reported_share: float = 1.0
    host_share: float | None = None


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    group: list[_Group]


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuEntry:
    """A card beside the names that it goes by and its memory as it is marketed."""

    facts: GpuFacts
    names: tuple[GpuName, ...]
    marketed_gib: int | None


def gpu_table() -> tuple[GpuFacts, ...]:
    """All cards of the table that ships with the app."""
    return tuple(entry.facts for entry in gpu_entries())


@lru_cache(maxsize=1)
def gpu_entries() -> tuple[GpuEntry, ...]:
    """All cards of the table that ships with the app, with their names."""
    return read_entries(resources.path("accelerators.toml").read_text(encoding="utf-8"))


def read_entries(toml_text: str) -> tuple[GpuEntry, ...]:
    """All cards with their names; raises msgspec.ValidationError or tomllib.TOMLDecodeError for an unsound table."""
    table = msgspec.convert(tomllib.loads(toml_text), _Table)
    return tuple(
        GpuEntry(
            facts=_facts(group, card),
            names=tuple(parse_gpu_name(name) for name in (f"{group.prefix} {card.name}", *card.aliases)),
            marketed_gib=card.gb,
        )
        for group in table.group
        for card in group.cards
    )


def _facts(group: _Group, card: _Card) -> GpuFacts:
    shared = group.host_share is not None
    if shared == (card.gb is not None):
        raise msgspec.ValidationError(f"{card.name}: memory of its own or a share of the host's, one of the two")
    memory_bytes = None
    if card.gb is not None:
        memory_bytes = card.mib * 1024**2 if card.mib is not None else int(card.gb * GIB * group.reported_share)
    return GpuFacts(
        name=f"{group.prefix} {card.name}",
        vendor=group.vendor,
        kind="integrated" if shared else "discrete",
        memory_bytes=memory_bytes,
        shares_host_memory=shared,
        host_share=1.0 if group.host_share is None else group.host_share,
        memory_bytes_per_second=card.bandwidth * 1e9,
        fp16_flops_per_second=card.fp16 * 1e12,
        fp32_flops_per_second=None if card.fp32 is None else card.fp32 * 1e12,
        link_bytes_per_second=_link(group.pcie if card.pcie is None else card.pcie),
        chips=card.chips,
        year=card.year,
        confirmed=card.confirmed,
        processor_cores=card.cores,
    )


def _link(pcie: str) -> float | None:
    if not pcie:
        return None
    generation, _, lanes = pcie.partition("x")
    try:
        return _LANE_BYTES_PER_SECOND[int(generation)] * int(lanes)
    except (ValueError, KeyError):
        raise msgspec.ValidationError(f"pcie {pcie!r}: GENERATIONxLANES") from None
