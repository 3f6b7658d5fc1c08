"""Figures of this moment for a display that refreshes once a second: memory, load, what is free on each accelerator.

No maker's library is loaded here. NVIDIA's is kept open in a child (`hardware_probe.live_nvml`), which is killed when
it does not answer at once and started again later; AMD's figures are files of the kernel; what borrows main memory
follows from it. Accelerators that only a slow tool knows (Ascend, Moore Threads, Hygon, Iluvatar, Intel) have no live
figure.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hardware_probe.memory import parse_memory, read_memory
from hardware_probe.values import Accelerator, Memory
from resources.own_program import module_command

_ANSWER_SECONDS = 0.5
_START_SECONDS = 3.0
_PAUSE_AFTER_FAILURE_SECONDS = 30.0
_PCI = Path("/sys/bus/pci/devices")
_HOME = Path(__file__).resolve().parents[1]
NVML_COMMAND = module_command("hardware_probe.live_nvml")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAccelerator:
    """free_bytes: None where nothing cheap tells; in the order of the accelerators that the monitor was made with."""

    pci_id: str
    name: str
    free_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures:
    """cpu_load: of all hardware threads since the sample before, 0 to 1."""

    memory: Memory
    cpu_load: float
    accelerators: tuple[LiveAccelerator, ...]


class Monitor:
    """Takes samples of the accelerators of a profile; made when a display opens, closed with it.

    One thread at a time. A sample was measured to take 1.3 ms of processor time, and 0.05 ms in the child besides the
    driver's own (its 17 MB of memory are the greater price). The first one with an NVIDIA card waits for the child to
    start, up to 3 s; one on which the child hangs waits half a second.
    """

    def __init__(self, accelerators: Sequence[Accelerator], *, nvml_command: Sequence[str] = NVML_COMMAND) -> None:
        self._accelerators = tuple(accelerators)
        self._command = tuple(nvml_command)
        self._child: _Child | None = None
        self._not_before = 0.0
        self._cpu_load()

    def sample(self) -> LiveFigures:
        """The figures now. May raise OSError where the system does not tell of its memory."""
        memory = parse_memory(read_memory())
        nvidia = self._nvidia_free() if any(one.vendor == "nvidia" for one in self._accelerators) else {}
        return LiveFigures(
            memory=memory,
            cpu_load=self._cpu_load(),
            accelerators=tuple(
                LiveAccelerator(pci_id=one.pci_id, name=one.name, free_bytes=_free(one, memory, nvidia))
                for one in self._accelerators
            ),
        )

    def close(self) -> None:
        """End the child. The monitor may be used again afterwards."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def _nvidia_free(self) -> dict[str, int]:
        now = time.monotonic()
        if self._child is None and now >= self._not_before:
            self._child = _Child.start(self._command)
        answer = self._child.ask() if self._child is not None else None
        if answer is None:
            if self._child is not None:
                self._not_before = now + _PAUSE_AFTER_FAILURE_SECONDS
            self.close()
            return {}
        return answer

    @staticmethod
    def _cpu_load() -> float:
        import psutil

        return min(1.0, max(0.0, float(psutil.cpu_percent(interval=None)) / 100))


def _free(one: Accelerator, memory: Memory, nvidia: dict[str, int]) -> int | None:
    if one.shares_host_memory:
        return None if one.total_bytes is None else min(one.total_bytes, memory.available_bytes)
    if one.vendor == "nvidia":
        # Slices of a card have one address; the driver's figure for it is the whole card's.
        return None if one.is_slice else nvidia.get(one.pci_id)
    if one.vendor == "amd" and one.pci_id and one.total_bytes is not None:
        try:
            used = int((_PCI / one.pci_id / "mem_info_vram_used").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        return max(0, one.total_bytes - used)
    return None


class _Child:
    """A child that prints one line of JSON for each line it is sent."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._patience_seconds = _START_SECONDS
        threading.Thread(target=self._read, daemon=True, name="liangli-live-nvml").start()

    @classmethod
    def start(cls, command: Sequence[str]) -> _Child | None:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_HOME,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:
            return None
        return cls(process)

    def ask(self) -> dict[str, int] | None:
        """Free bytes by PCI address; None where the child is dead, slow, or speaks nonsense."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._lines.get(timeout=self._patience_seconds))
        except (OSError, ValueError, queue.Empty):
            return None
        self._patience_seconds = _ANSWER_SECONDS
        if not isinstance(answer, dict) or not all(isinstance(free, int) for free in answer.values()):
            return None
        return answer

    def end(self) -> None:
        """A child that hangs in the driver cannot be killed, and is not waited for."""
        assert self._process.stdin is not None
        self._process.kill()
        try:
            self._process.stdin.close()
            self._process.wait(timeout=0.2)
        except (OSError, subprocess.TimeoutExpired):
            return

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            while line := pipe.readline(1_000_000):
                self._lines.put(line)
        self._lines.put(b"")
