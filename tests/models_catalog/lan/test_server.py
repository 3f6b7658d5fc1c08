"""Sharing over real sockets: who knows the code gets the very bytes, everybody else nothing."""

from __future__ import annotations

import asyncio
import hashlib
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from models_catalog.download.model_download import download
from models_catalog.download.values import FileToFetch, ModelToFetch
from models_catalog.lan import asking, codes
from models_catalog.lan.asking import check_peer, with_peers
from models_catalog.lan.errors import PeerAddressRefused, PeerCodeWrong, PeerUnreachable
from models_catalog.lan.places import own_addresses, peer_place
from models_catalog.lan.server import LanServer
from models_catalog.lan.visits import MOST_CONNECTIONS_EACH
from models_catalog.sources.byte_source import WholeFile
from models_catalog.transfer.patience import Patience
from tests.models_catalog.hub_server import Behaviour, HubServer

CONTENT = b"GGUF" + random.Random(5).randbytes(700_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
CODE = codes.new_code()


class Shared:
    """A computer that shares one model and one file that is none."""

    def __init__(self, folder: Path) -> None:
        self.model, self.secret = folder / "m.gguf", folder / "secret.txt"
        self.model.write_bytes(CONTENT)
        self.secret.write_bytes(b"not for anybody")
        self.files = {SHA256: self.model, hashlib.sha256(b"not for anybody").hexdigest(): self.secret}
        self.asked: list[str] = []
        self.server = LanServer(files=self.find, key=lambda: codes.key_of(CODE) or b"", loopback=True)

    def find(self, sha256: str) -> Path | None:
        self.asked.append(sha256)
        return self.files.get(sha256)

    @property
    def place(self) -> str:
        return self.server.addresses[0]

    async def raw(self, request: str | bytes) -> bytes:
        """Whatever it answers until it closes, or for a moment."""
        host, port = self.place.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(request.encode() if isinstance(request, str) else request)
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), 5)
        except OSError:
            return b""
        finally:
            writer.close()

    async def ask(self, what: str, **headers: str) -> bytes:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return await self.raw("\r\n".join([f"GET /1/{what} HTTP/1.1", "Host: x", *lines, "", ""]))

    def ticket(self, sha256: str = SHA256, address: str = "127.0.0.1") -> str:
        key = codes.key_of(CODE)
        assert key is not None
        return codes.ticket(key, sha256, address=address, until=int(time.time()) + 60)


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[Shared]:
    one = Shared(tmp_path)
    await one.server.listen(("127.0.0.1",), 0)
    yield one
    await one.server.close()


