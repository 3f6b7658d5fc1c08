from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_catalog.download.blocks import BLOCK_BYTES
from models_catalog.download.part_file import PartFile
from models_catalog.errors import FolderUnwritable
from models_catalog.transfer.patience import Patience
from tests.models_catalog.download.conftest import KIB, Download, holds, model_of
from tests.models_catalog.hub_server import Behaviour, HubServer

DATA = random.Random(9).randbytes(100_000)


def opened(folder: Path, size_bytes: int = len(DATA), **options: str) -> PartFile:
    return PartFile(folder / "model.gguf", size_bytes=size_bytes, **{"sha256": "0" * 64, **options})


def dies(part: PartFile) -> None:
    """As when its process is killed: nothing is written any more, and the lock is free."""
    part._closed = True
    part._lock.release()


@settings(max_examples=12, deadline=None)
@given(writes=st.lists(st.tuples(st.integers(0, 90_000), st.integers(1, 10_000)), max_size=12), data=st.data())
def test_a_killed_process_loses_nothing_and_a_power_cut_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[int, int]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("part")
    part = opened(folder)
    for offset, length in writes:
        part.put(offset, DATA[offset : offset + length], "a")
    extents = part.extents
    dies(part)
    again = opened(folder)
    assert again.extents == extents
    dies(again)
    if not writes:
        return
    # The power cut: a stretch of the file, folded into no journal yet, never reached the disk.
    part = opened(folder)
    offset, length = data.draw(st.sampled_from(writes))
    part.put(offset, DATA[offset : offset + length], "b")
    dies(part)
    with part.path.open("r+b") as file:
        file.seek(offset)
        file.write(bytes(length))
    lost = opened(folder)
    assert not any(extent.source == "b" for extent in lost.extents)
    lost.close()


def test_a_damaged_journal_costs_the_bytes_and_nothing_else(tmp_path: Path) -> None:
    part = opened(tmp_path)
    part.put(0, DATA, "a")
    part.close()
    (part.folder / "journal.json").write_bytes(b"\x00garbage")
    again = opened(tmp_path)
    assert again.received_bytes == 0
    again.close()
    assert not again.folder.exists()


def test_another_file_of_the_same_name_begins_anew(tmp_path: Path) -> None:
    part = opened(tmp_path, sha256="", etag='"one"')
    part.put(0, DATA, "a")
    part.close()
    same = opened(tmp_path, sha256="", etag='"one"')
    assert same.received_bytes == len(DATA)
    same.close()
    other = opened(tmp_path, sha256="", etag='"two"')
    assert other.received_bytes == 0
    other.close()


def test_blocks_that_the_disk_changed_are_missing_again(tmp_path: Path) -> None:
    size_bytes = 2 * BLOCK_BYTES + 1000
    part = opened(tmp_path, size_bytes)
    part.put(0, bytes(size_bytes), "a")
    part.check_blocks()
    part.close()
    with part.path.open("r+b") as file:
        file.seek(BLOCK_BYTES + 5)
        file.write(b"x")
    again = opened(tmp_path, size_bytes)
    assert again.drop_changed_blocks(threading.Event()) == BLOCK_BYTES
    assert again.missing() == ((BLOCK_BYTES, 2 * BLOCK_BYTES),)
    again.close()


def test_long_lists_of_arrivals_are_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models_catalog.download.part_file._MOST_ARRIVALS", 20)
    part = opened(tmp_path)
    for offset in range(0, 50, 2):
        part.put(offset, DATA[offset : offset + 1], "a")
    part.sync()
    assert len(list(part.folder.glob("arrivals.*"))) == 1
    extents = part.extents
    dies(part)
    again = opened(tmp_path)
    assert again.extents == extents
    again.close()


def test_a_folder_that_is_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    with pytest.raises(FolderUnwritable):
        opened(tmp_path / "in the way")


_CHILD = """
import sys
from pathlib import Path
import msgspec
from models_catalog.download.model_download import download
from models_catalog.download.values import ModelToFetch
from models_catalog.transfer.patience import Patience

model, patience = msgspec.json.decode(sys.argv[1], type=tuple[ModelToFetch, Patience])
download(model, Path(sys.argv[2]), patience=patience, progress=lambda one: print(one.received_bytes, flush=True))
"""


def test_kill_minus_nine_again_and_again(hub: HubServer, patience: Patience, got: Download, tmp_path: Path) -> None:
    hub.script("mirror", always=Behaviour(rate_bytes_per_second=700 * KIB))
    order = msgspec.json.encode((model_of(hub, "mirror"), patience)).decode()
    reached = 0
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, order, str(tmp_path)], stdout=subprocess.PIPE, bufsize=0
        )
        assert child.stdout is not None
        first = reached
        for line in child.stdout:
            reached = int(line)
            if reached >= first + 150 * KIB:
                break
        child.kill()
        child.wait()
        child.stdout.close()
    size = len(hub.content)
    target = tmp_path / "Somebody" / "Some-Model" / "model.gguf"
    if not target.exists():
        part = PartFile(target, size_bytes=size, sha256=hub.starter.sha256)
        # What was reported had been written; small reads on their way are all that may be lost.
        assert part.received_bytes >= reached - 64 * KIB
        part.close()
    hub.script("mirror", always=Behaviour())
    path = got("mirror")
    assert holds(path, hub) and hashlib.sha256(path.read_bytes()).hexdigest() == hub.starter.sha256


def test_close_keeps_everything_and_nothing_is_written_afterwards(tmp_path: Path) -> None:
    part = opened(tmp_path, 1000)
    part.put(500, b"x", "a")
    part.close()
    part.close()
    part.put(0, b"late", "a")
    again = opened(tmp_path, 1000)
    assert again.missing() == ((0, 500), (501, 1000))
    again.close()


def test_a_part_that_brought_nothing_leaves_nothing(tmp_path: Path) -> None:
    part = opened(tmp_path)
    part.close()
    assert not part.folder.exists()


def test_a_part_shorter_than_its_journal_is_not_relied_on(tmp_path: Path) -> None:
    part = opened(tmp_path)
    part.put(0, DATA[:2000], "a")
    part.close()
    with part.path.open("r+b") as file:
        file.truncate(1500)
    again = opened(tmp_path)
    assert again.received_bytes == 0
    again.close()


def test_archives_of_another_file_go_with_it(tmp_path: Path) -> None:
    part = opened(tmp_path)
    archive = PartFile(part.folder / "piece-0", size_bytes=10, sha256="1" * 64)
    archive.put(0, b"PK", "a")
    archive.close()
    part.close()
    assert archive.folder.is_dir()
    kept = opened(tmp_path)
    assert archive.folder.is_dir()
    kept.close()
    other = opened(tmp_path, sha256="2" * 64)
    assert not archive.folder.exists()
    other.close()
    assert not part.folder.exists()
