"""catalogue: how it stands, consent, and what went wrong; and what listings showed, in `show`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import paths
from app.catalogue_values import CatalogueUpdate
from app.cli import catalogue
from app.main import main
from app.settings import load_settings, save_settings
from app.updates.address import CATALOGUE_VARIABLE
from app.values import ErrorBody
from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.kept_update import NAME
from models_catalog.families.update_check import check_for_update
from tests.models_catalog.signed.publisher import Publisher, plain_client, serving

PUBLISHER = Publisher()
ADDRESS = "https://updates.example/index.json"
Written = Callable[[], tuple[str, str]]


class Service:
    """In the place of the service: answers "checking" once, then `ending`."""

    def __init__(self, ending: CatalogueUpdate) -> None:
        self.ending, self.changes, self.checks = ending, dict[str, Any](), 0

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update_settings(self, **changes: Any) -> None:
        self.changes |= changes

    def check_catalogue(self) -> CatalogueUpdate:
        self.checks += 1
        return CatalogueUpdate(allowed=True, state="checking", date="")

    def catalogue_update(self) -> CatalogueUpdate:
        return self.ending


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Written:
    def read() -> tuple[str, str]:
        both = capsys.readouterr()
        return both.out, both.err

    return read


@pytest.fixture(autouse=True)
def no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CATALOGUE_VARIABLE, raising=False)
    monkeypatch.setattr(catalogue, "POLL_SECONDS", 0.0)


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("models_catalog.signed.keys", "models_catalog.families.loader"):
        monkeypatch.setattr(f"{module}.shipped_keys", lambda: (PUBLISHER.public,))


def _service(monkeypatch: pytest.MonkeyPatch, **ending: Any) -> Service:
    usual = CatalogueUpdate(allowed=True, state="updated", date="2999-01-01")
    service = Service(replace(usual, **ending))
    monkeypatch.setattr(catalogue, "connect", lambda language: service)
    return service


@pytest.fixture
def no_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(language: object) -> None:
        raise AssertionError("nothing may be started")

    monkeypatch.setattr(catalogue, "connect", refuse)
    yield


def test_how_it_stands(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models_catalog.signed.keys.shipped_keys", lambda: ())
    assert main(["catalogue", "--lang", "zh"]) == 0
    shown, _ = written()
    assert "随程序附带" in shown and "未允许，不会联网" in shown and "没有设置" in shown
    assert "这个版本没有附带" in shown
    assert main(["catalogue", "status", "--json"]) == 0
    record = json.loads(written()[0])
    assert not record["updated"] and not record["allowed"] and record["keys"] == [] and record["date"]


@pytest.mark.usefixtures("no_service")
def test_a_build_without_keys_says_so(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models_catalog.signed.keys.shipped_keys", lambda: ())
    assert main(["catalogue", "update", "--yes"]) == 87
    assert "no key to check updates with" in written()[1]


@pytest.mark.usefixtures("no_service", "with_key")
def test_without_an_address_nothing_is_asked(written: Written) -> None:
    assert main(["catalogue", "update", "--yes"]) == 86
    assert "LIANGLI_CATALOGUE_URL" in written()[1]


@pytest.mark.usefixtures("no_service", "with_key")
def test_without_consent_nothing_is_asked(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CATALOGUE_VARIABLE, ADDRESS)
    assert main(["catalogue", "update", "--lang", "zh"]) == 1
    error = written()[1]
    assert ADDRESS in error and "--yes" in error
    monkeypatch.setattr("app.cli.starter.can_ask", lambda: True)
    assert main(["catalogue", "update", "--lang", "zh"]) == 1
    assert "没有更新，也没有联网" in written()[1]
    assert not load_settings(paths.settings_file()).catalogue_updates


@pytest.mark.usefixtures("with_key")
def test_an_update(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CATALOGUE_VARIABLE, ADDRESS)
    service = _service(monkeypatch)
    assert main(["catalogue", "update", "--yes", "--lang", "zh"]) == 0
    assert service.changes == {"catalogue_updates": True} and service.checks == 1
    assert "已更新到 2999-01-01" in written()[1]


@pytest.mark.usefixtures("with_key")
def test_who_agreed_is_not_asked_again(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    save_settings(paths.settings_file(), {"catalogue_updates": True, "catalogue_url": ADDRESS})
    _service(monkeypatch, state="current", date="2026-11-24")
    assert main(["catalogue", "update", "--json"]) == 0
    assert json.loads(written()[0]) == {"state": "current", "date": "2026-11-24"}
    error = ErrorBody(code="UpdateRefused", fields={"address": ADDRESS, "reason": "older", "detail": "1 < 2"})
    _service(monkeypatch, state="failed", error=error)
    assert main(["catalogue", "update", "--lang", "zh"]) == 89
    assert "它比见过的更新还旧（1 < 2）。" in written()[1]


def test_consent_can_be_withdrawn(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    save_settings(paths.settings_file(), {"catalogue_updates": True})
    assert main(["catalogue", "off"]) == 0
    assert not load_settings(paths.settings_file()).catalogue_updates
    service = _service(monkeypatch)
    monkeypatch.setattr(catalogue, "find", lambda language: service)
    assert main(["catalogue", "off", "--lang", "zh"]) == 0
    assert service.changes == {"catalogue_updates": False} and "不再更新" in written()[1]


@pytest.mark.usefixtures("with_key")
def test_what_an_update_brought(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    PUBLISHER.publish(families=("yi", "kimi"))
    PUBLISHER.change_file("kimi.json", min_engine="9.0")
    folder = paths.families_folder()
    with serving() as server:
        server.files = PUBLISHER.files
        asyncio.run(
            check_for_update(server.address, folder, keys=(PUBLISHER.public,), built_in_date="", client=plain_client)
        )
    service = _service(monkeypatch, checked_at=1_000_000.0, error=ErrorBody(code="UpdatesNotAllowed", fields={}))
    monkeypatch.setattr(catalogue, "find", lambda language: service)
    assert main(["catalogue", "--lang", "zh"]) == 0
    shown, notes = written()
    assert "2999-01-01（更新得来）" in shown and "kimi：需要 llama-cpp-python 9.0" in shown and "1970-01-12" in shown
    assert "还没有允许更新" in notes
    file = folder / NAME
    file.write_bytes(file.read_bytes()[:-1])
    assert main(["search", "yi"]) == 0
    assert "the built-in catalogue is in use" in written()[1]


def test_what_listings_showed_is_said(written: Written, quiet_home: Path) -> None:
    kept = KeptIndex(paths.families_folder())
    models = kept.get().index.models
    unseen = next(one for one in models if not one.confirmed and one.sources and one.sources[0].huggingface)
    seen = next(one for one in models if one.confirmed and one.sources and one.sources[0].modelscope)
    assert unseen.sources[0].huggingface is not None and seen.sources[0].modelscope is not None
    kept.listed("huggingface", unseen.sources[0].huggingface.name, there=True)
    kept.listed("modelscope", seen.sources[0].modelscope.name, there=False)
    assert main(["search", unseen.id]) == 0 and unseen.id in written()[0]
    assert main(["show", unseen.id]) == 0 and "seen on Hugging Face on 2" in written()[0]
    assert main(["show", seen.id, "--lang", "zh"]) == 0 and "起 ModelScope 上已没有" in written()[0]
