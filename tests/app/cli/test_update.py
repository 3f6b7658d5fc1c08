"""update: how it stands without a network, what a look finds, and what a download says to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import app
from app import paths
from app.main import main
from app.updates.installing import how_to_install
from app.updates.this_system import system
from app.updates.values import Fetched
from tests.app.updates.release_publisher import NAME, ReleasePublisher, release_file
from tests.models_catalog.signed.publisher import UpdateServer, plain_client, serving

PUBLISHER = ReleasePublisher()


@pytest.fixture(scope="module")
def running() -> Iterator[UpdateServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(running: UpdateServer, monkeypatch: pytest.MonkeyPatch) -> UpdateServer:
    """Publishes a newer version for this system; its address and key are known."""
    base = running.address.removesuffix("index.json")
    files = [release_file(base, system=system(), needs="")]
    PUBLISHER.publish_release(running.address, files=files)
    running.files = PUBLISHER.files
    running.asked.clear()
    monkeypatch.setenv("LIANGLI_UPDATE_URL", running.address)
    monkeypatch.setattr("models_catalog.signed.keys.shipped_keys", lambda: (PUBLISHER.public,))
    monkeypatch.setattr("app.updates.check.check.__kwdefaults__", {**_defaults(), "client": plain_client})
    monkeypatch.setattr("models_catalog.download.model_download.open_client", lambda patience, proxy="": plain_client())
    return running


def _defaults() -> dict[str, Any]:
    from app.updates.check import check

    return dict(check.__kwdefaults__ or {})


def test_nothing_is_asked_by_itself(server: UpdateServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update"]) == 0
    assert main(["update", "show", "--lang", "zh"]) == 0
    out = capsys.readouterr().out
    assert app.VERSION in out and "never" in out and "还没有检查过" in out
    assert server.asked == []


def test_a_build_without_an_address_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIANGLI_UPDATE_URL", raising=False)
    assert main(["update", "check"]) == 110
    assert "knows no update address" in capsys.readouterr().err
    assert main(["update", "show"]) == 0
    assert "knows no update address" in capsys.readouterr().out


def test_check_shows_the_notes(server: UpdateServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", "check"]) == 0
    out = capsys.readouterr().out
    assert "0.2.0" in out and "It is faster." in out and NAME in out
    assert main(["update", "check", "--lang", "zh"]) == 0
    assert "更快了。" in capsys.readouterr().out
    assert main(["update", "show"]) == 0
    assert "the newest was 0.2.0" in capsys.readouterr().out
    assert not paths.updates_folder().exists()


def test_check_for_programs(server: UpdateServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", "check", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["version"], told["notes"]["en"]) == ("newer", "0.2.0", "It is faster.")
    PUBLISHER.change_index(releases=[], files=[])
    assert main(["update", "download", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "current"


def test_download_says_where_it_is_and_what_to_do(server: UpdateServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", "download", NAME]) == 0
    out = capsys.readouterr().out
    path = paths.updates_folder() / NAME
    assert path.is_file() and str(path) in out and "sudo apt install" in out
    assert main(["update", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["downloaded"] == [str(path)]


def test_a_file_that_is_not_offered(server: UpdateServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", "download", "other.deb"]) == 113
    assert NAME in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["deb", "run", "tar", "setup", "msi", "dmg", "holo"])
def test_how_to_install_each_kind(kind: str) -> None:
    fetched = Fetched(path="/home/李 雷/x.y", kind=kind, sha256="", version="0.2.0")
    assert how_to_install(fetched, "zh") and how_to_install(fetched, "en")
    if kind in ("deb", "run"):
        assert how_to_install(fetched, "en").endswith("'/home/李 雷/x.y'")


def test_it_needs_no_service(server: UpdateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("app.client.discover.connect_or_start", fails)
    Path(paths.prepare_data_folder() / "chats.sqlite3").write_bytes(b"of a newer version")
    assert main(["update", "check"]) == 0
