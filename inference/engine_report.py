"""Asks the engine in a throw-away child what it is and what it can use here: drivers may hang, or end the process."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from hardware_probe.tool import run_tool
from inference.worker.death import ILLEGAL_EXIT_CODES
from inference.worker.environment import child_environment
from resources.own_program import module_command

COMMAND: Final = module_command("inference.backends.llama_cpp.engine_report")
# A card that wakes up, and its driver that is read from a slow disk for the first time.
LIMIT_SECONDS: Final = 20.0

Ending = Literal["done", "failed", "hangs", "illegal_instruction"]


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One build for processors; score: higher is faster, 0: this processor cannot run it."""

    name: str
    score: int


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """What can compute. type: "CPU", "GPU", "IGPU", "ACCEL"."""

    name: str
    description: str
    type: str
    free_bytes: int
    total_bytes: int
    pci_id: str = ""


class EngineReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the child said; all empty where it did not come to that, see `ending`.

    separate: back ends are libraries of their own. cpu_variant: the loaded one, "" where it is built in.
    loaded, failed: names of libraries of back ends. copies: files of which libggml is in the process. unsound: see
    EngineUnsound.
    """

    ending: Ending = "done"
    ggml: str = ""
    separate: bool = False
    cpu_variant: str = ""
    variants: tuple[Variant, ...] = ()
    loaded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()
    unsound: str = ""


def ask_engine(
    environment: Mapping[str, str] = os.environ,
    *,
    command: Sequence[str] = COMMAND,
    limit_seconds: float = LIMIT_SECONDS,
) -> EngineReport:
    """The report of a child with this environment. Takes 0.2 s where no card wakes up. Raises nothing."""
    answer = run_tool(command, limit_seconds, environment=child_environment(environment))
    match answer.ending:
        case "too_slow":
            return EngineReport(ending="hangs")
        case "done":
            return _read(answer.output)
        case _:
            return EngineReport(ending="illegal_instruction" if is_illegal(answer.exit_code) else "failed")


def is_illegal(return_code: int | None) -> bool:
    """Whether a process ended over an instruction unknown to its processor; the code is that of `subprocess`."""
    return return_code in ILLEGAL_EXIT_CODES or return_code == -signal.SIGILL


def _read(output: str) -> EngineReport:
    try:
        return msgspec.json.decode(output, type=EngineReport)
    except (msgspec.DecodeError, UnicodeError):
        return EngineReport(ending="failed")


def as_values(report: EngineReport) -> Any:
    """As plain JSON values."""
    return msgspec.to_builtins(report)
