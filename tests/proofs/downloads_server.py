"""A fast local server of one file, in a process of its own, which counts what it sends; badly behaved on request.

    python -m tests.proofs.downloads_server FILE [FILE …]

prints its port and serves until its standard input ends. /0/NAME is the first file, /1/NAME the second. The query says
how a request is answered:

* rate=N: so many bytes per second on this connection;
* cut=N: the connection ends after at most N bytes, at a random place, every second time with a reset;
* length=no: no Content-Length, in chunks, and no ranges;
* after=N, then=K: when N bytes of files have been sent since the last count, file K is there in place of this one;
* etag=TEXT: instead of one that goes with the file;
* count: how many bytes of files have been sent, and how many answers were cut, since the last time, as text.

The kernel copies straight from the page cache to the socket, so that the server is not what is measured. Its send
buffers are small: what it counts as sent has left it, but for 128 KiB.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import re
import socket
import struct
import sys
import termios
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_SEND_BUFFER_BYTES = 64 * 1024
_MOST_BYTES = 1024 * 1024
_DRIP_SECONDS = 0.02


class Server:
    """One thread for each connection."""

    def __init__(self, paths: list[Path]) -> None:
        self._files = [(os.open(path, os.O_RDONLY), path.stat().st_size) for path in paths]
        self._sent_bytes = self._cuts = 0
        self._mutex = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve(self) -> None:
        """Until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, contextlib.suppress(OSError):
            held = b""
            while True:
                while b"\r\n\r\n" not in held:
                    if not (more := connection.recv(65536)):
                        return
                    held += more
                head, _, held = held.partition(b"\r\n\r\n")
                if not self._answer(connection, head.decode("latin-1")):
                    return

    def _answer(self, connection: socket.socket, head: str) -> bool:
        """Whether the connection may be used again."""
        target = urlsplit(head.split(" ", 2)[1])
        query = {key: values[0] for key, values in parse_qs(target.query, keep_blank_values=True).items()}
        if "count" in query:
            with self._mutex:
                text = f"{self._sent_bytes} {self._cuts}".encode()
                self._sent_bytes = self._cuts = 0
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            return True
        number = int(target.path.split("/")[1])
        if "after" in query and self._sent_bytes >= int(query["after"]):
            number = int(query["then"])
        file, size = self._files[number]
        etag = query.get("etag", f"file-{number}")
        asked = re.search(r"^range:\s*bytes=(\d+)-(\d*)", head, re.IGNORECASE | re.MULTILINE)
        if query.get("length") == "no":
            return self._in_chunks(connection, file, size)
        start, end = (int(asked[1]), min(size, int(asked[2]) + 1) if asked[2] else size) if asked else (0, size)
        status = f"206 Partial Content\r\nContent-Range: bytes {start}-{end - 1}/{size}" if asked else "200 OK"
        connection.sendall(
            f'HTTP/1.1 {status}\r\nContent-Length: {end - start}\r\nETag: "{etag}"\r\n'
            "Accept-Ranges: bytes\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
        )
        cut = start + random.randrange(1, int(query["cut"])) if "cut" in query else end
        self._send(connection, file, start, min(end, cut), float(query.get("rate", 0)))
        if cut < end:
            self._cut(connection)
        return cut >= end

    def _send(self, connection: socket.socket, file: int, position: int, end: int, rate: float) -> None:
        most = max(1, min(_MOST_BYTES, int(rate * _DRIP_SECONDS))) if rate else _MOST_BYTES
        due = time.monotonic()
        while position < end:
            count = os.sendfile(connection.fileno(), file, position, min(most, end - position))
            position += count
            with self._mutex:
                self._sent_bytes += count
            if rate:
                due += count / rate
                time.sleep(max(0.0, due - time.monotonic()))

    def _cut(self, connection: socket.socket) -> None:
        with self._mutex:
            self._cuts += 1
            if self._cuts % 2:
                # A reset throws away what has not left yet.
                left = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4)
                self._sent_bytes -= int.from_bytes(left, sys.byteorder)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _in_chunks(self, connection: socket.socket, file: int, size: int) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for position in range(0, size, _MOST_BYTES):
            count = min(_MOST_BYTES, size - position)
            connection.sendall(b"%x\r\n" % count)
            self._send(connection, file, position, position + count, 0)
            connection.sendall(b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        return True


def main() -> None:
    """Serves the files named on the command line."""
    server = Server([Path(text) for text in sys.argv[1:]])
    print(server.listener.getsockname()[1], flush=True)
    threading.Thread(target=server.serve, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
