"""Why an engine child ended, read from its exit code and the last lines it left. Pure."""

from __future__ import annotations

import ntpath
import re
import signal
from dataclasses import dataclass

from inference.backends.shortage import tells_shortage
from inference.errors import EngineDied, EngineDiedLoading
from inference.worker.black_box import RECORD_MARK

# Exit codes of our own child. Not 1 (an uncaught Python exception), not 3 (what Windows makes of abort()).
EXIT_OUT_OF_MEMORY = 12
EXIT_BAD_MESSAGE = 13
EXIT_PARENT_GONE = 14

_FAULTS = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGSYS"}
# NTSTATUS of access violation, illegal instruction, integer division by zero, stack overflow.
_WINDOWS_FAULTS = {0xC0000005, 0xC000001D, 0xC0000094, 0xC00000FD}
# NTSTATUS of an illegal instruction, as Windows gives it and as a signed number.
ILLEGAL_EXIT_CODES = frozenset({0xC000001D, 0xC000001D - (1 << 32)})
# abort() by the C runtime, and fail-fast.
_WINDOWS_ABORTS = {3, 0xC0000409}
_FAULT_HANDLER = re.compile(r"Fatal Python error|Windows fatal exception|(?:Current thread|Thread|Stack) .*most recent")
_FRAME = re.compile(r'\s*File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<name>\S+)')
_MARK = RECORD_MARK.decode()
_DETAIL_CHARACTERS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What the service knows when a child has ended.

    return_code: as `subprocess` gives it: minus the signal's number, or the exit code.
    black_box: the last bytes of the child's standard error.
    was_hung: the watchdog stopped it for its silence.
    broken_rule: what was wrong with a message for which the service killed it; empty when none was.
    kernel_took_memory_back: the kernel's count of out-of-memory kills rose while the child was at work.
    """

    return_code: int
    black_box: bytes = b""
    was_hung: bool = False
    broken_rule: str = ""
    kernel_took_memory_back: bool = False


def cause_of_death(ending: Ending) -> EngineDied:
    """The error to report for this ending. `detail` has no folder names in front of source files."""
    code = ending.return_code
    text = ending.black_box.decode("utf-8", errors="replace")
    log, frame = _lines_and_frame(text)
    asserted = _assertion(text)
    last_line = log[-1].removeprefix(_MARK) if log else ""

    def died(cause: str, detail: str) -> EngineDied:
        return EngineDied(
            cause=cause,
            detail=detail[:_DETAIL_CHARACTERS],
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
        )

    name = _signal_name(-code) if code < 0 else ""
    if ending.was_hung:
        return died("hung", frame or last_line)
    if ending.broken_rule:
        return died("exited", ending.broken_rule)
    if code == EXIT_OUT_OF_MEMORY or (name == "SIGKILL" and ending.kernel_took_memory_back):
        return died("out_of_memory", asserted or last_line)
    if name in _FAULTS or code in _WINDOWS_FAULTS:
        return died("segfault", " ".join(filter(None, (name, frame))))
    if name == "SIGABRT" or code in _WINDOWS_ABORTS or code > 0:
        shortage = next((line for line in (asserted, *reversed(log[-5:])) if tells_shortage(line)), "")
        if shortage:
            return died("out_of_memory", shortage)
        return died("exited" if code > 0 and code not in _WINDOWS_ABORTS else "aborted", asserted or last_line or frame)
    if name:
        return died("killed", "" if name == "SIGKILL" else name)
    return died("exited", last_line)


def _lines_and_frame(text: str) -> tuple[list[str], str]:
    """The log lines (without what the fault handler wrote) and the innermost Python frame that it named."""
    lines = [line.rstrip() for line in text.split("\n")]
    fault = next((number for number, line in enumerate(lines) if _FAULT_HANDLER.match(line)), len(lines))
    frames = (_FRAME.match(line) for line in lines[fault:])
    innermost = next((frame for frame in frames if frame), None)
    frame = f"{ntpath.basename(innermost['file'])}:{innermost['line']} in {innermost['name']}" if innermost else ""
    return [line for line in lines[:fault] if line.strip()], frame


def _assertion(text: str) -> str:
    """The first recorded text of an assertion, as `file.cpp:12: text`; empty when none was recorded.

    Several threads may fail it at once, and write into the middle of each other's and the fault handler's lines.
    """
    found = re.search(f"{_MARK}([^\n{_MARK}]*)", text)
    return re.sub(r"^\S*[/\\](?=[^/\\\s]+:\d+:)", "", found[1].rstrip()) if found else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def is_illegal(death: EngineDied | EngineDiedLoading) -> bool:
    """Whether it ended over an instruction that its processor does not know."""
    return death.signal == signal.SIGILL or death.exit_code in ILLEGAL_EXIT_CODES
