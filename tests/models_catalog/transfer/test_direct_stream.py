from __future__ import annotations

import random
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models_catalog.sources.faults import SourceCut, SourceFailed
from models_catalog.transfer.direct_stream import DirectStream
from models_catalog.transfer.http_range import RangeRequest, open_client, open_range
from models_catalog.transfer.patience import Patience
from tests.models_catalog.raw_server import RawServer, SocksProxy, http_proxy, serving

CONTENT = random.Random(4).randbytes(3_000_000)
PATIENCE = Patience(connect_seconds=3, stall_seconds=2)


async def read(url: str, *, proxy: str = "none", patience: Patience = PATIENCE) -> bytes:
    held = bytearray()
    async with (
        open_client(patience, proxy) as client,
        open_range(client, RangeRequest(url=url, start=7), patience) as one,
    ):
        async for chunk in one.chunks():
            held += chunk
    return bytes(held)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes went the direct way, each time."""
    counts: list[int] = []
    plain = DirectStream.take

    async def counted(stream: DirectStream, timeout: float | None) -> memoryview:
        chunk = await plain(stream, timeout)
        counts.append(len(chunk))
        return chunk

    monkeypatch.setattr(DirectStream, "take", counted)
    return counts


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for localhost, which this process trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_long_body_goes_the_direct_way(taken: list[int]) -> None:
    with RawServer(serving(CONTENT)) as server:
        assert await read(f"http://127.0.0.1:{server.port}/x") == CONTENT[7:]
    assert sum(taken) > len(CONTENT) / 2


async def test_and_so_does_an_encrypted_one(taken: list[int], tls: ssl.SSLContext) -> None:
    with RawServer(serving(CONTENT), tls=tls) as server:
        assert await read(f"https://localhost:{server.port}/x") == CONTENT[7:]
    assert sum(taken) > len(CONTENT) / 2


async def test_a_certificate_that_nobody_trusts_is_refused(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with RawServer(serving(CONTENT), tls=tls) as server:
        with pytest.raises(SourceFailed, match="certificate"):
            await read(f"https://localhost:{server.port}/x")
    assert server.heads == []


@pytest.mark.parametrize("reset", [False, True])
async def test_a_cut_in_the_middle_of_the_body(reset: bool) -> None:
    def answer(connection: socket.socket, head: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + CONTENT[:2_000_000])
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    with RawServer(answer) as server:
        with pytest.raises(SourceCut):
            await read(f"http://127.0.0.1:{server.port}/x")


async def test_silence_in_the_middle_of_the_body() -> None:
    def answer(connection: socket.socket, head: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + CONTENT[:1000])

    with RawServer(answer) as server:
        with pytest.raises(SourceFailed, match="no byte"):
            await read(f"http://127.0.0.1:{server.port}/x", patience=replace(PATIENCE, stall_seconds=0.1))


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Of ::1: connections to it are neither taken nor refused, as those to a dead IPv6 route."""
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6, backlog=0)
    except OSError:
        pytest.skip("this computer has no IPv6")
    port = listener.getsockname()[1]
    waiting = []
    for _ in range(4):
        waiting.append(socket.socket(socket.AF_INET6))
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(("::1", port))
    yield port
    for one in (*waiting, listener):
        one.close()


async def test_an_address_of_ipv6() -> None:
    try:
        server = RawServer(serving(CONTENT), host="::1")
    except OSError:
        pytest.skip("this computer has no IPv6")
    with server:
        assert await read(f"http://[::1]:{server.port}/x") == CONTENT[7:]


async def test_ipv6_that_leads_nowhere_costs_less_than_a_second(
    silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(serving(CONTENT)) as server:
        addresses: list[tuple[Any, ...]] = [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", silent_port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
        begun = time.monotonic()
        assert await read("http://both.example/x") == CONTENT[7:]
        assert time.monotonic() - begun < 1


async def test_an_http_proxy(taken: list[int]) -> None:
    with RawServer(serving(CONTENT)) as server, RawServer(http_proxy) as proxy:
        address = f"http://127.0.0.1:{server.port}/x"
        assert await read(address, proxy=f"http://127.0.0.1:{proxy.port}") == CONTENT[7:]
        assert proxy.heads[0].startswith(f"GET {address} ")
    assert sum(taken) > len(CONTENT) / 2


async def test_a_tunnel_through_an_http_proxy(taken: list[int], tls: ssl.SSLContext) -> None:
    with RawServer(serving(CONTENT), tls=tls) as server, RawServer(http_proxy) as proxy:
        secret = f"https://localhost:{server.port}/secret"
        assert await read(secret, proxy=f"http://127.0.0.1:{proxy.port}") == CONTENT[7:]
        assert proxy.heads[0].startswith(f"CONNECT localhost:{server.port} ") and "secret" not in proxy.heads[0]
    assert sum(taken) > len(CONTENT) / 2


async def test_a_socks_proxy_looks_the_name_up(taken: list[int]) -> None:
    with RawServer(serving(CONTENT)) as server, SocksProxy() as proxy:
        address = f"http://localhost:{server.port}/x"
        assert await read(address, proxy=f"socks5://127.0.0.1:{proxy.port}") == CONTENT[7:]
        assert proxy.asked == [("localhost", server.port)]
    assert sum(taken) > len(CONTENT) / 2
