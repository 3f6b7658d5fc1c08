"""One word for a plan: does it fit, and what has to be put up with."""

from __future__ import annotations

from inference.planning.budget import Pool, pools
from inference.planning.values import HOST, Bill, DeviceBytes, Machine, Verdict
from inference.values import LoadPlan

# Room that lets a plan be called comfortable, on every device that it uses: so much of the budget, or so many bytes.
ROOM_FRACTION = 0.15
ROOM_BYTES = 1024**3
# Best first; a change is an improvement when it leads to an earlier one.
ORDER: tuple[Verdict, ...] = ("fits", "tight", "partly_on_cpu", "larger_than_memory", "does_not_fit")


def judge(bill: Bill, plan: LoadPlan, machine: Machine) -> Verdict:
    """The verdict; the worst that applies.

    does_not_fit: what has to stay in memory (all but mapped weights) exceeds a budget. larger_than_memory: with its
    mapped weights the model exceeds the free main memory, so that it is read from disk again and again.
    partly_on_cpu: there is a graphics card, but layers, or large weights of layers, are computed by the processor.
    tight: on some device less than 15 % of the budget and less than 1 GiB stay free.
    """
    used = [pool for pool in pools(machine) if any(bar.name == pool.name for bar in bill.devices)]
    if any(_spare_bytes(bill, pool) < 0 for pool in used):
        return "does_not_fit"
    host = bar_of(bill, HOST)
    shared = sum(bar.total_bytes for bar in bill.devices if bar.name in _sharing_host(machine))
    if host.soft_bytes and host.total_bytes + shared > machine.host.free_bytes:
        return "larger_than_memory"
    if _leans_on_processor(bill, plan, machine):
        return "partly_on_cpu"
    return "fits" if all(_is_roomy(bill, pool) for pool in used) else "tight"


def improves(before: Verdict, after: Verdict) -> bool:
    """Whether `after` is the better verdict."""
    return ORDER.index(after) < ORDER.index(before)


def bar_of(bill: Bill, name: str) -> DeviceBytes:
    """The bill's bar of a device that it names."""
    return next(bar for bar in bill.devices if bar.name == name)


def _leans_on_processor(bill: Bill, plan: LoadPlan, machine: Machine) -> bool:
    """A layer lies where its keys and values lie; overrides name the weights that are taken out of a layer.

    A card that shares main memory is no better place than the processor, and who asked for the processor got it.
    """
    if all(device.shares_host_memory for device in machine.devices):
        return False
    asked_for = any(choice.field == "gpu_layers" and choice.chosen_by == "user" for choice in plan.choices)
    if asked_for and not plan.placement.devices:
        return False
    on_host = any(override.device == HOST for override in plan.placement.overrides)
    return on_host or bar_of(bill, HOST).state_bytes > 0


def _is_roomy(bill: Bill, pool: Pool) -> bool:
    # Mapped pages can be dropped, but a comfortable plan does not live from that.
    spare = _spare_bytes(bill, pool) - sum(bar.soft_bytes for bar in _bars(bill, pool))
    return spare >= min(ROOM_BYTES, ROOM_FRACTION * bar_of(bill, pool.name).budget_bytes)


def _spare_bytes(bill: Bill, pool: Pool) -> int:
    """The bar's own budget counts: it is lower than the machine's where a failure has taught that."""
    return bar_of(bill, pool.name).budget_bytes - sum(bar.hard_bytes for bar in _bars(bill, pool))


def _bars(bill: Bill, pool: Pool) -> list[DeviceBytes]:
    return [bar for bar in bill.devices if bar.name in pool.members]


def _sharing_host(machine: Machine) -> frozenset[str]:
    return frozenset(device.name for device in machine.devices if device.shares_host_memory)
