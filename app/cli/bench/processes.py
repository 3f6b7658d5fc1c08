"""Memory and processor time of one process."""

from __future__ import annotations

import time

import psutil


def memory_bytes(pid: int) -> int:
    """What the process costs: its PSS where the system counts it (shared pages by share), else its resident memory."""
    process = psutil.Process(pid)
    full = process.memory_full_info()
    return int(getattr(full, "pss", 0) or full.rss)


def resident_bytes(pid: int) -> int:
    """Resident memory, shared pages in full: what task managers show."""
    return int(psutil.Process(pid).memory_info().rss)


def idle_cpu_percent(pid: int, seconds: float) -> float:
    """Share of one core that the process uses while it is watched for so long."""
    process = psutil.Process(pid)
    before, began = process.cpu_times(), time.perf_counter()
    time.sleep(seconds)
    after, ended = process.cpu_times(), time.perf_counter()
    spent_seconds = after.user + after.system - before.user - before.system
    return max(0.0, 100 * float(spent_seconds) / (ended - began))
