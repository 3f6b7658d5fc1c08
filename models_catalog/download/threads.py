"""Work on disk and processor beside the event loop, which stops when the download is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

_Result = TypeVar("_Result")
_BLOCK_BYTES = 1024 * 1024
_QUIET_PRIORITY = 10


class WorkStopped(Exception):
    """The thread was told to stop; nobody waits for its result."""


async def in_thread(work: Callable[[threading.Event], _Result], executor: Executor | None = None) -> _Result:
    """Runs `work(stop)` in a thread. When cancelled it sets `stop` and waits for the thread to let go of its files."""
    stop = threading.Event()
    task = asyncio.get_running_loop().run_in_executor(executor, work, stop)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(task, return_exceptions=True)
        raise


def quiet_thread() -> ThreadPoolExecutor:
    """A thread for work that others shall not feel: it gets the processor when they do not want it."""
    return ThreadPoolExecutor(1, "quiet", initializer=_step_back)


def _step_back() -> None:
    # Elsewhere than on Linux this would be about the whole process.
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _QUIET_PRIORITY)


def sha256_of(path: Path, stop: threading.Event, on_progress: Callable[[int], None] = lambda _: None) -> str:
    """The file's hash; on_progress is told how many bytes are done. Raises WorkStopped, OSError."""
    digest = hashlib.sha256()
    done_bytes = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            if stop.is_set():
                raise WorkStopped
            digest.update(block)
            done_bytes += len(block)
            on_progress(done_bytes)
    return digest.hexdigest()
