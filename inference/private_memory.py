"""How much memory this process holds that belongs to no file: what no other process could use meanwhile."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_RESIDENT = re.compile(rb"^Rss(?:Anon|Shmem):\s+(\d+) kB$", re.MULTILINE)


def private_bytes() -> int:
    """Resident memory without mapped files (proc_pid_status(5): RssAnon + RssShmem); 0 where the system does not tell.

    Costs about 0.05 ms on Linux.
    """
    if sys.platform == "linux":
        try:
            status = Path("/proc/self/status").read_bytes()
        except OSError:
            return 0
        return 1024 * sum(int(kilobytes) for kilobytes in _RESIDENT.findall(status))
    # Imported where it is needed: on Linux it would only cost time at the start of a child.
    import psutil

    memory = psutil.Process().memory_full_info()
    return int(getattr(memory, "private", None) or getattr(memory, "uss", 0))
