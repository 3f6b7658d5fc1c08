"""Limits that an engine child sets on itself, so that its failure stays its own. Where Linux lacks, they do nothing.

Sources: prctl(2), getrlimit(2), proc(5). RLIMIT_DATA and not RLIMIT_AS: a mapped model file counts for the latter only.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# Of -1000..1000: when memory ends, the kernel takes the engine before the service, the window or the user's editor.
_OOM_SCORE_ADJUSTMENT = 500


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when the thread that started it ends; exit now when it has already ended."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(0)


def leave_no_core() -> None:
    """A dump of an engine would be gigabytes of weights and the user's conversation."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def be_first_to_go() -> None:
    """Ask the kernel to choose this process when memory runs out."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE_ADJUSTMENT), encoding="ascii")


def limit_private_memory(limit_bytes: int) -> None:
    """Let allocations fail once the private writable memory of this process is `limit_bytes` (what it has now counts).

    A lower limit that is in force already stays.
    """
    if sys.platform != "linux":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
