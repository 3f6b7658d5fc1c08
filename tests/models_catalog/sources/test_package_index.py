from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from models_catalog.sources import package_index
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import ZippedPieces
from models_catalog.sources.faults import SourceFailed, SourceUnfit
from models_catalog.sources.package_index import read_report
from models_catalog.starter import PackageIndexEntry
from tests.models_catalog.hub_server import HubServer

ENTRY = PackageIndexEntry(name_pattern="some-part{number}", count=2, version="1.0", member_pattern="*", part_bytes=5)


def item(name: str, version: str = "1.0", url: str = "https://files.example/x.whl") -> dict[str, Any]:
    return {
        "download_info": {"url": url, "archive_info": {"hashes": {"sha256": "ab" * 32}}},
        "metadata": {"name": name, "version": version},
    }


def report(*items: dict[str, Any]) -> bytes:
    return json.dumps({"version": "1", "install": items}).encode()


def test_the_report_is_read_in_the_order_of_the_pieces() -> None:
    output = report(item("Some_Part2", url="https://x/2.whl"), item("some.part1", url="https://x/1.whl"))
    assert [wheel.url for wheel in read_report(b"WARNING: noise\n" + output, ENTRY)] == [
        "https://x/1.whl",
        "https://x/2.whl",
    ]


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"{",
        b'{"install": 3}',
        report(item("some-part1")),
        report(item("some-part1"), item("some-part2", version="2.0")),
        report(item("some-part1"), item("some-part2", url="file:///etc/passwd")),
    ],
)
def test_a_report_that_is_not_as_expected_is_no_source(output: bytes) -> None:
    with pytest.raises(SourceFailed):
        read_report(output, ENTRY)


async def located(hub: HubServer, addresses: Addresses, entry: PackageIndexEntry | None = None) -> ZippedPieces:
    chosen = entry or next(entry for entry in hub.starter.sources if isinstance(entry, PackageIndexEntry))
    async with httpx.AsyncClient() as client:
        packaged = package_index.packaged(chosen, len(hub.content), addresses)
        return await package_index.locate(packaged, client, 30.0)


async def test_pip_is_asked_and_finds_what_the_index_lists(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"{hub.base}/simple")
    by_pip = await located(hub, Addresses())
    assert any("pip/" in seen.headers.get("User-Agent", "") for seen in hub.seen)
    assert by_pip == await located(hub, hub.addresses)


async def test_a_frozen_app_reads_the_named_index_itself(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.frozen", True, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"{hub.base}/simple/")
    source = await located(hub, Addresses())
    assert [piece.start for piece in source.pieces] == [0, hub.piece_bytes, 2 * hub.piece_bytes]
    assert source.pieces[-1].end == len(hub.content)


async def test_an_index_without_one_of_the_pieces_is_unfit(hub: HubServer) -> None:
    entry = hub.starter.sources[3]
    assert isinstance(entry, PackageIndexEntry)
    hub.wheels.popitem()
    with pytest.raises(SourceUnfit):
        await located(hub, hub.addresses, entry)


async def test_an_index_that_does_not_answer_fails(hub: HubServer) -> None:
    with pytest.raises(SourceFailed):
        await located(hub, replace(hub.addresses, package_index="http://127.0.0.1:9"))
