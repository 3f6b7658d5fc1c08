"""The guards as a client sees them: real bytes on a real loopback socket."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from app.service import connection
from app.service.guards.body import MAX_BODY_BYTES, BodyGuard
from tests.app.service.fakes import TOKEN, FakeWorld, Running, running_service


async def raw(port: int, *pieces: bytes) -> bytes:
    """Everything that comes back for these bytes until the server closes or is silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(5):
            return await reader.read(-1)
    finally:
        writer.close()


def head(port: int, *lines: str, target: str = "/v1/models", method: str = "GET", host: str | None = None) -> bytes:
    first = [f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", "Connection: close", *lines]
    return "\r\n".join([*first, "", ""]).encode()


BEARER = f"Authorization: Bearer {TOKEN}"


def status(reply: bytes) -> int:
    return int(reply.split()[1])


@pytest.mark.parametrize("path", ["/v1/models", "/liangli/v1/status", "/liangli/v1/events", "/", "/docs"])
async def test_every_route_wants_the_token(running: Running, path: str) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}):
        reply = await running.http.get(path, headers=headers)
        assert reply.status_code == 401 and reply.headers["www-authenticate"] == "Bearer"
    assert status(await raw(running.port, head(running.port, target=path))) == 401


async def test_both_ways_to_give_the_token(running: Running) -> None:
    for line in (BEARER, f"authorization: bearer {TOKEN}", f"X-Api-Key: {TOKEN}"):
        assert status(await raw(running.port, head(running.port, line))) == 200


async def test_only_loopback_names_with_our_port_are_hosts(running: Running) -> None:
    port = running.port
    for host in (f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
        assert status(await raw(port, head(port, BEARER, host=host))) == 200
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", f"127.0.0.1.x:{port}"):
        reply = await raw(port, head(port, BEARER, host=host))
        assert status(reply) == 403 and b"forbidden_origin" in reply
    assert status(await raw(port, f"GET /v1/models HTTP/1.0\r\n{BEARER}\r\n\r\n".encode())) == 403


async def test_web_pages_are_refused_unless_listed(running: Running) -> None:
    page = {"Origin": "https://page.example"}
    refused = await running.http.get("/v1/models", headers=page)
    assert refused.status_code == 403 and "access-control-allow-origin" not in refused.headers
    preflight = {**page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    assert (await running.http.options("/v1/models", headers=preflight)).status_code == 403
    assert (await running.http.get("/v1/models", headers={"Origin": "null"})).status_code == 403
    await running.ask("PATCH", "/settings", {"allowed_origins": ["https://page.example"]})
    allowed = await running.http.get("/v1/models", headers=page)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://page.example"
    asked = await running.http.options("/v1/models", headers={**preflight, "Authorization": ""})
    assert asked.status_code == 204 and asked.headers["access-control-allow-headers"] == "authorization"
    assert (await running.http.get("/v1/models", headers={"Origin": "https://other.example"})).status_code == 403
    assert (await running.http.get("/v1/models", headers={**page, "Authorization": ""})).status_code == 401


async def test_bodies_above_the_limit_are_refused(running: Running) -> None:
    port, target = running.port, "/v1/chat/completions"
    announced = head(port, BEARER, f"Content-Length: {MAX_BODY_BYTES + 1}", target=target, method="POST")
    assert status(await raw(port, announced)) == 413
    chunked = head(port, BEARER, "Transfer-Encoding: chunked", target=target, method="POST")
    chunked = chunked.replace(b"Connection: close\r\n", b"")
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(chunked)
    answer = asyncio.create_task(reader.read(65536))
    for _ in range(30):
        if answer.done():
            break
        writer.write(piece)
        await writer.drain()
    assert status(await answer) == 413
    writer.close()


async def test_compressed_bodies_are_refused(running: Running) -> None:
    reply = await running.http.post("/v1/completions", content=b"x", headers={"Content-Encoding": "gzip"})
    assert reply.status_code == 400


async def test_large_headers_are_refused(running: Running) -> None:
    begun = head(running.port, BEARER, "X: " + "y" * 70_000).removesuffix(b"\r\n\r\n")
    assert status(await raw(running.port, begun)) == 400


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET /v1/models HT", b"GET /v1/models HTTP/1.1\r\nHost: x\r\nX: y\r\n"],
)
async def test_slow_headers_are_cut_off(running: Running, monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(begun)
    async with asyncio.timeout(5):
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()


async def test_a_slow_second_request_is_cut_off_too(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(head(running.port, BEARER).replace(b"Connection: close\r\n", b""))
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"GET /v1/mod")
    async with asyncio.timeout(5):
        with suppress(ConnectionResetError):
            await reader.read()
    writer.close()


async def test_slow_bodies_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import app.service.application as application

    monkeypatch.setattr(application, "BodyGuard", lambda app: BodyGuard(app, piece_seconds=0.1, whole_seconds=0.3))
    async with running_service(tmp_path / "data", FakeWorld()) as running:
        begun = head(running.port, BEARER, "Content-Length: 100", target="/v1/completions", method="POST")
        reply = await raw(running.port, begun, b"{")
        assert status(reply) == 408 and b"request_too_slow" in reply


async def test_a_client_that_reads_nothing_is_cut_off_and_the_answer_ends(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STALLED_SECONDS", 0.2)
    running.world.script.pieces = ("x" * 100_000,) * 200
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}], "stream": True}).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
    lines = (BEARER, "Content-Type: application/json", f"Content-Length: {len(body)}")
    writer.write(head(running.port, *lines, target="/v1/chat/completions", method="POST") + body)
    await running.world.started.wait()
    async with asyncio.timeout(5):
        await running.world.engines[0].gave_up(1)
    writer.close()


async def test_too_many_connections_are_dropped(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MAX_CONNECTIONS", 3)
    opened = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(4)]
    async with asyncio.timeout(5):
        with suppress(ConnectionResetError):
            assert await opened[3][0].read() == b""
    opened[0][1].write(head(running.port, BEARER))
    assert status(await opened[0][0].read(100)) == 200
    for _, writer in opened:
        writer.close()


async def test_an_unexpected_error_shows_nothing_of_the_request(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    prompt = "".join(reversed("terces"))  # the log may show lines of code, but no values

    async def broken(*_: Any) -> None:
        raise RuntimeError(prompt)

    monkeypatch.setattr(running.service.library, "models", broken)
    for path in ("/v1/models", "/liangli/v1/models"):
        reply = await running.http.get(path)
        assert reply.status_code == 500 and "secret" not in reply.text
        assert reply.json()["error"]["message"]
    assert "RuntimeError" in caplog.text and "secret" not in caplog.text