async def until(what: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if what():
            return
        await asyncio.sleep(0)
    raise AssertionError


def signed(sha256: str, *, code: str = CODE, now: int | None = None, nonce: str = "") -> dict[str, str]:
    key, nonce = codes.key_of(code), nonce or codes.new_nonce()
    assert key is not None
    when = int(time.time()) if now is None else now
    signature = codes.sign(key, sha256, now=when, nonce=nonce)
    return {"Liangli_Time": str(when), "Liangli_Nonce": nonce, "Liangli_Signature": signature}


MODEL = ModelToFetch(
    name="m",
    files=(FileToFetch(place=("a", "b", "m.gguf"), sources=(), size_bytes=len(CONTENT), sha256=SHA256),),
)


async def test_a_computer_that_has_the_file_is_one_more_source(shared: Shared, tmp_path: Path) -> None:
    gone = WholeFile(name="hub", url="http://127.0.0.1:9/m.gguf")
    model = replace(MODEL, files=(replace(MODEL.files[0], sources=(gone,)),))
    found = await asyncio.to_thread(with_peers, model, {shared.place: CODE.lower()}, loopback=True)
    assert [one.name for one in found.files[0].sources] == ["hub", shared.place]
    patience = Patience(connect_seconds=2.0, stall_bytes=1, grace_seconds=0.02, rounds_seconds=(0.0, 0.01))
    (path,) = await asyncio.to_thread(
        download, found, tmp_path / "got", patience=patience, proxies={shared.place: "none"}
    )
    assert path.read_bytes() == CONTENT


async def test_what_is_not_there_not_equal_or_not_answered_is_no_source(shared: Shared) -> None:
    longer = replace(MODEL, files=(replace(MODEL.files[0], size_bytes=5),))
    other = replace(MODEL, files=(replace(MODEL.files[0], sha256="0" * 64),))
    secret = replace(MODEL, files=(replace(MODEL.files[0], size_bytes=15, sha256=list(shared.files)[1]),))
    peers = {shared.place: CODE, "127.0.0.1:9": CODE, "8.8.8.8": CODE, "nas.local": CODE}
    for model in (longer, other, secret):
        assert await asyncio.to_thread(with_peers, model, peers, loopback=True) == model
    wrong = await asyncio.to_thread(with_peers, MODEL, {shared.place: codes.new_code()}, loopback=True)
    assert wrong == MODEL == await asyncio.to_thread(with_peers, MODEL, {})


async def test_a_new_peer_is_asked_whether_it_takes_the_code(shared: Shared) -> None:
    assert await check_peer(shared.place, CODE, loopback=True) == shared.place
    with pytest.raises(PeerCodeWrong):
        await check_peer(shared.place, codes.new_code(), loopback=True)
    with pytest.raises(PeerCodeWrong):
        await check_peer(shared.place, "guess", loopback=True)
    with pytest.raises(PeerUnreachable):
        await check_peer("127.0.0.1:9", CODE, loopback=True)


async def test_somebody_else_is_no_peer(hub: HubServer) -> None:
    place = hub.base.removeprefix("http://")
    for behaviour in (Behaviour(status=404), Behaviour(status=200, body=b'{"size": 1, "ticket": "x"}')):
        hub.script("1", behaviour)
        with pytest.raises(PeerUnreachable):
            await check_peer(place, CODE, loopback=True)
    assert await asyncio.to_thread(with_peers, MODEL, {place: CODE}, loopback=True) == MODEL


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "nas.local", "", "192.168.1.5:0",
                "192.168.1.5:99999", "192.168.1.5/x", "192.168.1.5@8.8.8.8", "010.0.0.1", "[::1]:5", "192.168.1.5:"]
)  # fmt: skip
def test_only_addresses_of_local_networks_are_asked(address: str) -> None:
    with pytest.raises(PeerAddressRefused):
        peer_place(address)


async def test_only_addresses_of_local_networks_are_served(shared: Shared) -> None:
    assert peer_place(" 192.168.1.5 ") == ("192.168.1.5", 11467)
    assert not any(address.startswith(("127.", "0.")) for address in own_addresses())
    strict = LanServer(files=shared.find, key=lambda: b"")
    await strict.listen(("0.0.0.0", "127.0.0.1", "8.8.8.8", "::"), 0)
    assert strict.addresses == ()


async def test_strangers_learn_nothing(shared: Shared) -> None:
    for request in (
        await shared.ask(f"have/{SHA256}"),
        await shared.ask(f"have/{SHA256}", **signed(SHA256, code=codes.new_code())),
        await shared.ask(f"have/{SHA256}", **signed("0" * 64)),
        await shared.ask(f"file/{SHA256}"),
        await shared.ask(f"file/{SHA256}", Liangli_Ticket=shared.ticket("0" * 64)),
        await shared.ask(f"file/{SHA256}", Liangli_Ticket=shared.ticket(address="192.168.1.9")),
    ):
        assert request.startswith(b"HTTP/1.1 403 ") and request.endswith(b"\r\n\r\n")
    # Nothing was even looked for.
    assert shared.asked == []


async def test_a_question_that_was_overheard_is_answered_once(shared: Shared) -> None:
    headers = signed(SHA256)
    assert (await shared.ask(f"have/{SHA256}", **headers)).startswith(b"HTTP/1.1 200 ")
    again = await shared.ask(f"have/{SHA256}", **headers)
    assert again.startswith(b"HTTP/1.1 401 ") and b"ticket" not in again


