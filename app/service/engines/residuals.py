"""What loaded models hold beyond their bill: compared, and remembered for the next plan."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from inference.planning.values import HOST, Bill, DeviceBytes, Residuals
from inference.values import MeasuredMemory
from resources.atomic_file import write_atomically

log = logging.getLogger(__name__)

# A residual that turns out smaller is believed bit by bit: the next load may be the larger one again.
_FORGETTING = 0.25


# ---- pure


def unlearned_bytes(bill: Bill, bar: DeviceBytes) -> int:
    """What the bill says of a device without what earlier residuals added to it (`inference.planning.bill`): a "pool"
    line for an accelerator, a second "process" line for the host."""
    kind, own_lines = ("process", 1) if bar.name == HOST else ("pool", 0)
    lines = [term.bytes for term in bill.terms if term.device == bar.name and term.kind == kind]
    return bar.hard_bytes - sum(lines[own_lines:])


def held_bytes(memory: MeasuredMemory, device: str) -> int | None:
    """What was measured on a device; None where nothing is known."""
    held = memory.private_bytes if device == HOST else memory.device_bytes.get(device, 0)
    return held or None


def residuals(bill: Bill, memory: MeasuredMemory) -> dict[str, int]:
    """Bytes beyond the bill by device, 0 or more; devices that could not be measured are left out."""
    found: dict[str, int] = {}
    for bar in bill.devices:
        held = held_bytes(memory, bar.name)
        if held is not None:
            found[bar.name] = max(0, held - unlearned_bytes(bill, bar))
    return found


def overdrawn(bill: Bill, memory: MeasuredMemory) -> tuple[str, int] | None:
    """(device, bytes) of the worst one that holds more than was free when the plan was made: budget and reserve.

    A model that was planned to be larger than the memory is not overdrawn by what was planned.
    """
    excess = {
        bar.name: held - max(bar.free_bytes, bar.hard_bytes)
        for bar in bill.devices
        if (held := held_bytes(memory, bar.name)) is not None
    }
    worst = max(excess, key=lambda name: excess[name], default=None)
    return None if worst is None or excess[worst] <= 0 else (worst, excess[worst])


# ---- kept


@dataclass(slots=True)
class _Book:
    """engine: whose residuals these are; another version starts anew. extra_bytes: by architecture and device."""

    engine: str = ""
    extra_bytes: dict[str, dict[str, int]] = field(default_factory=dict)


class ResidualBook:
    """Residuals of this computer in a JSON file of the data folder. For one thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._book = _read(file)

    def of(self, architecture: str) -> Residuals:
        """What models of this architecture are known to hold beyond their bill."""
        return Residuals(device_bytes=dict(self._book.extra_bytes.get(architecture, {})))

    def observe(self, engine: str, architecture: str, found: Mapping[str, int]) -> None:
        """A load left these residuals. A larger one is believed at once."""
        if engine != self._book.engine:
            self._book = _Book(engine=engine)
        known = self._book.extra_bytes.setdefault(architecture, {})
        for device, extra in found.items():
            before = known.get(device, 0)
            known[device] = extra if extra >= before else round(before + _FORGETTING * (extra - before))
        try:
            self._file.parent.mkdir(exist_ok=True)
            write_atomically(self._file, msgspec.json.encode(self._book))
        except OSError as error:
            log.warning("residuals are not kept: %s", error)


def _read(file: Path) -> _Book:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Book)
    except (OSError, msgspec.MsgspecError):
        return _Book()
