"""Where an engine child begins: fences first, then the first message, then the engine itself.

`python -m inference.worker.entry SOCKET PARENT_PID`. SOCKET is the number of an inherited file descriptor; on Windows
it is "-" and standard input carries the shared socket. Nothing heavy is imported here: until the fences stand no
library's code may run, and every millisecond counts towards the first token.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from inference.worker import fences
from inference.worker.death import EXIT_BAD_MESSAGE, EXIT_OUT_OF_MEMORY, EXIT_PARENT_GONE
from inference.worker.inherited import inherited_socket

if TYPE_CHECKING:
    from inference.values import LoadPlan
    from inference.worker.connection import Connection

# What a load of the usual kind imports.
_ENGINE = ("inference.worker.loop", "inference.backends.llama_cpp.backend")

RunEngine = Callable[["Connection", "LoadPlan"], int]


def main(arguments: Sequence[str], run: RunEngine | None = None) -> int:
    """Set the fences, wait for `Load` and run the engine until it ends. Returns the exit code.

    `run` stands in for `inference.worker.loop.run_engine`, which is imported only after the plan's fences stand.
    """
    inherited, parent_pid = arguments
    _set_fences(int(parent_pid))
    pair_end = inherited_socket(inherited)
    pair_end.set_inheritable(False)
    try:
        return _serve(pair_end, run)
    except MemoryError:
        # No clean-up: it would need memory.
        os._exit(EXIT_OUT_OF_MEMORY)


def _set_fences(parent_pid: int) -> None:
    fences.die_with_parent(parent_pid)
    fences.leave_no_core()
    fences.be_first_to_go()
    # Ctrl-C is meant for the program in the terminal, which cancels the request.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable(2, all_threads=False)
    if sys.platform != "win32":
        # The watchdog's SIGTERM leaves in the black box where the engine was stuck; then the process ends as usual.
        faulthandler.register(signal.SIGTERM, 2, all_threads=False, chain=True)


def _serve(pair_end: socket.socket, run: RunEngine | None) -> int:
    from inference.worker.connection import Connection, ConnectionClosed
    from inference.worker.messages import Load, Prepare

    connection = Connection(pair_end)
    try:
        first = connection.receive(None)
        if isinstance(first, Prepare):
            # Loaded now and not when the plan comes, which whoever waits for the first word is waiting for.
            if run is None:
                for module in _ENGINE:
                    importlib.import_module(module)
            first = connection.receive(None)
        if not isinstance(first, Load):
            return EXIT_BAD_MESSAGE
        if first.plan.memory_limit_bytes is not None:
            fences.limit_private_memory(first.plan.memory_limit_bytes)
        if run is None:
            from inference.worker.loop import run_engine

            run = run_engine
        return run(connection, first.plan)
    except ConnectionClosed:
        os._exit(EXIT_PARENT_GONE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
