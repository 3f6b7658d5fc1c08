from __future__ import annotations

import email.utils
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx
import pytest

from models_catalog.sources.faults import SourceCut, SourceFailed, SourceFault, SourceUnfit
from models_catalog.transfer.http_range import RangeRequest, open_range
from models_catalog.transfer.patience import Patience

CONTENT = bytes(range(100))
ASKED = RangeRequest(
    url="https://hub.example/file", start=10, end=20, total_bytes=100, headers=(("Authorization", "t"),)
)

Handler = Callable[[httpx.Request], httpx.Response]


async def read(handler: Handler, request: RangeRequest = ASKED) -> bytes:
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        async with open_range(client, request, Patience()) as answer:
            return b"".join([chunk async for chunk in answer.chunks()])


def partial(start: int = 10, end: int = 20, total: str = "100", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer_of(206, CONTENT[start:end], {"Content-Range": f"bytes {start}-{end - 1}/{total}", **named})


def answer_of(status: int, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    """An answer whose body is still to be read, as from a network."""

    async def stream() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 7):
            yield body[at : at + 7]

    return httpx.Response(status, headers={"Content-Length": str(len(body)), **(headers or {})}, content=stream())


async def test_the_range_is_asked_for_and_given() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["Range"])
        return partial()

    assert await read(answer) == CONTENT[10:20]
    assert asked == ["bytes=10-19"]


async def test_a_range_to_the_end_has_no_last_byte() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["Range"])
        return partial(10, 100)

    assert await read(answer, replace(ASKED, end=None)) == CONTENT[10:]
    assert asked == ["bytes=10-"]


async def test_the_whole_file_instead_of_a_range_is_cut_down_to_it() -> None:
    assert await read(lambda _: answer_of(200, CONTENT)) == CONTENT[10:20]


async def test_no_more_than_asked_is_taken() -> None:
    assert await read(lambda _: partial(10, 60)) == CONTENT[10:20]


async def test_less_than_promised_is_a_cut() -> None:
    with pytest.raises(SourceCut):
        await read(lambda _: partial(10, 15))


async def test_a_file_that_grows_beyond_its_bound_is_refused() -> None:
    endless = replace(ASKED, start=0, end=None, total_bytes=None, max_bytes=50)
    with pytest.raises(SourceUnfit):
        await read(lambda _: answer_of(200, CONTENT), endless)


@pytest.mark.parametrize(
    "answer",
    [
        partial(11, 20),
        partial(total="99"),
        answer_of(206, CONTENT[10:20]),
        answer_of(206, CONTENT[10:20], {"Content-Range": "bytes 10-19"}),
        httpx.Response(206, headers={"Content-Range": "bytes */100"}),
        partial(Content_Encoding="br"),
        partial(Content_Type="text/html; charset=utf-8"),
        answer_of(200, CONTENT[:99]),
        httpx.Response(416),
        httpx.Response(404),
        httpx.Response(204),
    ],
)
async def test_what_cannot_be_the_file_is_refused_for_good(answer: httpx.Response) -> None:
    with pytest.raises(SourceUnfit):
        await read(lambda _: answer)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_passing_trouble_may_be_tried_again(status: int) -> None:
    with pytest.raises(SourceFailed):
        await read(lambda _: httpx.Response(status))


async def test_an_unknown_total_is_no_lie() -> None:
    assert await read(lambda _: partial(total="*")) == CONTENT[10:20]


async def test_retry_after_in_seconds_and_as_a_date() -> None:
    date = email.utils.formatdate(time.time() + 60, usegmt=True)
    for text, low, high in [("7", 7, 7), (date, 50, 61), ("soon", 0, 0), ("", 0, 0)]:
        with pytest.raises(SourceFailed) as caught:
            await read(lambda _, text=text: httpx.Response(429, headers={"Retry-After": text}))  # type: ignore[misc]
        assert low <= caught.value.rest_seconds <= high


async def test_an_etag_that_changed_is_a_fault_but_a_weak_one_says_nothing() -> None:
    with pytest.raises(SourceFailed):
        await read(lambda _: partial(ETag='"two"'), replace(ASKED, etag='"one"'))
    assert await read(lambda _: partial(ETag='W/"two"'), replace(ASKED, etag='"one"')) == CONTENT[10:20]


def redirecting(*targets: str) -> tuple[Handler, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) <= len(targets):
            return httpx.Response(302, headers={"Location": targets[len(seen) - 1]})
        return partial()

    return answer, seen


async def test_the_token_stays_with_its_origin_even_after_coming_back() -> None:
    handler, seen = redirecting("/moved", "https://cdn.example/x", "https://hub.example/back")
    assert await read(handler) == CONTENT[10:20]
    assert [str(request.url) for request in seen] == [
        "https://hub.example/file",
        "https://hub.example/moved",
        "https://cdn.example/x",
        "https://hub.example/back",
    ]
    assert ["Authorization" in request.headers for request in seen] == [True, True, False, False]


async def test_another_port_is_another_origin() -> None:
    handler, seen = redirecting("https://hub.example:8443/x")
    await read(handler)
    assert "Authorization" not in seen[1].headers


@pytest.mark.parametrize("target", ["http://hub.example/file", "file:///etc/passwd", "ftp://x/y", "data:,x"])
async def test_no_redirect_leaves_https(target: str) -> None:
    handler, seen = redirecting(target)
    with pytest.raises(SourceFault):
        await read(handler)
    assert len(seen) == 1


async def test_redirects_without_end_are_a_fault() -> None:
    with pytest.raises(SourceFailed):
        await read(lambda _: httpx.Response(302, headers={"Location": "/again"}))


async def test_a_linked_hash_that_is_not_the_files_ends_it_before_the_redirect() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "https://cdn.example/x", "X-Linked-Etag": f'"{"1" * 64}"'})

    with pytest.raises(SourceUnfit):
        await read(answer, replace(ASKED, sha256="2" * 64))


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (httpx.ConnectTimeout("x"), SourceFailed),
        (httpx.ConnectError("x"), SourceFailed),
        (httpx.ReadTimeout("x"), SourceFailed),
        (httpx.ReadError("x"), SourceFailed),
        (httpx.UnsupportedProtocol("x"), SourceFailed),
    ],
)
async def test_every_network_error_is_a_fault(error: Exception, fault: type[SourceFault]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(fault):
        await read(answer)
