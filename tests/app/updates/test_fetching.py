"""Downloading a newer version: the very file of the index, or nothing; and never something that runs."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from app.errors import ProgramUpdateNotOffered
from app.updates.fetching import fetch
from app.updates.values import Fetched, Fetching, Found, OfferedFile
from models_catalog.errors import ContentWrong, FetchCancelled, FileNameRefused, NoSourceWorked
from models_catalog.transfer.patience import Patience
from tests.app.updates.release_publisher import INSTALLER, NAME
from tests.models_catalog.signed.publisher import Odd, UpdateServer, plain_client, serving

QUICK = Patience(rounds_seconds=(0.01,), stall_seconds=0.5, stall_bytes=1024, grace_seconds=0.05)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[UpdateServer]:
    def open_client(patience: Patience, proxy: str = "system") -> httpx.AsyncClient:
        return plain_client(patience)

    monkeypatch.setattr("models_catalog.download.model_download.open_client", open_client)
    with serving() as server:
        server.files = {NAME: INSTALLER}
        yield server


def _found(server: UpdateServer, name: str = NAME, newer: bool = True) -> Found:
    file = OfferedFile(
        name=name,
        kind="deb",
        size_bytes=len(INSTALLER),
        sha256=hashlib.sha256(INSTALLER).hexdigest(),
        url=server.address.replace("index.json", NAME),
        needs="",
        runs_here=True,
    )
    return Found(own_version="0.1.0", version="0.2.0", newer=newer, files=(file,), best=name)


def _whole_files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and ".partial" not in str(path)]


def test_the_file_is_there_and_cannot_be_run(server: UpdateServer, tmp_path: Path) -> None:
    told: list[Fetching] = []
    fetched = fetch(_found(server), tmp_path / "updates", progress=told.append, patience=QUICK)
    path = Path(fetched.path)
    assert path == tmp_path / "updates" / NAME and path.read_bytes() == INSTALLER
    assert path.stat().st_mode & 0o111 == 0
    assert _whole_files(tmp_path) == [NAME]
    assert all(one.total_bytes == len(INSTALLER) for one in told)
    asked = len(server.asked)
    assert fetch(_found(server), tmp_path / "updates", patience=QUICK) == fetched
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("odd", "error"),
    [
        (Odd(body=INSTALLER.replace(b"an", b"no")), ContentWrong),
        (Odd(body=INSTALLER + b"more"), NoSourceWorked),
        (Odd(body=b"x" * 65536, endless=True), ContentWrong),
        (Odd(body=INSTALLER, headers={"Content-Encoding": "gzip"}), NoSourceWorked),
        (Odd(status=302, headers={"Location": "file:///etc/passwd"}), NoSourceWorked),
        (Odd(status=404), NoSourceWorked),
    ],
)
def test_another_file_is_not_taken(server: UpdateServer, tmp_path: Path, odd: Odd, error: type[Exception]) -> None:
    server.odd[NAME] = odd
    with pytest.raises(error):
        fetch(_found(server), tmp_path / "updates", patience=QUICK)
    assert _whole_files(tmp_path) == []


def test_a_name_cannot_leave_the_folder(server: UpdateServer, tmp_path: Path) -> None:
    """The index refuses it before; this is the second door."""
    with pytest.raises(FileNameRefused):
        fetch(_found(server, "../evil.deb"), tmp_path / "updates", patience=QUICK)
    assert _whole_files(tmp_path) == [] and server.asked == []


def test_only_what_is_newer_and_runs_here_is_downloaded(server: UpdateServer, tmp_path: Path) -> None:
    found = _found(server)
    old_system = tuple(msgspec.structs.replace(file, runs_here=False) for file in found.files)
    for one, name in (
        (_found(server, newer=False), ""),
        (found, "other.deb"),
        (msgspec.structs.replace(found, files=old_system), ""),
    ):
        with pytest.raises(ProgramUpdateNotOffered):
            fetch(one, tmp_path / "updates", name=name)
    assert server.asked == []


def test_the_user_may_end_it(server: UpdateServer, tmp_path: Path) -> None:
    ended = threading.Event()
    ended.set()
    server.odd[NAME] = Odd(body=b"", endless=True)
    with pytest.raises(FetchCancelled):
        fetch(_found(server), tmp_path / "updates", cancelled=ended, patience=QUICK)
    assert _whole_files(tmp_path / "updates") == []


def test_values_cross_to_the_window() -> None:
    fetched = Fetched(path="/x/量力.deb", kind="deb", sha256="0" * 64, version="0.2.0")
    assert msgspec.json.decode(msgspec.json.encode(fetched), type=Found | Fetching | Fetched) == fetched
