"""What is read as an index, and what of the network is ever taken."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models_catalog.signed.bounded_fetch import fetch_bounded
from models_catalog.signed.errors import Reason, UpdateRefused, UpdateUnreachable
from models_catalog.signed.fetched_index import fetch_files, fetch_signed
from models_catalog.signed.signed_index import Index, IndexRefused, SignedDocument, read_index
from tests.models_catalog.signed.publisher import Odd, Publisher, UpdateServer, plain_client, serving, sign_index

PUBLISHER = Publisher()
BODY = {
    "format": "app",
    "version": 1,
    "serial": 7,
    "date": "2026-11-24",
    "files": [{"name": "a.whl", "sha256": "0" * 64, "size_bytes": 3}],
}


@pytest.fixture(scope="module")
def running() -> Iterator[UpdateServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(running: UpdateServer) -> UpdateServer:
    running.files, running.odd, running.gzipped = {}, {}, False
    running.asked.clear()
    return running


def _fetch(address: str, max_bytes: int = 1000) -> bytes | None:
    async def fetch() -> bytes | None:
        async with plain_client() as client:
            return await fetch_bounded(client, address, max_bytes=max_bytes)

    return asyncio.run(fetch())


def _reason(address: str, max_bytes: int = 1000) -> str:
    with pytest.raises(UpdateRefused) as refused:
        _fetch(address, max_bytes)
    return refused.value.reason


def _read(**changes: Any) -> Index:
    return read_index(json.dumps(BODY | changes).encode(), Index, format="app", version=1)


def test_an_index() -> None:
    assert _read().serial == 7
    assert _read(later="field").files[0].name == "a.whl"


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "catalogue"},
        {"serial": 0},
        {"serial": "7"},
        {"serial": 2**60},
        {"date": "2026-13-40"},
        {"date": "24.11.2026"},
        {"files": None},
        *(
            {"files": [{"name": name, "sha256": "0" * 64, "size_bytes": 3}]}
            for name in ("../a.whl", "/a.whl", "c:a.whl")
        ),
        {"files": [{"name": "a.whl", "sha256": "0" * 63, "size_bytes": 3}]},
        {"files": [{"name": "a.whl", "sha256": "0" * 64, "size_bytes": -1}]},
        {"files": [{"name": "a.whl", "sha256": "0" * 64, "size_bytes": 2**40}]},
        {"files": BODY["files"] * 2},  # type: ignore[operator]
        {"files": [{"name": f"a{n}.whl", "sha256": "0" * 64, "size_bytes": 1024 * 1024} for n in range(17)]},
        {"files": [{"name": f"a{n}.whl", "sha256": "0" * 64, "size_bytes": 0} for n in range(401)]},
    ],
)
def test_what_cannot_be_an_index(changes: dict[str, Any]) -> None:
    with pytest.raises(IndexRefused) as refused:
        _read(**changes)
    assert refused.value.reason is Reason.BROKEN


def test_an_index_of_large_things() -> None:
    body = json.dumps(BODY | {"files": [{"name": "a.msi", "sha256": "0" * 64, "size_bytes": 80_000_000}]}).encode()
    limits = {"max_file_bytes": 10**9, "max_whole_bytes": 10**10}
    assert read_index(body, Index, format="app", version=1, **limits).files[0].size_bytes == 80_000_000
    with pytest.raises(IndexRefused):
        read_index(body, Index, format="app", version=1)


def test_a_newer_format() -> None:
    with pytest.raises(IndexRefused) as refused:
        _read(version=2, files="in some new way")
    assert refused.value.reason is Reason.NEWER


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*BODY, "name"]), inner, max_size=5),
    max_leaves=20,
)


@given(st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 10_000)
@example(b'{"files": ' * 5_000)
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with pytest.raises(IndexRefused):
        read_index(body, Index, format="app", version=1)


@pytest.mark.parametrize(
    "address",
    [
        *("http://example.org/index.json", "http://10.0.0.1/x", "http://127.0.0.1.example.org/x", "ftp://127.0.0.1/x"),
        *("file:///etc/passwd", "", "index.json", "https://", "http://[::1", "http://localhost.example.org/"),
    ],
)
def test_plain_http_is_not_asked(address: str) -> None:
    assert _reason(address) == Reason.INSECURE


def test_redirects(server: UpdateServer) -> None:
    server.files = {"there": b"here I am"}
    server.odd["index.json"] = Odd(status=302, headers={"Location": "/there"})
    assert _fetch(server.address) == b"here I am"
    server.odd["index.json"] = Odd(status=302, headers={"Location": "http://example.org/there"})
    assert _reason(server.address) == Reason.INSECURE
    server.odd["index.json"] = Odd(status=302, headers={"Location": "file:///etc/passwd"})
    assert _reason(server.address) == Reason.INSECURE
    server.odd["index.json"] = Odd(status=302, headers={"Location": "/index.json"})
    with pytest.raises(UpdateUnreachable):
        _fetch(server.address)


def test_from_https_nothing_leads_to_http() -> None:
    import httpx

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://127.0.0.1:1/x"})

    async def fetch() -> bytes | None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await fetch_bounded(client, "https://example.org/x", max_bytes=10)

    with pytest.raises(UpdateRefused) as refused:
        asyncio.run(fetch())
    assert refused.value.reason == Reason.INSECURE


def test_a_body_without_an_end(server: UpdateServer) -> None:
    server.odd["index.json"] = Odd(body=b"x" * 4096, endless=True)
    assert _reason(server.address, 100_000) == Reason.TOO_LARGE


def test_a_body_that_unpacks_to_far_too_much(server: UpdateServer) -> None:
    bomb = gzip.compress(gzip.compress(bytes(20_000_000)))
    server.odd["index.json"] = Odd(body=bomb, headers={"Content-Encoding": "gzip"})
    assert _fetch(server.address, 100_000) == gzip.decompress(bomb)
    server.odd["index.json"] = Odd(body=gzip.decompress(bomb), headers={"Content-Encoding": "gzip"})
    assert _reason(server.address, 100_000) == Reason.TOO_LARGE


def test_packed_bodies_that_are_odd(server: UpdateServer) -> None:
    for body, encoding in ((b"plain", "gzip"), (gzip.compress(b"x" * 500)[:-9], "gzip"), (b"", "gzip"), (b"x", "br")):
        server.odd["index.json"] = Odd(body=body, headers={"Content-Encoding": encoding})
        assert _reason(server.address) == Reason.BROKEN
    server.odd["index.json"] = Odd(body=gzip.compress(b"x" * 500), headers={"Content-Encoding": "gzip"})
    assert _fetch(server.address, 500) == b"x" * 500
    assert _reason(server.address, 499) == Reason.TOO_LARGE


def test_what_a_server_may_say(server: UpdateServer) -> None:
    assert _fetch(server.address) is None
    for status in (401, 403, 429, 500, 206):
        server.odd["index.json"] = Odd(status=status)
        with pytest.raises(UpdateUnreachable):
            _fetch(server.address)
    with pytest.raises(UpdateUnreachable):
        _fetch("http://127.0.0.1:1/index.json")


def _signed(server: UpdateServer) -> SignedDocument:
    async def fetch() -> SignedDocument:
        async with plain_client() as client:
            return await fetch_signed(client, server.address, (PUBLISHER.public,), today=date(2026, 11, 24))

    return asyncio.run(fetch())


def test_a_signed_document(server: UpdateServer) -> None:
    body = json.dumps(BODY).encode()
    signature = sign_index().signature_of(body, PUBLISHER.key, "").encode()
    server.files = {"index.json": body, "index.json.minisig": signature}
    assert _signed(server) == SignedDocument(body=body, signature=signature, key=PUBLISHER.public.id)
    server.files = {"index.json": body}
    with pytest.raises(UpdateRefused) as refused:
        _signed(server)
    assert refused.value.reason == Reason.UNSIGNED
    server.files = {}
    with pytest.raises(UpdateRefused) as refused:
        _signed(server)
    assert refused.value.reason == Reason.BROKEN


def test_files_are_what_the_index_says(server: UpdateServer) -> None:
    import hashlib

    async def fetch(have: dict[str, bytes]) -> dict[str, bytes]:
        async with plain_client() as client:
            return await fetch_files(client, server.address, index.files, have)

    file = {"name": "a.whl", "sha256": hashlib.sha256(b"abc").hexdigest(), "size_bytes": 3}
    index = _read(files=[file])
    server.files = {"a.whl": b"abc"}
    assert asyncio.run(fetch({})) == {"a.whl": b"abc"}
    server.asked.clear()
    assert asyncio.run(fetch({file["sha256"]: b"abc"})) == {"a.whl": b"abc"} and not server.asked  # type: ignore[dict-item]
    for wrong in (b"abd", b"ab", b"abcd"):
        server.files = {"a.whl": wrong}
        with pytest.raises(UpdateRefused):
            asyncio.run(fetch({}))
    server.files = {}
    with pytest.raises(UpdateRefused):
        asyncio.run(fetch({}))
