"""Sharing as the service does it, from one data folder to another over real sockets."""

from __future__ import annotations

import hashlib
import socket
import stat
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.service.downloads.from_peers import DownloadFromPeers
from app.service.kept_settings import KeptSettings
from app.service.lan_share import LanShare, files_by_hash
from app.values import ErrorBody, LocalModel
from models_catalog.download.speed_cap import SpeedCap
from models_catalog.download.values import FileToFetch, ModelToFetch
from models_catalog.lan import asking
from models_catalog.lan.errors import PeerCodeWrong
from models_catalog.sources.byte_source import WholeFile
from tests.app.service.fakes import Running

CONTENT = b"GGUF and weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def model(path: Path, *sha256: str, **fields: Any) -> LocalModel:
    given = {"size_bytes": 1, "architecture": "", "quantization": "", "trained_context_tokens": 0, "licence": ""}
    return LocalModel(id="m", name="m", path=str(path), added_at=0.0, sha256=sha256, **{**given, **fields})


def test_only_sound_files_with_known_hashes_are_shared(tmp_path: Path) -> None:
    one, first = tmp_path / "one.gguf", tmp_path / "m-00001-of-00002.gguf"
    assert files_by_hash(
        [
            model(one, "a"),
            model(first, "b", "c"),
            model(tmp_path / "unknown.gguf"),
            model(tmp_path / "half-00001-of-00002.gguf", "d"),
            model(tmp_path / "gone.gguf", "e", missing=True),
            model(tmp_path / "bad.gguf", "f", problem=ErrorBody(code="NotGguf", fields={})),
        ]
    ) == {"a": one, "b": first, "c": tmp_path / "m-00002-of-00002.gguf"}


@pytest.fixture
async def share(tmp_path: Path) -> AsyncIterator[LanShare]:
    file = tmp_path / "m.gguf"
    file.write_bytes(CONTENT)
    one = LanShare(
        settings=KeptSettings(tmp_path / "settings.toml"),
        models=lambda: (model(file, SHA256),),
        code_file=tmp_path / "lan_code",
        own_addresses=lambda: ("127.0.0.1",),
        loopback=True,
    )
    await one.open()
    yield one
    await one.close()


async def test_sharing_begins_and_ends_with_the_setting(share: LanShare, tmp_path: Path) -> None:
    before = await share.status()
    assert (before.sharing, before.addresses, before.peers) == (False, (), ())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    await share._settings.change({"lan_share": True, "lan_port": port})
    status = await share.status()
    assert (status.addresses, status.code) == ((f"127.0.0.1:{port}",), before.code)
    assert stat.S_IMODE((tmp_path / "lan_code").stat().st_mode) == 0o600
    added = await share.add_peer(status.addresses[0], status.code.lower())
    assert added.peers == status.addresses
    renewed = await share.renew_code()
    assert renewed.code != status.code
    with pytest.raises(PeerCodeWrong):
        await share.add_peer(status.addresses[0], status.code)
    assert (await share.remove_peer("127.0.0.1")).peers == ()
    await share._settings.change({"lan_share": False})
    assert (await share.status()).addresses == ()


def test_peers_are_asked_when_a_download_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub, peer = WholeFile(name="Hub", url="https://hub"), WholeFile(name="192.168.1.5:11467", url="http://192.168.1.5")
    given: list[tuple[ModelToFetch, Mapping[str, str]]] = []

    def wanted(*sources: WholeFile) -> ModelToFetch:
        return ModelToFetch(name="m", files=(FileToFetch(place=("m",), sources=sources, size_bytes=1, sha256=SHA256),))

    def download(model: ModelToFetch, models_folder: Path, *, proxies: Mapping[str, str], **_: Any) -> tuple[Path, ...]:
        given.append((model, proxies))
        return ()

    monkeypatch.setattr(asking, "with_peers", lambda model, peers: wanted(hub, peer))
    peers: dict[str, str] = {}
    run = DownloadFromPeers(download, lambda: peers)
    for _ in range(2):
        run(
            wanted(hub),
            tmp_path,
            progress=lambda _: None,
            cancelled=threading.Event(),
            cap=SpeedCap(),
            proxies={"Hub": "system"},
        )
        peers["192.168.1.5"] = "CODE"
    assert given == [
        (wanted(hub), {"Hub": "system"}),
        (wanted(hub, peer), {"Hub": "system", "192.168.1.5:11467": "none"}),
    ]


async def test_sharing_over_the_admin_api(running: Running) -> None:
    status = await running.ask("GET", "/share")
    assert (status["sharing"], status["peers"], len(status["code"])) == (False, [], 24)
    assert (await running.ask("POST", "/share/code"))["code"] != status["code"]
    refused = await running.http.post("/liangli/v1/share/peers", json={"address": "8.8.8.8", "code": status["code"]})
    assert refused.json()["error"]["code"] == "PeerAddressRefused"
    assert (await running.ask("POST", "/share/peers/remove", {"address": "192.168.1.5"}))["peers"] == []
