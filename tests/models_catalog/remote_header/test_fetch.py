"""Headers are read from servers good and bad, in few requests, and nothing that a server says is simply believed."""

from __future__ import annotations

import asyncio
import io
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from models_catalog.errors import (
    GgufHeaderBroken,
    HyperparameterRefused,
    ModelFileTruncated,
    NotFirstShard,
    NotGguf,
    RemoteAnswerWrong,
    RemoteChanged,
    RemoteClosed,
    RemoteMissing,
    RemoteUnreachable,
)
from models_catalog.gguf.header import parse_header
from models_catalog.gguf.parsing import ValueType
from models_catalog.gguf.plan_data import model_file_bytes, plan_data, read_plan_data
from models_catalog.remote_header.errors import RemoteBusy, RemoteGated
from models_catalog.remote_header.fetch import fetch_header
from models_catalog.remote_header.values import Pattern, RemoteFile, RemoteHeader
from models_catalog.sources.byte_source import WholeFile
from models_catalog.transfer.http_range import open_client
from models_catalog.transfer.patience import Patience
from tests.models_catalog.gguf.gguf_bytes import GgufPieces
from tests.models_catalog.hub_server import Behaviour, ModelHub, Seen, Stored
from tests.models_catalog.remote_header.conftest import F16, F32, Q8_0, quantized, stored

MIB = 1024 * 1024
HEADS = Path(__file__).resolve().parents[4] / "shared" / "headers"


@pytest.fixture
async def client(patience: Patience) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(patience) as opened:
        yield opened


class Reader:
    """Fetches files of the hub by their plain addresses."""

    def __init__(self, hub: ModelHub, client: httpx.AsyncClient, patience: Patience) -> None:
        self.hub, self.client, self.patience = hub, client, patience

    async def __call__(
        self, *names: str, pattern: Pattern | None = None, limit_seconds: float = 20, sources: int = 1
    ) -> RemoteHeader:
        files = tuple(
            RemoteFile(
                name=name,
                sources=tuple(WholeFile(name=f"S{n}", url=f"{self.hub.plain(name)}?{n}") for n in range(sources)),
            )
            for name in names
        )
        return await fetch_header(
            self.client,
            files,
            origin="http://hub/x",
            pattern=pattern,
            patience=self.patience,
            limit_seconds=limit_seconds,
        )


@pytest.fixture
def read(model_hub: ModelHub, client: httpx.AsyncClient, patience: Patience) -> Reader:
    return Reader(model_hub, client, patience)


def expected(file: Stored) -> bytes:
    content = memoryview(file.head)
    position = 0

    def take(count: int) -> bytes:
        nonlocal position
        piece = bytes(content[position : position + count])
        position += len(piece)
        return piece

    header = parse_header(take, size_bytes=file.size_bytes, path="x")
    return plan_data(header, file_bytes=file.size_bytes, origin="http://hub/x")


@pytest.fixture
def model(model_hub: ModelHub, base_model: GgufPieces) -> Stored:
    file = stored(quantized(base_model, Q8_0, name="Model Q8", file_type=7))
    model_hub.files["q8.gguf"] = file
    return file


@pytest.fixture
def small(model_hub: ModelHub, small_model: GgufPieces) -> Stored:
    file = stored(quantized(small_model, Q8_0, name="Small", file_type=7))
    model_hub.files["small.gguf"] = file
    return file


async def test_a_header_is_read_in_growing_steps(read: Reader, model: Stored) -> None:
    found = await read("q8.gguf")
    assert found.plan_data == expected(model)
    assert found.size_bytes == model.size_bytes
    assert found.etag == f'"{model.sha256[:16]}"'
    assert [seen.start for seen in read.hub.seen] == [0, MIB]
    assert (found.requests, found.fetched_bytes) == (2, 5 * MIB)


@pytest.mark.parametrize(
    ("file", "requests"), [("DeepSeek-R1-Distill-Qwen-7B-Q4_K_M.gguf.head", 3), ("gemma-3-270m-Q4_K_M.gguf.head", 3)]
)
async def test_real_headers(file: str, requests: int, read: Reader) -> None:
    path = HEADS / file
    if not path.is_file():
        pytest.skip(f"the real header {file} lies in ../shared/headers, which is not here")
    head = path.read_bytes()
    header = parse_header(io.BytesIO(head).read, size_bytes=1 << 40, path=file)
    real = Stored(head=head[: header.data_offset], size_bytes=header.needed_bytes)
    read.hub.files["real.gguf"] = real
    found = await read("real.gguf")
    assert found.plan_data == expected(real)
    assert (found.requests, found.fetched_bytes) == (requests, 9 * MIB)
    again = await read("real.gguf", pattern=found.pattern)
    assert again.plan_data == found.plan_data
    assert again.requests == 2
    assert again.fetched_bytes < 100_000


