"""A newer catalogue is taken only if it is what its publisher signed, and never at the price of the present one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from models_catalog.errors import FolderUnwritable
from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.kept_update import NAME, KeptUpdateBroken, check_signature, read_kept
from models_catalog.families.loader import load_catalogue, shipped_date
from models_catalog.families.this_build import this_build
from models_catalog.families.update_check import Checked, check_for_update
from models_catalog.families.update_index import version_numbers
from models_catalog.families.values import Catalogue, Family, LeftOutWhy
from models_catalog.signed.errors import (
    Reason,
    SigningKeyMissing,
    UpdateAddressMissing,
    UpdateRefused,
    UpdateUnreachable,
)
from models_catalog.signed.keys import PublicKey
from tests.models_catalog.signed.publisher import Odd, Publisher, UpdateServer, plain_client, serving, sign_index

PUBLISHER = Publisher()
DATE = "2999-01-01"


@pytest.fixture(scope="module")
def running() -> Iterator[UpdateServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(running: UpdateServer) -> UpdateServer:
    PUBLISHER.publish()
    running.files, running.odd, running.gzipped = PUBLISHER.files, {}, False
    running.asked.clear()
    return running


def _check(server: UpdateServer, folder: Path, **options: Any) -> Checked:
    given: dict[str, Any] = {"keys": (PUBLISHER.public,), "built_in_date": shipped_date()}
    address = options.pop("address", server.address)
    return asyncio.run(check_for_update(address, folder, client=plain_client, **given | options))


def _refused(server: UpdateServer, folder: Path, **options: Any) -> str:
    before = _content(folder)
    with pytest.raises(UpdateRefused) as refused:
        _check(server, folder, **options)
    assert _content(folder) == before, "nothing may be changed"
    return refused.value.reason


def _content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()} if folder.exists() else {}


def _load(folder: Path, *keys: PublicKey) -> Catalogue:
    return load_catalogue(folder, keys or (PUBLISHER.public,))


def _family(catalogue: Catalogue, name: str) -> Family:
    return next(family for family in catalogue.families if family.id == name)


def _renamed(body: bytes, name: str) -> bytes:
    table = json.loads(body)
    table["name"]["en"] = name
    return json.dumps(table).encode()


def test_a_newer_catalogue_takes_the_place_of_the_built_in_one(server: UpdateServer, tmp_path: Path) -> None:
    PUBLISHER.replace_file("yi.json", _renamed(PUBLISHER.files["yi.json"], "Yi, renewed"))
    assert _check(server, tmp_path) == Checked(updated=True, serial=1, date=DATE)
    assert server.asked == ["index.json", "index.json.minisig", "shared.json", "yi.json"]
    catalogue = _load(tmp_path)
    assert (catalogue.date, catalogue.updated, catalogue.problems, catalogue.left_out) == (DATE, True, (), ())
    # The index is of the whole catalogue: what it does not name is no longer in it.
    assert [family.name.en for family in catalogue.families] == ["Yi, renewed"]
    assert load_catalogue().date == shipped_date() and not load_catalogue().updated


def test_packed_answers(server: UpdateServer, tmp_path: Path) -> None:
    server.gzipped = True
    assert _check(server, tmp_path).updated


def test_the_same_again_fetches_nothing(server: UpdateServer, tmp_path: Path) -> None:
    _check(server, tmp_path)
    server.asked.clear()
    assert not _check(server, tmp_path).updated
    assert server.asked == ["index.json", "index.json.minisig"]


def test_only_what_changed_is_fetched(server: UpdateServer, tmp_path: Path) -> None:
    _check(server, tmp_path)
    PUBLISHER.change_index(serial=2)
    PUBLISHER.replace_file("yi.json", _renamed(PUBLISHER.files["yi.json"], "Yi 2"))
    server.asked.clear()
    assert _check(server, tmp_path).updated and server.asked[2:] == ["yi.json"]
    assert _family(_load(tmp_path), "yi").name.en == "Yi 2"


def test_the_whole_catalogue_of_this_tree_can_be_published(server: UpdateServer, tmp_path: Path) -> None:
    server.files = PUBLISHER.files = dict(sign_index().catalogue_files(5, DATE, {}))
    PUBLISHER.sign()
    _check(server, tmp_path)
    catalogue = _load(tmp_path)
    assert catalogue.families == load_catalogue().families and not catalogue.left_out


def test_without_keys_or_address_nothing_is_asked(server: UpdateServer, tmp_path: Path) -> None:
    with pytest.raises(SigningKeyMissing):
        _check(server, tmp_path, keys=())
    with pytest.raises(UpdateAddressMissing):
        _check(server, tmp_path, address="")
    assert server.asked == []


def test_what_is_not_signed_by_us(server: UpdateServer, tmp_path: Path) -> None:
    signature = PUBLISHER.files.pop("index.json.minisig")
    assert _refused(server, tmp_path) == Reason.UNSIGNED
    PUBLISHER.files["index.json.minisig"] = b"<html>"
    assert _refused(server, tmp_path) == Reason.UNSIGNED
    PUBLISHER.files["index.json.minisig"] = signature
    PUBLISHER.files["index.json"] = PUBLISHER.files["index.json"].replace(b'"serial": 1', b'"serial": 2')
    assert _refused(server, tmp_path) == Reason.SIGNATURE
    assert _refused(server, tmp_path, keys=(Publisher().public,)) == Reason.UNKNOWN_KEY
    old = PublicKey(id=PUBLISHER.public.id, key=PUBLISHER.public.key, not_after=date(2026, 1, 1))
    assert _refused(server, tmp_path, keys=(old,)) == Reason.EXPIRED_KEY


def test_a_key_that_expires_later_keeps_what_it_signed(server: UpdateServer, tmp_path: Path) -> None:
    _check(server, tmp_path)
    old = PublicKey(id=PUBLISHER.public.id, key=PUBLISHER.public.key, not_after=date(2026, 1, 1))
    assert _load(tmp_path, old).updated
    catalogue = _load(tmp_path, Publisher().public)
    assert not catalogue.updated and "not one of this version" in catalogue.problems[0].problem


def test_an_older_one_is_refused(server: UpdateServer, tmp_path: Path) -> None:
    PUBLISHER.change_index(serial=5)
    _check(server, tmp_path)
    PUBLISHER.change_index(serial=4, date="3000-01-01")
    assert _refused(server, tmp_path) == Reason.OLDER
    # Even if the copy was deleted, what was seen is known.
    assert _refused(server, tmp_path / "new", seen_serial=5) == Reason.OLDER


def test_the_built_in_one_is_newer(server: UpdateServer, tmp_path: Path) -> None:
    PUBLISHER.change_index(date=shipped_date())
    assert not _check(server, tmp_path).updated and _content(tmp_path) == {}
    # The program was renewed after the update was kept.
    _check(server, tmp_path, built_in_date="2000-01-01")
    assert not _load(tmp_path).updated and _load(tmp_path).families == load_catalogue().families


@pytest.mark.parametrize("name", ["../yi.json", "/etc/yi.json", "c:yi.json", "c:\\yi.json", "a/yi.json", "nul.json"])
def test_names_that_could_leave_the_folder(server: UpdateServer, tmp_path: Path, name: str) -> None:
    PUBLISHER.change_file("yi.json", name=name)
    assert _refused(server, tmp_path) == Reason.BROKEN
    assert server.asked == ["index.json", "index.json.minisig"]


def test_bad_answers(server: UpdateServer, tmp_path: Path) -> None:
    server.odd["yi.json"] = Odd(body=PUBLISHER.files["yi.json"][:-1] + b" ")
    assert _refused(server, tmp_path) == Reason.BROKEN
    server.odd["yi.json"] = Odd(body=b"x" * 4096, endless=True)
    assert _refused(server, tmp_path) == Reason.TOO_LARGE
    server.odd["yi.json"] = Odd(status=302, headers={"Location": "http://example.org/yi.json"})
    assert _refused(server, tmp_path) == Reason.INSECURE
    server.odd["index.json"] = Odd(body=b"x" * 4096, endless=True)
    assert _refused(server, tmp_path) == Reason.TOO_LARGE
    assert _refused(server, tmp_path, address="http://example.org/index.json") == Reason.INSECURE
    server.odd.clear()
    PUBLISHER.change_index(version=2)
    assert _refused(server, tmp_path) == Reason.NEWER


def test_a_server_that_takes_its_time(server: UpdateServer, tmp_path: Path) -> None:
    server.odd["index.json"] = Odd(body=b"", endless=True)
    with pytest.raises(UpdateUnreachable):
        _check(server, tmp_path, whole_seconds=0.05)


def test_families_for_later_versions_are_left_out(server: UpdateServer, tmp_path: Path) -> None:
    PUBLISHER.publish(families=("yi", "kimi", "step", "seed", "spark"))
    server.files = PUBLISHER.files
    PUBLISHER.replace_file("yi.json", b'{"new": "form"}', schema=2)
    PUBLISHER.change_file("kimi.json", min_engine="0.4")
    table = json.loads(PUBLISHER.files["step.json"])
    table["profile"] = {"later": {"template": {"kind": "builtin", "name": "not-yet"}}}
    table["models"][0]["profile"] = "later"
    PUBLISHER.replace_file("step.json", json.dumps(table).encode())
    PUBLISHER.replace_file("seed.json", b'{"id": "seed"}')
    PUBLISHER.replace_file("spark.json", _renamed(PUBLISHER.files["spark.json"], "Spark 2"), min_engine="0.3.36")
    _check(server, tmp_path)
    catalogue = _load(tmp_path)
    assert {one.family: (one.why, one.detail) for one in catalogue.left_out if one.family != "seed"} == {
        "yi": (LeftOutWhy.SCHEMA, "2"),
        "kimi": (LeftOutWhy.ENGINE, "0.4"),
        "step": (LeftOutWhy.TEMPLATE, "not-yet"),
    }
    assert "seed" in {one.family for one in catalogue.left_out}
    for name in ("yi", "kimi", "step", "seed"):
        assert _family(catalogue, name) == _family(load_catalogue(), name)
    assert _family(catalogue, "spark").name.en == "Spark 2"


def test_what_is_shared_may_be_newer_than_this_build(server: UpdateServer, tmp_path: Path) -> None:
    PUBLISHER.replace_file("shared.json", b'{"new": "form"}', schema=2)
    _check(server, tmp_path)
    assert _family(_load(tmp_path), "yi") == _family(load_catalogue(), "yi")


def test_plan_data_that_this_build_has_not(server: UpdateServer, tmp_path: Path) -> None:
    table = json.loads(PUBLISHER.files["yi.json"])
    for model in table["models"]:
        model["plan_data"] = "of-a-later-version"
    PUBLISHER.replace_file("yi.json", json.dumps(table).encode())
    _check(server, tmp_path)
    assert all(model.plan_data is None for model in _family(_load(tmp_path), "yi").models)
    assert {"qwen3-8b", "qwen2.5-coder-0.5b"} <= this_build().plan_data


def test_own_files_win(server: UpdateServer, tmp_path: Path) -> None:
    table = json.loads(PUBLISHER.files["yi.json"])
    first = table["models"][0]["id"]
    _check(server, tmp_path)
    (tmp_path / "mine.toml").write_text(_OWN.replace("MODEL", first), encoding="utf-8")
    catalogue = _load(tmp_path)
    assert not catalogue.problems and catalogue.updated
    assert [model.family for family in catalogue.families for model in family.models if model.id == first] == ["mine"]


_OWN = """
id = "mine"
name = { zh = "我的", en = "Mine" }
vendor = { zh = "我", en = "me" }
about = { zh = "我的。", en = "Mine." }
[[models]]
id = "MODEL"
name = { zh = "我的", en = "Mine" }
total_parameters = 1
licence = "apache-2.0"
abilities = []
profile = "chatml"
sources = [{ huggingface = "me/mine" }]
"""


@pytest.mark.parametrize("damage", ["byte", "half", "empty", "folder", "text"])
def test_a_kept_copy_that_was_changed(server: UpdateServer, tmp_path: Path, damage: str) -> None:
    _check(server, tmp_path)
    file = tmp_path / NAME
    whole = file.read_bytes()
    match damage:
        case "byte":
            file.write_bytes(whole.replace(b"Apache", b"Apathy", 1))
        case "half":
            file.write_bytes(whole[: len(whole) // 2])
        case "empty":
            file.write_bytes(b"")
        case "folder":
            file.unlink()
            file.mkdir()
        case _:
            file.write_text("量力")
    catalogue = _load(tmp_path)
    assert not catalogue.updated and catalogue.families == load_catalogue().families
    assert [problem.path for problem in catalogue.problems] == [str(file)]
    if damage != "folder":
        assert _check(server, tmp_path).updated and file.read_bytes() == whole, "it is fetched anew"


def test_a_forged_copy_is_told_by_its_signature(server: UpdateServer, tmp_path: Path) -> None:
    import hashlib

    _check(server, tmp_path)
    file = tmp_path / NAME
    rest = file.read_bytes().partition(b"\n")[2].replace(b'\\"serial\\": 1', b'\\"serial\\": 9')
    file.write_bytes(hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)
    forged = read_kept(tmp_path, (PUBLISHER.public,))
    assert forged is not None and forged.index.serial == 9
    with pytest.raises(KeptUpdateBroken):
        check_signature(forged, (PUBLISHER.public,))
    assert _check(server, tmp_path).updated and _check(server, tmp_path).serial == 1


def test_a_write_that_was_cut_off_leaves_the_old_copy(
    server: UpdateServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _check(server, tmp_path)
    before = _content(tmp_path)
    PUBLISHER.change_index(serial=2)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FolderUnwritable):
        _check(server, tmp_path)
    assert _content(tmp_path) == before


def test_a_kept_index_sees_the_update(server: UpdateServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models_catalog.families.loader.shipped_keys", lambda: (PUBLISHER.public,))
    kept = KeptIndex(tmp_path)
    assert not kept.get().updated and kept.get().date == shipped_date()
    _check(server, tmp_path)
    assert kept.get().updated and len(kept.get().index.families) == 1 and kept.get() is kept.get()


def test_versions() -> None:
    assert version_numbers("0.3.36") < version_numbers("0.3.100") < version_numbers("0.4") == version_numbers("0.4.0")
    assert version_numbers("0.3.36+cu124") == (0, 3, 36) and version_numbers("") == ()
