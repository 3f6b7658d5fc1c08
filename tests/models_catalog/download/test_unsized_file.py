from __future__ import annotations

import random
import socket
from pathlib import Path

import pytest

from models_catalog.download.model_download import download
from models_catalog.download.values import DownloadProgress, FileToFetch, ModelToFetch
from models_catalog.errors import DiskTooSmall, NoSourceWorked, SizeUnknown
from models_catalog.sources.byte_source import WholeFile
from models_catalog.transfer.patience import Patience
from tests.models_catalog.raw_server import Answer, RawServer

CONTENT = random.Random(6).randbytes(300_000)
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def in_chunks(content: bytes) -> bytes:
    pieces = (content[start : start + 70_000] for start in range(0, len(content), 70_000))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def whole(connection: socket.socket, head: str) -> None:
    connection.sendall(HEAD + in_chunks(CONTENT) + b"0\r\n\r\n")


def got(answer: Answer, folder: Path, patience: Patience, **options: object) -> Path:
    with RawServer(answer) as server:
        address = WholeFile(name="somewhere", url=f"http://127.0.0.1:{server.port}/model.gguf")
        file = FileToFetch(place=("somewhere", "model.gguf"), sources=(address,), size_bytes=None, sha256=None)
        model = ModelToFetch(name="model", files=(file,))
        return download(model, folder, patience=patience, **options)[0]  # type: ignore[arg-type]


def test_a_file_of_unknown_size_is_whole_at_the_end(patience: Patience, tmp_path: Path) -> None:
    seen: list[DownloadProgress] = []
    path = got(whole, tmp_path, patience, progress=seen.append)
    assert path.read_bytes() == CONTENT
    assert [one.name for one in path.parent.iterdir()] == ["model.gguf"]
    assert {(one.total_bytes, one.remaining_seconds) for one in seen} == {(0, None)}


def test_one_that_breaks_off_is_begun_again(patience: Patience, tmp_path: Path) -> None:
    # The first request only asks for the size.
    endings = iter([b"0\r\n\r\n", b"", b"0\r\n\r\n"])

    def answer(connection: socket.socket, head: str) -> None:
        connection.sendall(HEAD + in_chunks(CONTENT) + next(endings))
        connection.close()

    assert got(answer, tmp_path, patience).read_bytes() == CONTENT


def test_one_that_always_breaks_off_leaves_nothing(patience: Patience, tmp_path: Path) -> None:
    def answer(connection: socket.socket, head: str) -> None:
        connection.sendall(HEAD + in_chunks(CONTENT))
        connection.close()

    with pytest.raises(NoSourceWorked):
        got(answer, tmp_path, patience)
    assert not [one for one in tmp_path.rglob("*") if one.is_file()]


def test_where_nothing_tells_the_end_it_is_refused(patience: Patience, tmp_path: Path) -> None:
    def answer(connection: socket.socket, head: str) -> None:
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + CONTENT)
        connection.close()

    with pytest.raises(SizeUnknown):
        got(answer, tmp_path, patience)


def test_the_disk_is_not_filled_to_its_end(patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models_catalog.download.unsized_file._LOOK_SECONDS", 0.0)
    with pytest.raises(DiskTooSmall):
        got(whole, tmp_path, patience, free_bytes=lambda _: 1000)
    assert not [one for one in tmp_path.rglob("*") if one.is_file()]