@pytest.mark.parametrize(("kind", "file_type"), [(F16, 1), (F32, 0), (Q8_0, 7)])
async def test_siblings_take_two_small_requests(
    kind: int, file_type: int, read: Reader, model: Stored, base_model: GgufPieces
) -> None:
    sibling = stored(quantized(base_model, kind, name="Model with a rather longer name", file_type=file_type))
    read.hub.files["sibling.gguf"] = sibling
    pattern = (await read("q8.gguf")).pattern
    found = await read("sibling.gguf", pattern=pattern)
    assert (found.requests, found.fetched_bytes < 20_000) == (2, True)
    header, whole = read_plan_data(found.plan_data, "x"), read_plan_data(expected(sibling), "x")
    assert header.tensors == whole.tensors
    assert found.plan_data == expected(sibling)
    assert header.name == "Model with a rather longer name"
    assert header.quantization == whole.quantization
    assert model_file_bytes(header) == sibling.size_bytes
    assert found.pattern is pattern


async def test_what_is_no_sibling_is_read_whole(read: Reader, medium_model: GgufPieces) -> None:
    q8 = quantized(medium_model, Q8_0, name="x", file_type=7)
    read.hub.files["q8.gguf"] = stored(q8)
    pattern = (await read("q8.gguf")).pattern
    width = next(key for key in (p.key.decode() for p in q8.pairs) if key.endswith("rope.freq_base"))
    others = {
        "value": q8.with_value(width, 5000.0),
        "more-keys": q8.with_pair("qwen2.attention.sliding_window", ValueType.UINT32, 128),
        "fewer-tensors": replace(q8, weights=q8.weights[:-1]),
        "other-order": replace(q8, weights=(*q8.weights[1:], q8.weights[0])),
        "shape": q8.with_weight("blk.0.ffn_up.weight", shape=(64, 160)).with_weight(
            "blk.0.ffn_gate.weight", shape=(64, 160)
        ),
        "name": q8.with_weight("output_norm.weight", name=b"other_norm.weight"),
        "far-away": q8.with_pair("quantize.text", ValueType.STRING, b"x" * 9000),
        "long-before": replace(
            q8, pairs=(q8.pairs[0], *q8.with_pair("general.text", 8, b"x" * 9000).pairs[::-1][:1], *q8.pairs[1:])
        ),
    }
    for name, pieces in others.items():
        file = stored(pieces)
        read.hub.files["other.gguf"] = file
        found = await read("other.gguf", pattern=pattern)
        assert found.plan_data == expected(file), name
        assert found.pattern is not pattern, name


async def test_a_sibling_that_does_not_fill_its_file_is_read_whole(read: Reader, model: Stored) -> None:
    pattern = (await read("q8.gguf")).pattern
    read.hub.files["longer.gguf"] = replace(model, size_bytes=model.size_bytes + 4096)
    assert (await read("longer.gguf", pattern=pattern)).requests > 2
    read.hub.files["shorter.gguf"] = replace(model, size_bytes=model.size_bytes - 4096)
    with pytest.raises(ModelFileTruncated):
        await read("shorter.gguf", pattern=pattern)


def in_parts(pieces: GgufPieces, *cuts: int) -> list[Stored]:
    bounds = [0, *cuts, len(pieces.weights)]
    parts = []
    for number, (start, end) in enumerate(itertools.pairwise(bounds)):
        part = replace(pieces, pairs=pieces.pairs if number == 0 else (), weights=pieces.weights[start:end])
        part = part.with_pair("split.no", ValueType.UINT16, number).with_pair(
            "split.count", ValueType.UINT16, len(bounds) - 1
        )
        parts.append(stored(part.with_pair("split.tensors.count", ValueType.INT32, len(pieces.weights))))
    return parts


def put_parts(hub: ModelHub, parts: list[Stored], stem: str = "m") -> list[str]:
    names = [f"{stem}-{number + 1:05}-of-{len(parts):05}.gguf" for number in range(len(parts))]
    hub.files |= dict(zip(names, parts, strict=True))
    return names


