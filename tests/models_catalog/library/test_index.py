from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_catalog.library.index import FileHash, Index, Remembered
from models_catalog.library.migrations import MIGRATIONS
from models_catalog.library.values import FileProblem, ModelFile

FACTS = ModelFile(
    id="a",
    name="千问 🐼",
    path="/x/千问 🐼.gguf",
    size_bytes=5,
    added_at=1.5,
    problem=FileProblem(code="NotGguf", fields={"n": 1}),
)
ENTRY = Remembered(root="/x", size_bytes=5, changed_ns=7, facts=FACTS, origin="Qwen/Q", added_at=2.5)
HASH = FileHash(size_bytes=5, changed_ns=7, promised_sha256="a" * 64, sha256="b" * 64)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "数据" / "index.sqlite3"


def test_what_is_kept_is_known_to_the_next_one(path: Path) -> None:
    Index(path).keep(
        {FACTS.path: ENTRY, "/x/mmproj.gguf": Remembered(root="/x", size_bytes=1, changed_ns=1, facts=None)}
    )
    Index(path).keep(hashes={FACTS.path: HASH})
    models = Index(path).models()
    assert models[FACTS.path] == ENTRY and models["/x/mmproj.gguf"].facts is None
    assert Index(path).hashes() == {FACTS.path: HASH}
    Index(path).keep(forget=[FACTS.path])
    assert FACTS.path not in Index(path).models() and Index(path).hashes() == {}


def test_without_a_file_nothing_is_remembered() -> None:
    index = Index(None)
    index.keep({FACTS.path: ENTRY})
    assert index.models() == {}


@pytest.mark.parametrize("damage", ["text", "cut", "no_tables", "page"])
def test_a_broken_index_is_made_anew_with_a_word_in_the_log(
    path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    index = Index(path)
    index.keep({f"/x/{number}": ENTRY for number in range(200)})
    content = path.read_bytes()
    match damage:
        case "text":
            path.write_bytes(b"this is no database, whatever it is called" * 100)
        case "cut":
            path.write_bytes(content[: len(content) // 2 - 100])
        case "page":
            path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
        case "no_tables":
            path.unlink()
            connection = sqlite3.connect(path)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            connection.close()
    with caplog.at_level(logging.WARNING):
        index.models()
        index.hashes()
    assert "made anew" in caplog.text
    index.keep({FACTS.path: ENTRY})
    assert index.models() == {FACTS.path: ENTRY}


def test_an_index_of_a_newer_version_is_left_alone(path: Path) -> None:
    Index(path).keep({FACTS.path: ENTRY})
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    Index(path).keep({"/other": ENTRY})
    assert Index(path).models() == {} and path.read_bytes() == before


def test_an_index_that_cannot_be_written_is_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    index = Index(tmp_path / "file" / "index.sqlite3")
    index.keep({FACTS.path: ENTRY})
    assert index.models() == {}
    assert "cannot be used" in caplog.text


def test_a_busy_index_is_not_taken_for_a_broken_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models_catalog.library.index._BUSY_SECONDS", 0.01)
    index = Index(path)
    index.keep({FACTS.path: ENTRY})
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    index.keep({"/other": ENTRY})
    assert index.models() == {}
    other.execute("ROLLBACK")
    other.close()
    assert index.models() == {FACTS.path: ENTRY}


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300))
def test_no_file_whatever_is_in_it_stops_the_index(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("index") / "index.sqlite3"
    path.write_bytes(content)
    index = Index(path)
    assert index.models() == {}
    index.keep({FACTS.path: ENTRY})
    assert index.models() in ({FACTS.path: ENTRY}, {})
