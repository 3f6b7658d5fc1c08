from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from models_catalog.errors import DiskTooSmall, FetchAlreadyRunning, FolderUnwritable
from models_catalog.transfer.journal import Part, disk_errors, free_disk_bytes
from models_catalog.transfer.patience import Patience

SHA = "ab" * 32
SIZE = 1000
PATIENCE = Patience(checkpoint_bytes=100, checkpoint_seconds=3600)


class Desk:
    """Opens the part of one target again and again, as later runs of the program would."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.opened: list[Part] = []

    def open(self, *, sha256: str = SHA, size_bytes: int = SIZE) -> Part:
        self.opened.append(Part(self.target, sha256=sha256, size_bytes=size_bytes, patience=PATIENCE))
        return self.opened[-1]

    def die(self) -> None:
        """As after kill -9: nothing is flushed, only the operating system lets go of the lock."""
        part = self.opened.pop()
        part._lock.release()
        part._file.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "publisher" / "model.gguf")
    yield desk
    for part in desk.opened:
        part.close()


def test_what_was_checkpointed_survives_and_the_rest_is_missing_again(desk: Desk) -> None:
    part = desk.open()
    part.write(0, b"a" * 99, "one")
    part.write(99, b"b" * 51, "two")
    part.write(150, b"c" * 99, "two")
    desk.die()
    part = desk.open()
    assert part.missing() == ((150, SIZE),)
    assert part.path.read_bytes()[:150] == b"a" * 99 + b"b" * 51
    assert part.contributors == {"one", "two"}


def test_close_keeps_everything(desk: Desk) -> None:
    part = desk.open()
    part.write(500, b"x", "one")
    part.close()
    part.close()
    part.write(0, b"late", "one")
    assert desk.open().missing() == ((0, 500), (501, SIZE))


def test_reproducible_bytes_wait_for_their_own_checkpoint(desk: Desk) -> None:
    part = desk.open()
    part.write(0, b"a" * 500, "one", reproducible=True)
    desk.die()
    part = desk.open()
    assert part.received_bytes == 0
    part.write(0, b"a" * 500, "one", reproducible=True)
    part.checkpoint()
    desk.die()
    assert desk.open().received_bytes == 500


def test_a_download_that_brought_nothing_leaves_nothing(desk: Desk) -> None:
    part = desk.open()
    part.close()
    assert not part.folder.exists()


@pytest.mark.parametrize("damage", [b"", b"{", b"\x00" * 200, b'{"sha256": "x", "size_bytes": 1, "extents": []}'])
def test_a_damaged_journal_means_starting_over(desk: Desk, damage: bytes) -> None:
    part = desk.open()
    part.write(0, b"a" * 200, "one")
    part.close()
    (part.folder / "journal.json").write_bytes(damage)
    assert desk.open().received_bytes == 0


def test_a_part_shorter_than_its_journal_is_not_relied_on(desk: Desk) -> None:
    part = desk.open()
    part.write(0, b"a" * 200, "one")
    part.close()
    with part.path.open("r+b") as file:
        file.truncate(150)
    assert desk.open().received_bytes == 0


def test_another_file_of_this_name_starts_over(desk: Desk) -> None:
    part = desk.open()
    part.write(0, b"a" * 200, "one")
    part.close()
    part = desk.open(sha256="cd" * 32)
    assert part.received_bytes == 0
    assert part.path.stat().st_size == 0


def test_one_part_has_one_owner(desk: Desk) -> None:
    part = desk.open()
    with pytest.raises(FetchAlreadyRunning) as caught:
        desk.open()
    assert caught.value.path == str(desk.target)
    part.close()
    desk.open()


def test_the_whole_file_appears_at_once_and_the_part_is_gone(desk: Desk) -> None:
    part = desk.open()
    part.write(0, b"a" * SIZE, "one")
    assert not desk.target.exists()
    part.move_into_place()
    assert desk.target.read_bytes() == b"a" * SIZE
    assert [path.name for path in desk.target.parent.iterdir()] == ["model.gguf"]


def test_discarded_bytes_are_gone_for_good(desk: Desk) -> None:
    part = desk.open()
    part.write(0, b"a" * 200, "one")
    (part.folder / "some.archive").write_bytes(b"z")
    part.discard()
    assert part.received_bytes == 0
    desk.die()
    part = desk.open()
    assert (part.received_bytes, list(part.folder.glob("*.archive"))) == (0, [])


def test_disk_errors_become_the_catalogues(tmp_path: Path) -> None:
    with pytest.raises(DiskTooSmall) as full, disk_errors(tmp_path, lambda: 77):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert full.value.needed_bytes == 77
    assert full.value.free_bytes > 0
    with pytest.raises(FolderUnwritable) as locked, disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")
    assert locked.value.reason == "Permission denied"


def test_free_space_is_known_for_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert free_disk_bytes(tmp_path / "a" / "b") > 0
