"""Which programs hold main memory, for advice on what could be closed."""

from __future__ import annotations

from collections.abc import Iterable

import psutil

# Less is not worth a name; most processes are far below.
_LEAST_BYTES = 50_000_000


def own_pids() -> frozenset[int]:
    """This process, what it started, and what it was started by."""
    me = psutil.Process()
    try:
        return frozenset(
            {me.pid, *(one.pid for one in me.children(recursive=True)), *(one.pid for one in me.parents())}
        )
    except psutil.Error:
        return frozenset({me.pid})


def read_programs(without: frozenset[int]) -> tuple[tuple[str, int], ...]:
    """(name, bytes of its own) of all processes that this user may see but these. Takes some 0.1 ms for each."""
    found: list[tuple[str, int]] = []
    for process in psutil.process_iter():
        if process.pid in without:
            continue
        try:
            memory = process.memory_info()
            # Libraries and mapped files are shared: closing the program would not free them.
            private = memory.rss - getattr(memory, "shared", 0)
            if private >= _LEAST_BYTES:
                found.append((process.name(), private))
        except psutil.Error:
            continue
    return sum_by_name(found)


def sum_by_name(processes: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Programs of several processes counted together, the largest first. Pure."""
    sums: dict[str, int] = {}
    for name, size in processes:
        sums[name] = sums.get(name, 0) + size
    return tuple(sorted(sums.items(), key=lambda one: (-one[1], one[0])))
