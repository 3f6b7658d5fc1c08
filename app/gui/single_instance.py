"""One window for each user and data folder: a second start hands over what it was asked to open, and ends.

What crosses is one line of JSON each way, over a local socket that only this user can reach.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QDir, QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from app.opening import LONGEST_TEXT, MOST_AT_ONCE

MOST_BYTES: Final = 128 * 1024
WAIT_MILLISECONDS: Final = 1_500
# The first window may be busy, as just after its start.
ANSWER_MILLISECONDS: Final = 5_000
_TAKEN = b"ok\n"
_LONGEST_TOKEN = 200


def socket_name(data_folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """A path in the user's own folder for such things where there is one; else a name that holds the user's."""
    folder = hashlib.sha256(os.fsencode(data_folder.absolute())).hexdigest()[:12]
    if sys.platform == "win32":
        return f"liangli-{hashlib.sha256(getpass.getuser().encode()).hexdigest()[:12]}-{folder}"
    name = f"liangli-{os.getuid()}-{folder}"
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    # A socket's path has room for a hundred bytes.
    return f"{runtime}/{name}" if len(os.fsencode(runtime)) < 60 and is_own(runtime) else name


def is_own(path: str) -> bool:
    """Whether it is there and this user's. Windows asks by itself."""
    if sys.platform == "win32":
        return True
    try:
        return bool(path) and Path(path).lstat().st_uid == os.getuid()
    except OSError:
        return False


def hand_over(name: str, openings: Sequence[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Ask the window that is there to show itself and open these; False if there is none. Needs no QApplication."""
    if not _may_be_there(name):
        return False
    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(WAIT_MILLISECONDS):
        return False
    token = environment.get("XDG_ACTIVATION_TOKEN", "")
    socket.write(json.dumps({"open": list(openings), "token": token}).encode() + b"\n")
    socket.flush()
    answer = b""
    while not answer.endswith(b"\n") and socket.waitForReadyRead(ANSWER_MILLISECONDS):
        answer += bytes(socket.readAll().data())
    socket.disconnectFromServer()
    return answer == _TAKEN


def _may_be_there(name: str) -> bool:
    """Nobody else's socket is spoken to: what is opened is private."""
    if sys.platform == "win32":
        return True
    path = name if name.startswith("/") else f"{QDir.tempPath()}/{name}"
    try:
        found = Path(path).lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.getuid()


class SingleInstance(QObject):
    """The first window's side. `asked` carries the texts of what is to be opened, unread, and an activation token."""

    asked = Signal(list, str)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        self._read: dict[QLocalSocket, bytearray] = {}

    def listen(self) -> bool:
        """False where another window listens, or nobody can. The socket of one that died is taken away."""
        # Asked first: Qt puts its new socket in the place of any other.
        if _may_be_there(self._name):
            probe = QLocalSocket()
            probe.connectToServer(self._name)
            there = probe.waitForConnected(WAIT_MILLISECONDS)
            probe.abort()
            if there:
                return False
            QLocalServer.removeServer(self._name)
        return self._server.listen(self._name)

    def close(self) -> None:
        """Take the socket away."""
        self._server.close()

    def _on_connection(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            self._read[socket] = bytearray()
            socket.readyRead.connect(lambda socket=socket: self._on_bytes(socket))
            socket.disconnected.connect(lambda socket=socket: self._forget(socket))
            # Whoever says nothing does not stay.
            QTimer.singleShot(WAIT_MILLISECONDS, socket, lambda socket=socket: self._drop(socket))
            self._on_bytes(socket)

    def _on_bytes(self, socket: QLocalSocket) -> None:
        content = self._read.get(socket)
        if content is None:
            return
        content += socket.read(MOST_BYTES + 1 - len(content)).data()
        if len(content) > MOST_BYTES:
            self._drop(socket)
        elif content.endswith(b"\n"):
            request = read_request(bytes(content))
            del self._read[socket]
            if request is None:
                socket.abort()
                return
            socket.write(_TAKEN)
            socket.flush()
            socket.disconnectFromServer()
            self.asked.emit(*request)

    def _drop(self, socket: QLocalSocket) -> None:
        if self._read.pop(socket, None) is not None:
            socket.abort()

    def _forget(self, socket: QLocalSocket) -> None:
        self._read.pop(socket, None)
        socket.deleteLater()


def read_request(content: bytes) -> tuple[list[str], str] | None:
    """What is to be opened, and the token; None for anything else than a second start writes. Never raises."""
    try:
        request: Any = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(request, dict) or request.keys() != {"open", "token"}:
        return None
    openings, token = request["open"], request["token"]
    if not isinstance(openings, list) or len(openings) > MOST_AT_ONCE or not isinstance(token, str):
        return None
    if not all(isinstance(one, str) and len(one) <= LONGEST_TEXT for one in openings):
        return None
    return openings, token if len(token) <= _LONGEST_TOKEN and token.isprintable() else ""
