"""A second start hands over what it was asked to open."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui import single_instance
from app.gui.single_instance import MOST_BYTES, SingleInstance, hand_over, read_request, socket_name

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets are files here")


@pytest.fixture
def name(tmp_path: Path) -> str:
    return str(tmp_path / "socket")


@pytest.fixture
def instance(qapp: QApplication, name: str) -> Iterator[SingleInstance]:
    instance = SingleInstance(name)
    assert instance.listen()
    yield instance
    instance.close()


def second_start(name: str) -> subprocess.Popen[bytes]:
    program = (
        "import sys; from app.gui.single_instance import hand_over;"
        "sys.exit(0 if hand_over(sys.argv[1], ['/模型.gguf'], {'XDG_ACTIVATION_TOKEN': 't1'}) else 3)"
    )
    return subprocess.Popen([sys.executable, "-c", program, name])


def test_what_a_second_start_is_asked_to_open_arrives(qtbot: QtBot, instance: SingleInstance, name: str) -> None:
    with qtbot.waitSignal(instance.asked, timeout=10_000) as asked:
        child = second_start(name)
    assert asked.args == [["/模型.gguf"], "t1"]
    assert child.wait(10) == 0
    assert stat.S_IMODE(Path(name).stat().st_mode) & 0o077 == 0


def test_nobody_listens(name: str) -> None:
    assert not hand_over(name, [])


def test_another_users_socket_is_not_spoken_to(
    instance: SingleInstance, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    assert not hand_over(name, ["secret"])


def test_a_socket_that_was_left_behind_is_replaced(qapp: QApplication, name: str) -> None:
    program = (
        "import os, sys; from PySide6.QtNetwork import QLocalServer; server = QLocalServer();"
        "server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption);"
        "assert server.listen(sys.argv[1]); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, name], check=True)
    assert Path(name).is_socket()
    instance = SingleInstance(name)
    assert instance.listen()
    instance.close()
    assert not Path(name).exists()


def test_the_first_one_stays(instance: SingleInstance, name: str) -> None:
    assert not SingleInstance(name).listen()


@pytest.mark.parametrize("content", [b"{}\n", b"\xff\n", b"x" * (MOST_BYTES + 10)])
def test_what_no_second_start_writes_is_dropped(
    qtbot: QtBot, instance: SingleInstance, name: str, content: bytes
) -> None:
    socket = QLocalSocket()
    socket.connectToServer(name)
    with qtbot.assertNotEmitted(instance.asked), qtbot.waitSignal(socket.disconnected):
        socket.write(content)
    assert socket.readAll().isEmpty()


def test_who_says_nothing_does_not_stay(
    qtbot: QtBot, qapp: QApplication, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "WAIT_MILLISECONDS", 20)
    instance = SingleInstance(name)
    assert instance.listen()
    socket = QLocalSocket()
    with qtbot.waitSignal(socket.disconnected):
        socket.connectToServer(name)
    instance.close()


@pytest.mark.parametrize(
    "request_",
    [
        [],
        {"open": []},
        {"open": "a", "token": ""},
        {"open": [1], "token": ""},
        {"open": ["a"] * 17, "token": ""},
        {"open": ["a" * 5000], "token": ""},
        {"open": [], "token": 1},
        {"open": [], "token": "", "run": "x"},
    ],
)
def test_odd_requests(request_: object) -> None:
    assert read_request(json.dumps(request_).encode()) is None


def test_a_request() -> None:
    assert read_request(b'{"open": ["a.gguf"], "token": "\\u0000"}') == (["a.gguf"], "")
    assert read_request(b"[" * 100_000) is None


def test_names(tmp_path: Path) -> None:
    plain = socket_name(Path("/data"), {})
    assert str(os.getuid()) in plain
    assert plain != socket_name(Path("/other"), {})
    runtime = Path(QLocalServer.__module__)  # no folder of ours
    assert socket_name(Path("/data"), {"XDG_RUNTIME_DIR": str(runtime)}) == plain
