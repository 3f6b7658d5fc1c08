"""A network stream for httpx whose bytes can be taken without a copy: the way of a body on a fast line.

httpx finds the way (proxies, redirects, certificates, headers), with this backend below it. What remains of a long body
is then read straight from the socket's buffer: through httpx's own layers every byte would be copied four times.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import sys
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

# What is read at once: as much again may have been taken from the socket while it is used.
_BUFFER_BYTES = 512 * 1024
# Less is not worth a walk to whoever waits for it, if more comes soon.
_WORTH_TAKING_BYTES = _BUFFER_BYTES * 3 // 4
_COLLECT_SECONDS = 0.02
# A host's other addresses are tried beside one that does not answer at once (RFC 8305).
_NEXT_ADDRESS_SECONDS = 0.25
# Behind a line so short the kernel would keep megabytes that are lost when the process is killed; this much is enough
# for half a gigabyte per second.
_SHORT_LINE_MICROSECONDS = 1000
_SHORT_LINE_BUFFER_BYTES = 128 * 1024
_TCP_INFO_ROUND_TRIP_OFFSET = 68


def read_directly(client: httpx.AsyncClient) -> None:
    """Makes the client's connections direct streams; to be called before its first request."""
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.AsyncHTTPTransport):
            transport._pool._network_backend = DirectBackend()


class DirectBackend(httpcore.AsyncNetworkBackend):
    """Connects; of a host's IPv6 and IPv4 addresses the one that answers first is taken."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """See httpcore. Raises ConnectError and ConnectTimeout."""
        inlet = Inlet()
        try:
            async with asyncio.timeout(timeout):
                transport, _ = await asyncio.get_running_loop().create_connection(
                    lambda: inlet,
                    host,
                    port,
                    local_addr=(local_address, 0) if local_address else None,
                    happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
                )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        raw = transport.get_extra_info("socket")
        for option in socket_options or ():
            raw.setsockopt(*option)
        _fit_to_line(raw)
        return DirectStream(inlet)

    async def sleep(self, seconds: float) -> None:
        """See httpcore."""
        await asyncio.sleep(seconds)


class DirectStream(httpcore.AsyncNetworkStream):
    """One connection. For one task at a time."""

    def __init__(self, inlet: Inlet) -> None:
        self._inlet = inlet

    async def take(self, timeout: float | None) -> memoryview:
        """What has arrived, at least a byte unless the connection has ended. Good until the next call.

        Raises what httpx raises: ReadError and ReadTimeout.
        """
        try:
            return await self._inlet.collect(timeout)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See httpcore. Raises ReadError and ReadTimeout."""
        try:
            return bytes(await self._inlet.take(timeout, max_bytes))
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See httpcore. Requests are short: they are not waited for."""
        if self._inlet.ended:
            raise httpcore.WriteError("the connection has ended")
        self._inlet.transport.write(buffer)

    async def aclose(self) -> None:
        """At once: nobody waits for a peer's farewell."""
        self._inlet.transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """See httpcore. Raises ConnectError and ConnectTimeout."""
        inlet = self._inlet
        try:
            async with asyncio.timeout(timeout):
                transport = await asyncio.get_running_loop().start_tls(
                    inlet.transport, inlet, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError as error:
            await self.aclose()
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            await self.aclose()
            raise httpcore.ConnectError(str(error)) from error
        if transport is None:
            raise httpcore.ConnectError("the connection ended during the handshake")
        inlet.transport = transport
        return self

    def get_extra_info(self, info: str) -> Any:
        """See httpcore."""
        names = {"client_addr": "sockname", "server_addr": "peername"}
        if info == "is_readable":
            return self._inlet.readable
        return self._inlet.transport.get_extra_info(names.get(info, info))


class Inlet(asyncio.BufferedProtocol):
    """Two buffers: one fills from the socket while the other is in use."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._filling, self._used = memoryview(bytearray(_BUFFER_BYTES)), memoryview(bytearray(_BUFFER_BYTES))
        self._filled = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._least_bytes = 1
        self._error: Exception | None = None
        self.ended = False

    @property
    def readable(self) -> bool:
        """Something can be taken, if only the end."""
        return self.ended or self._filled > 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """See asyncio."""
        return self._filling[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """See asyncio."""
        self._filled += nbytes
        if self._filled == len(self._filling):
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """See asyncio."""
        self.ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self.ended, self._error = True, exc
        self._wake()

    async def collect(self, timeout: float | None) -> memoryview:
        """See `DirectStream.take`."""
        if self._filled < _WORTH_TAKING_BYTES and not self.ended:
            with contextlib.suppress(TimeoutError):
                await self._wait(_COLLECT_SECONDS, _WORTH_TAKING_BYTES)
        return await self.take(timeout)

    async def take(self, timeout: float | None, most_bytes: int = _BUFFER_BYTES) -> memoryview:
        """At most so many of the bytes that are there; waits until there are some."""
        if not self.readable:
            await self._wait(timeout, 1)
        if not self._filled and self._error is not None:
            raise self._error if isinstance(self._error, OSError) else ConnectionError(str(self._error))
        taken = self._filling[: min(self._filled, most_bytes)]
        rest = self._filled - len(taken)
        self._used[:rest] = self._filling[len(taken) : self._filled]
        self._filling, self._used, self._filled = self._used, self._filling, rest
        if self._paused and not self.ended:
            self._paused = False
            self.transport.resume_reading()
        return taken

    async def _wait(self, timeout: float | None, least_bytes: int) -> None:
        self._waiter, self._least_bytes = asyncio.get_running_loop().create_future(), least_bytes
        async with asyncio.timeout(timeout):
            await self._waiter

    def _wake(self) -> None:
        enough = self.ended or self._filled >= self._least_bytes
        if enough and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _fit_to_line(raw: socket.socket) -> None:
    """On a line within the house the kernel's receive buffer is bounded; elsewhere the kernel knows best."""
    if sys.platform == "linux":
        known = raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_ROUND_TRIP_OFFSET + 4)
        (microseconds,) = struct.unpack_from("I", known, _TCP_INFO_ROUND_TRIP_OFFSET)
        if microseconds < _SHORT_LINE_MICROSECONDS:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SHORT_LINE_BUFFER_BYTES)
