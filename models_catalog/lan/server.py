"""Answers other computers of the local network: a file whose hash they know, to those who know the code, nothing else.

Its own small HTTP, because all that is not needed cannot be misused: two routes, both named by a hash alone, so that no
path can be asked for; GET only, no bodies, one range at a time. Everything else is a refusal without a word.

    GET /1/have/SHA256   with Liangli-Time, -Nonce, -Signature  →  {"size": …, "ticket": …} or 404, with Liangli-Proof
    GET /1/file/SHA256   with Liangli-Ticket, perhaps Range        →  the bytes
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from models_catalog.lan import codes
from models_catalog.lan.places import is_local
from models_catalog.lan.visits import Visits

log = logging.getLogger(__name__)

_HEAD_BYTES = 4096
_HEAD_SECONDS = 5.0
_IDLE_SECONDS = 15.0
_BLOCK_BYTES = 1024 * 1024
# Whoever takes less than a block in this time only holds a connection.
_BLOCK_SECONDS = 60.0
_REQUEST = re.compile(r"GET /1/(have|file)/([0-9a-f]{64}) HTTP/1\.1")
_RANGE = re.compile(r"bytes=([0-9]{1,15})-([0-9]{0,15})")
_REASONS = {200: "OK", 206: "Partial Content", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
_REASONS |= {416: "Range Not Satisfiable", 429: "Too Many Requests"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    what: str
    sha256: str
    headers: Mapping[str, str]
    address: str


class _Refused(Exception):
    """The connection is closed."""


class LanServer:
    """For one event loop. files: the path of the file with this hash, or None; it may block. key: of the code now."""

    def __init__(
        self, *, files: Callable[[str], Path | None], key: Callable[[], bytes], loopback: bool = False
    ) -> None:
        """loopback: this computer's own addresses are served, too; for tests."""
        self._files, self._key, self._loopback = files, key, loopback
        self._visits, self._questions = Visits(), codes.Questions()
        self._servers: dict[str, asyncio.Server] = {}
        self._refusing: set[tuple[str, int]] = set()
        self._port = 0
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it answers, each with its port."""
        places = (server.sockets[0].getsockname() for server in self._servers.values() if server.sockets)
        return tuple(f"{host}:{port}" for host, port in places)

    async def listen(self, hosts: Sequence[str], port: int) -> None:
        """From now on answer at these addresses, and at no other. One that cannot be had is left out for now.

        Only addresses of private networks are taken: never all interfaces at once, never one that the internet sees.
        """
        wanted = [host for host in hosts if is_local(host, loopback=self._loopback)]
        for host in [host for host in self._servers if host not in wanted or port != self._port]:
            self._servers.pop(host).close()
        self._port = port
        for host in [host for host in wanted if host not in self._servers]:
            try:
                bound = _bound(host, port)
                self._servers[host] = await asyncio.start_server(self._serve, sock=bound, limit=_HEAD_BYTES)
                self._refusing.discard((host, port))
            except OSError as error:
                # It is tried again and again: once is enough for the log.
                if (host, port) not in self._refusing:
                    log.warning("the local network cannot be served at %s:%d: %s", host, port, error.strerror)
                self._refusing.add((host, port))

    async def close(self) -> None:
        """Answer nobody any more, also those who are being answered."""
        await self.listen((), 0)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = str((writer.get_extra_info("peername") or ("",))[0])
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        entered = is_local(address, loopback=self._loopback) and self._visits.enter(address, time.monotonic())
        try:
            limit_seconds = _HEAD_SECONDS
            while entered:
                async with asyncio.timeout(limit_seconds):
                    head = await reader.readuntil(b"\r\n\r\n")
                await self._answer(_asked(head, address), writer)
                limit_seconds = _IDLE_SECONDS
        except _Refused:
            self._visits.refused(address, time.monotonic())
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError, RuntimeError):
            # They hung up, said nothing, said too much, or take nothing.
            writer.transport.abort()
        finally:
            if entered:
                self._visits.leave(address)
            self._connections.discard(task)
            writer.close()

    async def _answer(self, asked: _Asked, writer: asyncio.StreamWriter) -> None:
        if not self._visits.may_ask(asked.address, time.monotonic()):
            await _reply(writer, 429, {"Retry-After": "30"})
            return
        key, now = self._key(), int(time.time())
        if asked.what == "have":
            await self._tell(asked, writer, key, now)
        elif codes.ticket_holds(
            key, asked.headers.get("liangli-ticket", ""), asked.sha256, address=asked.address, now=now
        ):
            await self._send(asked, writer)
        else:
            await self._refuse(writer)

    async def _tell(self, asked: _Asked, writer: asyncio.StreamWriter, key: bytes, now: int) -> None:
        when, nonce, signature = (asked.headers.get(f"liangli-{name}", "") for name in ("time", "nonce", "signature"))
        if not self._questions.is_signed(key, asked.sha256, time=when, nonce=nonce, signature=signature):
            await self._refuse(writer)
        proof = {"Liangli-Proof": codes.proof(key, asked.sha256, nonce=nonce)}
        if not self._questions.is_new(time=when, nonce=nonce, now=now):
            # Clocks differ: whoever knows the code is told this one's, and can ask again.
            await _reply(writer, 401, {**proof, "Liangli-Time": str(now)})
            return
        opened = await asyncio.to_thread(self._open, asked.sha256)
        if opened is None:
            await _reply(writer, 404, proof)
            return
        file, size_bytes = opened
        file.close()
        ticket = codes.ticket(key, asked.sha256, address=asked.address, until=now + codes.TICKET_SECONDS)
        body = json.dumps({"size": size_bytes, "ticket": ticket}).encode()
        await _reply(writer, 200, {**proof, "Content-Type": "application/json"}, body)

    async def _refuse(self, writer: asyncio.StreamWriter) -> None:
        await _reply(writer, 403, {"Connection": "close"})
        raise _Refused

    async def _send(self, asked: _Asked, writer: asyncio.StreamWriter) -> None:
        opened = await asyncio.to_thread(self._open, asked.sha256)
        if opened is None:
            await _reply(writer, 404)
            return
        file, size_bytes = opened
        with contextlib.closing(file):
            start, end = 0, size_bytes
            if (wanted := asked.headers.get("range")) is not None:
                match = _RANGE.fullmatch(wanted)
                start = int(match[1]) if match else size_bytes
                end = min(size_bytes, int(match[2]) + 1) if match and match[2] else size_bytes
                if start >= end:
                    await _reply(writer, 416, {"Content-Range": f"bytes */{size_bytes}"})
                    return
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(end - start),
                "ETag": f'"{asked.sha256}"',
                "Accept-Ranges": "bytes",
            }
            if wanted is not None:
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{size_bytes}"
            await _head(writer, 200 if wanted is None else 206, headers)
            loop = asyncio.get_running_loop()
            for position in range(start, end, _BLOCK_BYTES):
                count = min(_BLOCK_BYTES, end - position)
                async with asyncio.timeout(_BLOCK_SECONDS):
                    if await loop.sendfile(writer.transport, file, position, count) != count:
                        raise EOFError

    def _open(self, sha256: str) -> tuple[BinaryIO, int] | None:
        """The file, if it is there and a model: nothing else is given away, whatever the library may believe."""
        path = self._files(sha256)
        if path is None:
            return None
        try:
            file = path.open("rb")
        except OSError:
            return None
        if file.read(4) != b"GGUF":
            file.close()
            return None
        return file, file.seek(0, 2)


def _asked(head: bytes, address: str) -> _Asked:
    lines = head.decode("latin-1").split("\r\n")
    match = _REQUEST.fullmatch(lines[0])
    headers: dict[str, str] = {}
    for line in filter(None, lines[1:]):
        name, colon, value = line.partition(":")
        # Twice the same header, or a body, is nothing that an honest asker sends.
        if not colon or name.lower() in headers or name.lower() in ("content-length", "transfer-encoding"):
            raise _Refused
        headers[name.lower()] = value.strip()
    if match is None:
        raise _Refused
    return _Asked(what=match[1], sha256=match[2], headers=headers, address=address)


async def _reply(
    writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> None:
    await _head(writer, status, {"Content-Length": str(len(body)), **(headers or {})})
    writer.write(body)
    async with asyncio.timeout(_BLOCK_SECONDS):
        await writer.drain()


async def _head(writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    async with asyncio.timeout(_BLOCK_SECONDS):
        await writer.drain()


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(64)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
