"""What the window's child writes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from app import paths
from app.updates import child
from app.updates.values import Failed, Fetched, Fetching, Found, Line, OfferedFile

FILE = OfferedFile(name="x.deb", kind="deb", size_bytes=1, sha256="", url="", needs="", runs_here=True)
FOUND = Found(own_version="0.1.0", version="0.2.0", newer=True, files=(FILE,), best="x.deb")
FETCHED = Fetched(path="/x.deb", kind="deb", sha256="", version="0.2.0")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.delenv("LIANGLI_UPDATE_URL", raising=False)


def _lines(capfdbinary: pytest.CaptureFixture[bytes]) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in capfdbinary.readouterr().out.splitlines()]


def test_an_error_is_a_line(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert child.main(["check"]) == 0
    assert _lines(capfdbinary) == [Failed(code="ProgramUpdatesNotSetUp", fields={"missing": "address"})]


def test_a_download_looks_once_more_and_tells_how_far_it_is(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Fetching(received_bytes=1, total_bytes=1)

    def fetch(found: Found, folder: Path, *, name: str, progress: object, **_: object) -> Fetched:
        assert (found, folder, name) == (FOUND, paths.updates_folder(), "x.deb")
        assert callable(progress)
        progress(step)
        return FETCHED

    monkeypatch.setattr(child, "check", lambda *_, **__: FOUND)
    monkeypatch.setattr(child, "fetch", fetch)
    child.main(["fetch", "x.deb"])
    assert _lines(capfdbinary) == [FOUND, step, FETCHED]