@pytest.mark.parametrize("cuts", [(5,), (0, 9), (4, 8, 12)])
async def test_split_models_are_one(cuts: tuple[int, ...], read: Reader, model: Stored, base_model: GgufPieces) -> None:
    pieces = quantized(base_model, Q8_0, name="Model Q8", file_type=7)
    parts = in_parts(pieces, *cuts)
    names = put_parts(read.hub, parts)
    found = await read(*names)
    header, whole = read_plan_data(found.plan_data, "x"), read_plan_data(expected(model), "x")
    assert header.tensors == whole.tensors
    assert found.size_bytes == model_file_bytes(header) == sum(part.size_bytes for part in parts)
    assert found.requests == 2 + len(cuts)
    by_whole_pattern = await read(*names, pattern=(await read("q8.gguf")).pattern)
    assert by_whole_pattern.fetched_bytes < 100_000 + 65_536 * len(cuts)
    assert read_plan_data(by_whole_pattern.plan_data, "x").tensors == whole.tensors
    by_split_pattern = await read("q8.gguf", pattern=found.pattern)
    assert (by_split_pattern.plan_data, by_split_pattern.requests) == (expected(model), 2)


async def test_split_models_with_wrong_parts(read: Reader, small_model: GgufPieces) -> None:
    parts = in_parts(small_model, 5)
    names = put_parts(read.hub, parts)
    with pytest.raises(GgufHeaderBroken):
        await read(names[0])
    with pytest.raises(NotFirstShard):
        await read(names[1])
    with pytest.raises(GgufHeaderBroken):
        await read(names[0], names[0])
    del read.hub.files[names[1]]
    with pytest.raises(RemoteMissing):
        await read(*names)


async def test_a_server_without_ranges_is_left_as_soon_as_enough_came(read: Reader, model: Stored) -> None:
    read.hub.files["q8.gguf"] = replace(model, size_bytes=model.size_bytes)
    read.hub.script("plain", always=Behaviour(ignore_range=True))
    found = await read("q8.gguf")
    assert found.plan_data == expected(model)
    assert found.fetched_bytes < 8 * MIB


async def test_a_huge_file_sent_whole_is_not_taken(read: Reader, small_model: GgufPieces) -> None:
    wide = small_model.with_weight("output.weight", shape=(64, small_model.weight("output.weight").shape[1]))
    file = stored(wide)
    read.hub.files["huge.gguf"] = replace(file, size_bytes=1 << 36)
    read.hub.script("plain", always=Behaviour(ignore_range=True))
    found = await read("huge.gguf")
    assert found.size_bytes == 1 << 36
    assert read.hub.sent_bytes < 64 * MIB


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (Behaviour(status=401), RemoteClosed),
        (Behaviour(status=403), RemoteClosed),
        (Behaviour(status=403, headers={"X-Error-Code": "GatedRepo"}), RemoteGated),
        (Behaviour(status=404), RemoteMissing),
        (Behaviour(status=410), RemoteMissing),
        (Behaviour(status=416), RemoteAnswerWrong),
        (Behaviour(status=429), RemoteBusy),
        (Behaviour(status=500), RemoteUnreachable),
        (Behaviour(range_shift_bytes=100), RemoteAnswerWrong),
        (Behaviour(headers={"Content-Range": ""}), RemoteAnswerWrong),
        (Behaviour(headers={"Content-Range": "bytes 0-99/*"}), RemoteAnswerWrong),
        (Behaviour(headers={"Content-Encoding": "gzip"}), RemoteAnswerWrong),
        (Behaviour(status=302, headers={"Location": "ftp://somewhere/x"}), RemoteAnswerWrong),
        (Behaviour(status=302, headers={"Location": "/plain/small.gguf"}), RemoteUnreachable),
        (Behaviour(cut_after_bytes=0), RemoteUnreachable),
        (Behaviour(body=b"<!doctype html><html>log in first</html>"), NotGguf),
        (Behaviour(body=b"<html>", headers={"Content-Type": "text/html"}), RemoteAnswerWrong),
    ],
)
async def test_misbehaviour(
    behaviour: Behaviour, error: type[Exception], read: Reader, small: Stored, patience: Patience
) -> None:
    read.hub.script("plain", always=behaviour)
    with pytest.raises(error):
        await read("small.gguf")


