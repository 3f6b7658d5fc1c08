"""How often the kernel has killed a process because memory ran out."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def out_of_memory_kills() -> int:
    """The kernel's counter since boot (proc_vmstat(5): oom_kill); 0 where it is not told. Costs about 0.1 ms."""
    if sys.platform != "linux":
        return 0
    try:
        found = re.search(r"^oom_kill (\d+)$", Path("/proc/vmstat").read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0
