"""The listening socket."""

from __future__ import annotations

import asyncio
import socket

from app.service.server import loopback_socket


async def test_responses_do_not_wait_for_delayed_acknowledgements() -> None:
    nodelay: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        nodelay.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listening = loopback_socket(0)
    server = await asyncio.start_server(connected, sock=listening)
    async with server:
        _, writer = await asyncio.open_connection(*listening.getsockname())
        assert await nodelay
        writer.close()
