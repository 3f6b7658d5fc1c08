"""A server that says exactly what a test wants, on any address, with or without TLS; and proxies before it."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable

Answer = Callable[[socket.socket, str], None]


class RawServer:
    """Calls `answer(connection, head)` for each request; `heads` are those that came."""

    def __init__(self, answer: Answer, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._answer, self._tls = answer, tls
        self.heads: list[str] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        self._listener.close()

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            stack.enter_context(connection)
            while head := read_head(connection):
                self.heads.append(head)
                self._answer(connection, head)


def read_head(connection: socket.socket) -> str:
    """The next request's lines; "" at the end."""
    held = b""
    while not held.endswith(b"\r\n\r\n"):
        if not (byte := connection.recv(1)):
            return ""
        held += byte
    return held.decode("latin-1")


def serving(content: bytes) -> Answer:
    """Ranges of the content, as a good server gives them."""

    def answer(connection: socket.socket, head: str) -> None:
        asked = re.search(r"^range: bytes=(\d+)-(\d*)", head, re.IGNORECASE | re.MULTILINE)
        assert asked is not None
        start, end = int(asked[1]), int(asked[2] or len(content) - 1) + 1
        body = content[start:end]
        lines = f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{start + len(body) - 1}/{len(content)}"
        connection.sendall(f"{lines}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return answer


def http_proxy(connection: socket.socket, head: str) -> None:
    """A proxy's answer: a tunnel to where CONNECT wants, or the request passed on."""
    method, target, _ = head.split(" ", 2)
    host = target if method == "CONNECT" else target.split("/")[2]
    name, _, port = host.rpartition(":")
    with socket.create_connection((name, int(port))) as onward:
        if method == "CONNECT":
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            onward.sendall(head.encode("latin-1"))
        join(connection, onward)


class SocksProxy:
    """SOCKS5 without a password (RFC 1928); `asked` is where it was told to connect to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> SocksProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(2 + 255)
            connection.sendall(b"\5\0")
            request = connection.recv(300)
            name = request[5 : 5 + request[4]].decode() if request[3] == 3 else socket.inet_ntoa(request[4:8])
            self.asked.append((name, int.from_bytes(request[-2:], "big")))
            with socket.create_connection(self.asked[-1]) as onward:
                connection.sendall(b"\5\0\0\1\0\0\0\0\0\0")
                join(connection, onward)


def join(one: socket.socket, other: socket.socket) -> None:
    """Passes on what each says, until one has nothing more to say."""

    def pour(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=pour, args=(other, one), daemon=True)
    back.start()
    pour(one, other)
    back.join(5)