async def test_clocks_may_differ(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    old = int(time.time()) - 5_000
    assert b"Liangli-Time: " in await shared.ask(f"have/{SHA256}", **signed(SHA256, now=old))

    class Slow:
        time = staticmethod(lambda: old)

    monkeypatch.setattr(asking, "time", Slow)
    assert await check_peer(shared.place, CODE, loopback=True) == shared.place


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "file/../../secret.txt", f"file/{SHA256}/../secret.txt", "file/%2e%2e%2fsecret.txt",
     f"file/{SHA256.upper()}", f"file/{SHA256}?x=1", f"list/{SHA256}", "", "file/", "/v1/models"],
)  # fmt: skip
async def test_there_is_no_other_way_in(path: str, shared: Shared) -> None:
    assert await shared.ask(path, Liangli_Ticket=shared.ticket()) == b""
    assert shared.asked == []


@pytest.mark.parametrize(
    "request_head",
    [f"POST /1/file/{SHA256} HTTP/1.1", f"HEAD /1/file/{SHA256} HTTP/1.1", f"GET /1/file/{SHA256} HTTP/1.0",
     f"GET http://x/1/file/{SHA256} HTTP/1.1", "\x16\x03\x01", "GET"],
)  # fmt: skip
async def test_there_is_no_other_question(request_head: str, shared: Shared) -> None:
    assert await shared.raw(f"{request_head}\r\nLiangli-Ticket: {shared.ticket()}\r\n\r\n") == b""
    long = f"GET /1/file/{SHA256} HTTP/1.1\r\nX: {'x' * 9000}\r\n\r\n"
    twice = f"GET /1/file/{SHA256} HTTP/1.1\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n"
    body = f"GET /1/file/{SHA256} HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    for request in (long, twice, body):
        assert await shared.raw(request) == b""
    assert shared.asked == []


@pytest.mark.parametrize(
    ("wanted", "status", "bytes_"),
    [
        ("bytes=0-3", 206, b"GGUF"),
        (f"bytes={len(CONTENT) - 2}-", 206, CONTENT[-2:]),
        (f"bytes={len(CONTENT) - 2}-999999999", 206, CONTENT[-2:]),
        ("bytes=10-9", 416, b""),
        (f"bytes={len(CONTENT)}-", 416, b""),
        ("bytes=-5", 416, b""),
        ("bytes=0-1,4-5", 416, b""),
        ("bytes=" + "9" * 40 + "-", 416, b""),
        ("lines=1-2", 416, b""),
    ],
)
async def test_ranges(wanted: str, status: int, bytes_: bytes, shared: Shared) -> None:
    answer = await shared.ask(f"file/{SHA256}", Liangli_Ticket=shared.ticket(), Range=wanted)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert (int(head.split()[1]), body) == (status, bytes_)


async def test_a_crowd_of_one_is_held_off_and_others_are_served(shared: Shared) -> None:
    host, port = shared.place.split(":")
    crowd = []
    for _ in range(MOST_CONNECTIONS_EACH):
        crowd.append(socket.create_connection((host, int(port))))
    await until(lambda: len(shared.server._connections) == MOST_CONNECTIONS_EACH)
    assert await shared.ask(f"file/{SHA256}", Liangli_Ticket=shared.ticket()) == b""
    crowd.pop().close()
    await until(lambda: len(shared.server._connections) < MOST_CONNECTIONS_EACH)
    assert (await shared.ask(f"file/{SHA256}", Liangli_Ticket=shared.ticket())).endswith(CONTENT[-9:])
    for one in crowd:
        one.close()


async def test_who_guesses_codes_is_shut_out(shared: Shared) -> None:
    for _ in range(10):
        await shared.ask(f"have/{SHA256}", **signed(SHA256, code=codes.new_code()))
    assert await shared.ask(f"have/{SHA256}", **signed(SHA256)) == b""


async def test_another_port_is_taken_and_one_that_is_taken_is_said_once(
    shared: Shared, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
        for _ in range(2):
            await shared.server.listen(("127.0.0.1",), port)
            assert shared.server.addresses == ()
    assert len(caplog.records) == 1
    await shared.server.listen(("127.0.0.1",), port)
    assert shared.server.addresses == (f"127.0.0.1:{port}",)


async def test_the_end_is_the_end_for_everybody(shared: Shared) -> None:
    host, port = shared.place.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    await shared.server.close()
    assert shared.server.addresses == ()
    with pytest.raises(OSError):
        await asyncio.open_connection(host, int(port))
    writer.close()
