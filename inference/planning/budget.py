"""Whether a bill keeps within the memory that may be taken; memory shared by host and device is counted once."""

from __future__ import annotations

from dataclasses import dataclass

from inference.planning.values import HOST, Bill, Limits, Machine

_CARD_GROWTH_SHARE = 0.25
_HOST_GROWTH_SHARE, _HOST_GROWTH_BYTES, _NEXT_TO_NOTHING = 0.125, 1024**3, 1 / 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Memory that the named bars of a bill draw from together."""

    name: str
    members: tuple[str, ...]
    budget_bytes: int


def pools(machine: Machine, limits: Limits | None = None) -> tuple[Pool, ...]:
    """The host's memory with all devices that share it, then each device for itself."""
    taught = limits.device_bytes if limits is not None else {}
    shared = tuple(device.name for device in machine.devices if device.shares_host_memory)
    host = machine.host.budget_bytes - taught.get(HOST, 0)
    return (
        Pool(name=HOST, members=(HOST, *shared), budget_bytes=max(0, host)),
        *(
            Pool(
                name=device.name,
                members=(device.name,),
                budget_bytes=max(0, device.budget_bytes - taught.get(device.name, 0)),
            )
            for device in machine.devices
        ),
    )


def hard_bytes(bill: Bill, pool: Pool) -> int:
    """What the bill takes for good from a pool."""
    return sum(device.hard_bytes for device in bill.devices if device.name in pool.members)


def shortages(bill: Bill, machine: Machine, limits: Limits | None = None) -> dict[str, int]:
    """By pool, the bytes that are missing; {} when everything fits."""
    missing = {pool.name: hard_bytes(bill, pool) - pool.budget_bytes for pool in pools(machine, limits)}
    return {name: count for name, count in missing.items() if count > 0}


def spare_fraction(bill: Bill, machine: Machine, limits: Limits | None = None) -> float:
    """Of the fullest pool that the bill draws from, the share of its budget that stays free; below 0: too little."""
    spare = 1.0
    for pool in pools(machine, limits):
        used = hard_bytes(bill, pool)
        if used:
            spare = min(spare, 1 - used / pool.budget_bytes if pool.budget_bytes else -1.0)
    return spare


def most_growth_bytes(pool: str, left_bytes: int) -> float:
    """What a longer context than usual may take of a pool of which so much is left.

    A quarter of a card's memory, which is there for models. Other programs live of main memory too: an eighth, and not
    more than a GiB, but where that is next to nothing.
    """
    if pool != HOST:
        return _CARD_GROWTH_SHARE * left_bytes
    return min(_HOST_GROWTH_SHARE * left_bytes, max(_HOST_GROWTH_BYTES, _NEXT_TO_NOTHING * left_bytes))
