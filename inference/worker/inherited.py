"""The socket that a child got from the service: a number of a file descriptor, or, on Windows, shared over stdin."""

from __future__ import annotations

import socket
import sys

from inference.worker.death import EXIT_BAD_MESSAGE

SHARED = "-"


def inherited_socket(argument: str) -> socket.socket:
    """The child's end. The branch for Windows is written for it, not yet tried there."""
    if argument != SHARED:
        return socket.socket(fileno=int(argument))
    if sys.platform != "win32":
        raise SystemExit(EXIT_BAD_MESSAGE)
    return socket.fromshare(sys.stdin.buffer.read())
