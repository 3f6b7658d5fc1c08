"""Looking for a newer version: what is offered, and what is refused without a trace."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.errors import ProgramUpdateRefused, ProgramUpdatesNotSetUp, ProgramUpdateUnreachable
from app.updates.check import ThisCopy, check
from app.updates.last_look import read_last_look
from app.updates.values import Found
from models_catalog.signed.signed_index import MAX_INDEX_BYTES
from tests.app.updates.release_publisher import HERE, NAME, ReleasePublisher, release_file
from tests.models_catalog.signed.publisher import Odd, Publisher, UpdateServer, plain_client, serving

PUBLISHER = ReleasePublisher()
BASE = "https://downloads.example/"


@pytest.fixture(scope="module")
def running() -> Iterator[UpdateServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(running: UpdateServer) -> UpdateServer:
    """A server that publishes 0.2.0."""
    running.gzipped = False
    running.odd.clear()
    running.asked.clear()
    PUBLISHER.publish_release(running.address)
    running.files = PUBLISHER.files
    return running


def _check(server: UpdateServer, folder: Path, **options: Any) -> Found:
    given: dict[str, Any] = {"keys": (PUBLISHER.public,), "copy": HERE, "client": plain_client} | options
    return check(server.address, state_file=folder / "look.json", **given)


def _release(version: str) -> dict[str, Any]:
    return {"version": version, "date": "2998-12-31"}


def _copy(**changes: Any) -> ThisCopy:
    usual = {"version": HERE.version, "system": HERE.system, "system_version": "2.36", "kinds": HERE.kinds}
    return ThisCopy(**(usual | changes))


@pytest.mark.parametrize("gzipped", [False, True])
def test_a_newer_version_is_told_with_its_notes_and_files(server: UpdateServer, tmp_path: Path, gzipped: bool) -> None:
    server.gzipped = gzipped
    found = _check(server, tmp_path)
    assert (found.newer, found.version, found.own_version, found.date) == (True, "0.2.0", "0.1.0", "2998-12-31")
    assert (found.notes_zh, found.notes_en, found.best) == ("更快了。", "It is faster.", NAME)
    assert server.asked == ["index.json", "index.json.minisig"]
    look = read_last_look(tmp_path / "look.json")
    assert (look.serial, look.version) == (5, "0.2.0") and look.checked_at
    assert [path.name for path in tmp_path.iterdir()] == ["look.json"]


@pytest.mark.parametrize("own", ["0.2.0", "0.3.0", "0.10.0-rc.1"])
def test_an_older_version_is_no_offer(server: UpdateServer, tmp_path: Path, own: str) -> None:
    found = _check(server, tmp_path, copy=_copy(version=own))
    assert (found.newer, found.version, found.files) == (False, own, ())


def test_unfinished_versions_are_for_those_who_run_one(server: UpdateServer, tmp_path: Path) -> None:
    releases = [_release("0.2.0"), _release("0.3.0-rc.1")]
    PUBLISHER.change_index(releases=releases)
    assert _check(server, tmp_path).version == "0.2.0"
    assert _check(server, tmp_path, copy=_copy(version="0.2.0-rc.1")).version == "0.2.0"
    PUBLISHER.change_index(releases=releases, files=[release_file(BASE, release="0.3.0-rc.1")])
    assert _check(server, tmp_path, copy=_copy(version="0.2.0-rc.1")).version == "0.3.0-rc.1"


def test_the_file_that_fits_is_best(server: UpdateServer, tmp_path: Path) -> None:
    files = [
        release_file(BASE),
        release_file(BASE, name="liangli-0.2.0.run", kind="run"),
        release_file(BASE, name="liangli-0.2.0-later.run", kind="run", needs="2.38"),
        release_file(BASE, name="liangli-0.2.0-setup.exe", kind="setup", system="windows-amd64", needs="10.0.17763"),
        release_file(BASE, name="liangli-0.2.0.holo", kind="holo"),
    ]
    PUBLISHER.change_index(files=files)
    found = _check(server, tmp_path)
    assert found.best == NAME and [one.name for one in found.files if not one.runs_here] == ["liangli-0.2.0-later.run"]
    assert _check(server, tmp_path, copy=_copy(kinds=("run", "deb"))).best == "liangli-0.2.0.run"
    assert _check(server, tmp_path, copy=_copy(system_version="2.31")).best == ""
    windows = _copy(system="windows-amd64", system_version="10.0.22631", kinds=("setup",))
    assert _check(server, tmp_path, copy=windows).best == "liangli-0.2.0-setup.exe"


def test_a_version_that_can_be_had_goes_before_a_newer_one_that_cannot(server: UpdateServer, tmp_path: Path) -> None:
    PUBLISHER.change_index(releases=[_release("0.2.0"), _release("0.4.0")])
    assert _check(server, tmp_path).version == "0.2.0"
    PUBLISHER.change_index(files=[])
    assert (_check(server, tmp_path).version, _check(server, tmp_path).best) == ("0.4.0", "")


def test_without_address_or_key_nothing_is_asked(server: UpdateServer, tmp_path: Path) -> None:
    with pytest.raises(ProgramUpdatesNotSetUp) as error:
        check("", (PUBLISHER.public,), state_file=tmp_path / "look.json")
    assert error.value.missing == "address"
    with pytest.raises(ProgramUpdatesNotSetUp) as error:
        _check(server, tmp_path, keys=())
    assert error.value.missing == "key"
    assert server.asked == []


def _refused(server: UpdateServer, folder: Path, reason: str, **options: Any) -> None:
    with pytest.raises(ProgramUpdateRefused) as error:
        _check(server, folder, **options)
    assert error.value.reason == reason
    assert list(folder.iterdir()) == []
    assert set(server.asked) <= {"index.json", "index.json.minisig"}


def test_what_is_not_signed_by_the_publisher_is_refused(server: UpdateServer, tmp_path: Path) -> None:
    good = dict(PUBLISHER.files)
    server.files = {name: body for name, body in good.items() if not name.endswith(".minisig")}
    _refused(server, tmp_path, "unsigned")
    server.files = good | {"index.json": good["index.json"].replace(b'"0.2.0"', b'"0.9.0"')}
    _refused(server, tmp_path, "signature")
    server.files = good
    _refused(server, tmp_path, "unknown_key", keys=(Publisher().public,))


def test_an_index_older_than_one_seen_is_refused(server: UpdateServer, tmp_path: Path) -> None:
    _check(server, tmp_path)
    PUBLISHER.change_index(serial=4)
    with pytest.raises(ProgramUpdateRefused) as error:
        _check(server, tmp_path)
    assert error.value.reason == "older"
    assert read_last_look(tmp_path / "look.json").serial == 5


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("broken", {"files": [release_file(BASE, name="../liangli.deb")]}),
        ("broken", {"files": [release_file(BASE, name="..\\liangli.deb")]}),
        ("broken", {"files": [release_file(BASE, name="/etc/cron.d/x.deb")]}),
        ("broken", {"files": [release_file(BASE, name="con.deb")]}),
        ("broken", {"files": [release_file(BASE), release_file(BASE)]}),
        ("broken", {"files": [release_file(BASE, size_bytes=2**40)]}),
        ("broken", {"files": [release_file(BASE, size_bytes=0)]}),
        ("broken", {"files": [release_file(BASE, sha256="f00")]}),
        ("broken", {"files": [release_file(BASE, release="0.9.0")]}),
        ("insecure", {"files": [release_file("http://downloads.example/")]}),
        ("insecure", {"files": [release_file("file:///etc/")]}),
        ("broken", {"releases": [_release("0.2.0"), _release("0.2.0")]}),
        ("broken", {"releases": [_release("0.2.0"), _release("0.2")]}),
        ("broken", {"releases": [{"version": "0.2.0", "date": "2998-02-31"}]}),
        ("broken", {"format": "liangli-catalogue-index"}),
        ("newer", {"version": 2}),
    ],
)
def test_what_cannot_be_is_refused_though_it_is_signed(
    server: UpdateServer, tmp_path: Path, reason: str, changes: dict[str, Any]
) -> None:
    PUBLISHER.change_index(**changes)
    _refused(server, tmp_path, reason)


def test_plain_http_is_refused(server: UpdateServer, tmp_path: Path) -> None:
    server.odd["index.json"] = Odd(status=302, headers={"Location": "http://updates.example/index.json"})
    _refused(server, tmp_path, "insecure")
    with pytest.raises(ProgramUpdateRefused) as error:
        check("http://updates.example/i.json", (PUBLISHER.public,), state_file=tmp_path / "x", client=plain_client)
    assert error.value.reason == "insecure"


def test_bodies_without_end_and_bombs_are_refused(server: UpdateServer, tmp_path: Path) -> None:
    server.odd["index.json"] = Odd(body=b" " * 65536, endless=True)
    _refused(server, tmp_path, "too_large")
    bomb = gzip.compress(b" " * (4 * MAX_INDEX_BYTES))
    server.odd["index.json"] = Odd(headers={"Content-Encoding": "gzip"}, body=bomb)
    _refused(server, tmp_path, "too_large")
    del server.odd["index.json"]
    server.odd["index.json.minisig"] = Odd(body=b" " * 65536, endless=True)
    _refused(server, tmp_path, "too_large")


def test_a_server_that_does_not_answer(server: UpdateServer, tmp_path: Path) -> None:
    server.odd["index.json"] = Odd(status=503)
    with pytest.raises(ProgramUpdateUnreachable):
        _check(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_expired_vouches_for_nothing_new(server: UpdateServer, tmp_path: Path) -> None:
    from dataclasses import replace

    _refused(server, tmp_path, "expired_key", keys=(replace(PUBLISHER.public, not_after=date(2020, 1, 1)),))