async def test_the_proxy_that_is_set_is_used(
    read: Reader, small: Stored, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", read.hub.base)
    file = RemoteFile(name="x", sources=(WholeFile(name="S", url="http://hub.invalid/plain/small.gguf"),))
    async with open_client(patience) as through_proxy:
        found = await fetch_header(through_proxy, (file,), origin="http://hub/x", patience=patience)
    assert found.plan_data == expected(small)
    assert read.hub.seen[0].headers["Host"] == "hub.invalid"


async def test_nobody_there(read: Reader, client: httpx.AsyncClient, patience: Patience) -> None:
    file = RemoteFile(name="x.gguf", sources=(WholeFile(name="gone", url="http://127.0.0.1:9/x.gguf"),))
    with pytest.raises(RemoteUnreachable) as caught:
        await fetch_header(client, (file,), origin="o/r", patience=patience)
    assert caught.value.address == "o/r/x.gguf"
    assert [(one.source, one.kind) for one in caught.value.problems] == [("gone", "refused")]


async def test_a_broken_connection_goes_on_where_it_broke(read: Reader, model: Stored) -> None:
    read.hub.script("plain", Behaviour(cut_after_bytes=300_000), Behaviour(most_bytes=100_000))
    found = await read("q8.gguf")
    assert found.plan_data == expected(model)
    assert [seen.start for seen in read.hub.seen] == [0, 300_000, 400_000, MIB]


async def test_another_source_helps_out(read: Reader, small: Stored) -> None:
    read.hub.script("plain", Behaviour(status=404))
    found = await read("small.gguf", sources=2)
    assert found.source == "S1"
    assert found.plan_data == expected(small)


async def test_a_file_replaced_meanwhile_is_read_anew(read: Reader, model: Stored) -> None:
    read.hub.script("plain", Behaviour(etag='"old"'))
    found = await read("q8.gguf")
    assert found.plan_data == expected(model)
    assert [seen.start for seen in read.hub.seen] == [0, MIB, 0, MIB]


async def test_a_file_of_another_size_is_another_file(read: Reader, model: Stored) -> None:
    longer = replace(model, size_bytes=model.size_bytes + 32)
    read.hub.script("plain", Behaviour(etag='"same"'), always=Behaviour(etag='"same"'))

    def grow(seen: Seen) -> None:
        if seen.start == MIB:
            read.hub.files["q8.gguf"] = longer

    read.hub.decide = grow
    found = await read("q8.gguf")
    assert found.size_bytes == longer.size_bytes
    assert len(read.hub.seen) == 4


async def test_a_file_that_never_rests_is_given_up(read: Reader, model: Stored) -> None:
    read.hub.script("plain", *(Behaviour(etag=f'"{number}"') for number in range(9)))
    with pytest.raises(RemoteChanged):
        await read("q8.gguf")
    assert len(read.hub.seen) == 4


async def test_silence_has_an_end(read: Reader, small: Stored) -> None:
    read.hub.script("plain", always=Behaviour(stall_after_bytes=10))
    began = time.monotonic()
    with pytest.raises(RemoteUnreachable) as caught:
        await read("small.gguf", limit_seconds=0.3)
    assert time.monotonic() - began < 1.5
    assert [(one.source, one.kind) for one in caught.value.problems] == [("S0", "time_limit")]


async def test_cancelling_ends_at_once(read: Reader, small: Stored) -> None:
    read.hub.script("plain", always=Behaviour(stall_after_bytes=10))
    task = asyncio.ensure_future(read("small.gguf"))
    await asyncio.to_thread(read.hub.stalled.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)


async def test_an_endless_header_is_not_read_for_ever(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("models_catalog.gguf.source", "models_catalog.remote_header.whole"):
        monkeypatch.setattr(f"{module}.MAX_HEADER_BYTES", 12 * MIB)
    head = b"GGUF" + (3).to_bytes(4, "little") + (1).to_bytes(8, "little") + (4096).to_bytes(8, "little")
    endless = (
        head
        + b"\1\0\0\0\0\0\0\0a"
        + (9).to_bytes(4, "little")
        + (8).to_bytes(4, "little")
        + (1_500_000).to_bytes(8, "little")
    )
    read.hub.files["endless.gguf"] = Stored(head=endless, size_bytes=1 << 40)
    with pytest.raises(GgufHeaderBroken):
        await read("endless.gguf")
    assert read.hub.sent_bytes == 12 * MIB


async def test_a_header_that_llama_cpp_must_not_see_is_refused(read: Reader, small_model: GgufPieces) -> None:
    read.hub.files["bad.gguf"] = stored(small_model.with_value("qwen2.attention.head_count", 5))
    with pytest.raises(HyperparameterRefused):
        await read("bad.gguf", sources=2)
    assert len(read.hub.seen) == 1


async def test_a_listed_size_or_hash_must_hold(read: Reader, small: Stored, patience: Patience) -> None:
    source = WholeFile(name="S", url=read.hub.plain("small.gguf"))
    for wrong in (
        RemoteFile(name="small.gguf", sources=(source,), size_bytes=small.size_bytes + 1),
        RemoteFile(name="small.gguf", sources=(source,), size_bytes=1),
    ):
        with pytest.raises(RemoteAnswerWrong):
            await fetch_header(read.client, (wrong,), origin="o/r", patience=patience)
    read.hub.script("plain", always=Behaviour(headers={"X-Linked-Etag": '"' + "a" * 64 + '"'}))
    hashed = RemoteFile(name="small.gguf", sources=(source,), size_bytes=small.size_bytes, sha256="b" * 64)
    with pytest.raises(RemoteAnswerWrong):
        await fetch_header(read.client, (hashed,), origin="o/r", patience=patience)
