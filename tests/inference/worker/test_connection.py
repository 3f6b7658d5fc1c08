"""The child's end of the socket pair."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import msgspec
import pytest

from inference.worker.connection import Connection, ConnectionClosed
from inference.worker.frames import FrameBuffer
from inference.worker.messages import Cancel, Delta, Heartbeat, Shutdown, ToService, decode_to_service, encode


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Connection(ours), theirs


def test_messages_that_came_together_are_taken_one_by_one(ends: tuple[Connection, socket.socket]) -> None:
    connection, service = ends
    service.sendall(encode(Cancel(request_id="a")) + encode(Shutdown()))
    assert connection.receive(None) == Cancel(request_id="a")
    assert connection.receive(0) == Shutdown()
    assert connection.receive(0) is None


def test_half_a_message_is_not_one(ends: tuple[Connection, socket.socket]) -> None:
    connection, service = ends
    data = encode(Cancel(request_id="中文"))
    service.sendall(data[:7])
    assert connection.receive(0.001) is None
    service.sendall(data[7:])
    assert connection.receive(None) == Cancel(request_id="中文")


def test_a_batch_arrives_in_order(ends: tuple[Connection, socket.socket]) -> None:
    connection, service = ends
    batch: list[ToService] = [Delta(request_id="a", text="你"), Heartbeat(silent_for_seconds=2.0)]
    connection.send_all([])
    connection.send_all(batch)
    assert [decode_to_service(body) for body in FrameBuffer().feed(service.recv(1000))] == batch


def test_the_service_is_gone(ends: tuple[Connection, socket.socket]) -> None:
    connection, service = ends
    service.sendall(encode(Shutdown()))
    service.close()
    assert connection.receive(None) == Shutdown()
    with pytest.raises(ConnectionClosed):
        connection.receive(None)
    with pytest.raises(ConnectionClosed):
        for _ in range(3):
            connection.send(Heartbeat(silent_for_seconds=1.0))


def test_nonsense_is_an_error(ends: tuple[Connection, socket.socket]) -> None:
    connection, service = ends
    service.sendall(encode(Heartbeat(silent_for_seconds=1.0)))  # a message, but for the other side
    with pytest.raises(msgspec.DecodeError):
        connection.receive(None)
