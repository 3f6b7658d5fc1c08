"""What survives the child's death: standard error is a pipe of which the service keeps the last lines.

ggml's assertions, Python's fault handler and every stray print end there; `inference.worker.death` reads it.
"""

from __future__ import annotations

import os

# Marks a line as the text of an assertion (ASCII record separator: no log line begins with it).
RECORD_MARK = b"\x1e"
_STANDARD_ERROR = 2


def record(text: bytes) -> None:
    """Write the text of a failed assertion, just before the process aborts. Never raises; any thread may call it."""
    try:  # noqa: SIM105  contextlib.suppress would allocate more in a process that may be out of memory
        os.write(_STANDARD_ERROR, RECORD_MARK + text + b"\n")
    except OSError:
        pass
