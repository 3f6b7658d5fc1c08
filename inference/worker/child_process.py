"""One child process seen from the service: started with a socket, read to its last line, always reaped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil

from inference.worker.environment import child_environment
from resources.own_program import module_command

_TAIL_BYTES = 64 * 1024
_COMMAND = module_command("inference.worker.entry")
# The folder that holds the package `inference`: `-m` looks there first, and the child holds no folder of the user's.
_ROOT = Path(__file__).resolve().parents[2]


class ChildProcess:
    """A running child. Start it in the thread of the event loop: on Linux the child dies when that thread does.

    `exited` gives the return code, as `subprocess` counts it, after the last line of the black box has been read.
    A thread of its own reaps the process, so that no zombie stays even when the event loop has ended.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        """Start `command` (the engine when None) with the socket and our process id as further arguments."""
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self._tail = bytearray()
        self.socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _start(command or _COMMAND, theirs)
        except BaseException:
            self.socket.close()
            raise
        self.pid = self._process.pid
        threading.Thread(target=self._reap, name=f"engine-{self.pid}", daemon=True).start()

    def black_box(self) -> bytes:
        """The last lines of the child's standard output and error, at most 64 KiB."""
        return bytes(self._tail[-_TAIL_BYTES:])

    def memory_bytes(self) -> int:
        """Resident memory, mapped files included; 0 when the child has ended."""
        try:
            return 0 if self.exited.done() else int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def read_bytes(self) -> int:
        """What it has read from disks so far, mapped files and swap included; 0 where the system does not tell."""
        try:
            counters = psutil.Process(self.pid).io_counters() if sys.platform == "linux" else None
        except psutil.Error:
            return 0
        return int(counters.read_bytes) if counters else 0

    def terminate(self) -> None:
        """SIGTERM (on Windows the same as `kill`). Does nothing once the child has ended."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            self._process.terminate()

    def kill(self) -> None:
        """SIGKILL. Does nothing once the child has ended."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            self._process.kill()

    async def end_within(self, seconds: float) -> bool:
        """Wait for the end; False when the child still runs after that time."""
        ended, _ = await asyncio.wait((self.exited,), timeout=seconds)
        return bool(ended)

    def _reap(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as black_box:
            while data := black_box.read(8192):
                self._tail += data
                if len(self._tail) > 2 * _TAIL_BYTES:
                    del self._tail[:-_TAIL_BYTES]
        return_code = self._process.wait()
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._tell, return_code)

    def _tell(self, return_code: int) -> None:
        if not self.exited.done():
            self.exited.set_result(return_code)


def _start(command: Sequence[str], theirs: socket.socket) -> subprocess.Popen[bytes]:
    environment = child_environment(os.environ)
    parent_pid = str(os.getpid())
    if sys.platform == "win32":
        # Written for Windows, not yet tried there: handles of sockets are shared, not inherited.
        process = subprocess.Popen(
            [*command, "-", parent_pid],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            cwd=_ROOT,
            env=environment,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW,
        )
        assert process.stdin is not None
        with process.stdin as standard_input:
            standard_input.write(theirs.share(process.pid))
        return process
    return subprocess.Popen(
        [*command, str(theirs.fileno()), parent_pid],
        pass_fds=(theirs.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        cwd=_ROOT,
        env=environment,
        # A session of its own: Ctrl-C and the closing of the terminal do not reach it.
        start_new_session=True,
    )
