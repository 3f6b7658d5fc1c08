from __future__ import annotations

import hashlib
import random
import statistics
import time
from dataclasses import replace
from pathlib import Path

import pytest

from models_catalog.download.model_download import download
from models_catalog.download.part_file import PartFile
from models_catalog.download.speed_cap import SpeedCap
from models_catalog.download.values import DownloadProgress, FileToFetch, ModelToFetch
from models_catalog.errors import (
    ContentWrong,
    DiskTooSmall,
    FetchAlreadyRunning,
    FetchCancelled,
    FileChanged,
    FileNameRefused,
    NoSourceWorked,
)
from models_catalog.sources.byte_source import WholeFile
from models_catalog.transfer.patience import Patience
from tests.models_catalog.download.conftest import KIB, Download, holds, model_of, source
from tests.models_catalog.hub_server import Behaviour, HubServer, Seen

SLOW = Behaviour(rate_bytes_per_second=400 * KIB)


@pytest.mark.parametrize("route", ["mirror", "modelscope", "huggingface"])
def test_each_source_alone_gives_the_file_and_leaves_nothing_else(got: Download, hub: HubServer, route: str) -> None:
    path = got(route)
    assert holds(path, hub)
    assert path.parts[-3:] == ("Somebody", "Some-Model", "model.gguf")


def test_a_file_that_is_there_costs_no_request(got: Download, hub: HubServer) -> None:
    got("mirror")
    hub.seen.clear()
    assert holds(got("mirror"), hub) and hub.seen == []


def test_a_file_that_is_there_but_damaged_is_replaced(got: Download, hub: HubServer) -> None:
    path = got("mirror")
    path.write_bytes(bytes(len(hub.content)))
    assert holds(got("mirror"), hub)


def test_slow_connections_are_used_side_by_side(got: Download, hub: HubServer) -> None:
    hub.script("mirror", always=SLOW)
    seen: list[DownloadProgress] = []
    begun = time.monotonic()
    assert holds(got("mirror", progress=seen.append), hub)
    one_connection_seconds = len(hub.content) / (400 * KIB)
    assert max(one.connections for one in seen) >= 4
    assert time.monotonic() - begun < one_connection_seconds * 0.8


def test_more_connections_are_given_up_where_they_do_not_gain(got: Download, hub: HubServer) -> None:
    hub.script("mirror", always=Behaviour(rate_bytes_per_second=800 * KIB, rate_is_shared=True))
    seen: list[DownloadProgress] = []
    assert holds(got("mirror", progress=seen.append), hub)
    # On a busy machine a step can look like a gain once; it is taken back.
    assert statistics.median(one.connections for one in seen if one.connections) <= 2


def test_a_server_that_allows_few_connections_gets_few(got: Download, hub: HubServer) -> None:
    hub.decide = lambda _: SLOW if hub.active < 2 else Behaviour(status=429, headers={"Retry-After": "1"})
    seen: list[DownloadProgress] = []
    assert holds(got("mirror", progress=seen.append), hub)
    assert not any(one.state == "waiting" for one in seen)


def test_a_hundred_cuts_cost_next_to_nothing(got: Download, hub: HubServer) -> None:
    chance = random.Random(5)
    cuts = 0

    def decide(seen: Seen) -> Behaviour | None:
        nonlocal cuts
        cuts += 1
        return Behaviour(cut_after_bytes=chance.randrange(1, 24 * KIB)) if cuts <= 100 else None

    hub.decide = decide
    assert holds(got("mirror"), hub)
    assert cuts > 100


def test_a_source_that_becomes_slow_is_left_in_the_middle(got: Download, hub: HubServer) -> None:
    hub.script("modelscope-cdn", Behaviour(), always=Behaviour(rate_bytes_per_second=40 * KIB))
    hub.script("mirror", Behaviour(rate_bytes_per_second=300 * KIB))
    begun = time.monotonic()
    assert holds(got("modelscope", "mirror"), hub)
    assert time.monotonic() - begun < len(hub.content) / (40 * KIB) / 3
    # What the slow one brought is not fetched again.
    assert 0 not in hub.starts("mirror")[2:]


def test_a_source_that_fails_is_left_and_what_it_brought_stays(got: Download, hub: HubServer) -> None:
    hub.script("modelscope-cdn", Behaviour(), Behaviour(cut_after_bytes=300 * KIB), always=Behaviour(status=500))
    hub.script("mirror", Behaviour(rate_bytes_per_second=100 * KIB))
    assert holds(got("modelscope", "mirror"), hub)
    assert min(start for start in hub.starts("mirror")[1:] if start) >= 200 * KIB


def test_a_stalled_source_hands_over(got: Download, hub: HubServer, patience: Patience) -> None:
    hub.script("modelscope-cdn", Behaviour(), always=Behaviour(stall_after_bytes=100 * KIB))
    hub.script("mirror", Behaviour(status=503), always=Behaviour())
    assert holds(got("modelscope", "mirror", patience=replace(patience, stall_seconds=0.3)), hub)


def test_without_network_it_is_said_at_once(hub: HubServer, patience: Patience, tmp_path: Path) -> None:
    model = model_of(hub, "mirror", "modelscope")
    file = model.files[0]
    nowhere = tuple(WholeFile(name=one.name, url="http://127.0.0.1:9/x") for one in file.sources)
    seen: list[DownloadProgress] = []
    with pytest.raises(NoSourceWorked) as caught:
        download(
            replace(model, files=(replace(file, sources=nowhere),)), tmp_path, patience=patience, progress=seen.append
        )
    assert [one.source for one in caught.value.problems] == ["mirror", "modelscope"]
    assert not any(one.state == "waiting" for one in seen)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 416])
def test_a_refusal_is_final(got: Download, hub: HubServer, status: int) -> None:
    hub.script("mirror", always=Behaviour(status=status))
    with pytest.raises(NoSourceWorked) as caught:
        got("mirror")
    assert [(one.source, one.status) for one in caught.value.problems] == [("mirror", status)]
    assert len(hub.seen) == 1


def test_expired_signatures_are_asked_for_again(got: Download, hub: HubServer) -> None:
    hub.script("modelscope-cdn", Behaviour(status=403), Behaviour(cut_after_bytes=99), Behaviour(status=403))
    assert holds(got("modelscope"), hub)


def test_a_busy_source_is_left_alone_as_long_as_it_asks(got: Download, hub: HubServer) -> None:
    hub.script("mirror", Behaviour(status=429, headers={"Retry-After": "1"}))
    begun = time.monotonic()
    assert holds(got("mirror"), hub)
    assert time.monotonic() - begun >= 1


def test_a_server_without_ranges_serves_from_the_beginning(got: Download, hub: HubServer) -> None:
    hub.script("mirror", Behaviour(cut_after_bytes=300 * KIB), always=Behaviour(ignore_range=True))
    assert holds(got("mirror"), hub)


def test_a_lying_content_range_disqualifies_the_source(got: Download, hub: HubServer) -> None:
    hub.script("modelscope-cdn", always=Behaviour(range_shift_bytes=1))
    assert holds(got("modelscope", "mirror"), hub)
    with pytest.raises(NoSourceWorked):
        (hub_path := got("mirror")).unlink()
        got("modelscope")
    assert not hub_path.exists()


def test_a_changed_etag_is_noticed_and_the_hash_decides(got: Download, hub: HubServer) -> None:
    hub.script("mirror", Behaviour(cut_after_bytes=300 * KIB), Behaviour(etag='"two"'))
    assert holds(got("mirror"), hub)


def test_of_a_file_without_hash_nothing_of_the_former_one_stays(got: Download, hub: HubServer) -> None:
    hub.script("mirror", Behaviour(), Behaviour(cut_after_bytes=300 * KIB, spoiled=True), always=Behaviour(etag='"2"'))
    assert holds(got("mirror", sha256=None), hub)


def test_a_file_without_hash_that_never_stays_the_same(got: Download, hub: HubServer) -> None:
    counted = iter(range(1000))
    hub.decide = lambda _: Behaviour(etag=f'"{next(counted)}"', cut_after_bytes=1000)
    with pytest.raises(FileChanged):
        got("mirror", sha256=None)


def test_one_bad_chunk_is_found_and_repaired_alone(got: Download, hub: HubServer) -> None:
    flipped = Behaviour(flipped_bytes=(700_000,))
    hub.script("modelscope-cdn", always=flipped)
    hub.script("mirror", Behaviour(status=503, headers={"Retry-After": "1"}))
    seen: list[DownloadProgress] = []
    assert holds(got("modelscope", "mirror", progress=seen.append), hub)
    assert any(one.state == "repairing" or one.source == "mirror" for one in seen)


def test_a_bad_chunk_of_the_way_is_repaired_from_the_same_source(got: Download, hub: HubServer) -> None:
    hub.script("mirror", Behaviour(flipped_bytes=(5,)), always=Behaviour())
    assert holds(got("mirror"), hub)


def test_when_all_serve_wrong_bytes_nothing_is_kept(got: Download, hub: HubServer, tmp_path: Path) -> None:
    hub.script("mirror", always=Behaviour(spoiled=True))
    with pytest.raises(ContentWrong) as caught:
        got("mirror")
    assert caught.value.sources == "mirror"
    assert not list(tmp_path.rglob("*partial*")) and not list(tmp_path.rglob("*.gguf"))


def test_the_token_never_leaves_its_origin(hub: HubServer, patience: Patience, tmp_path: Path) -> None:
    model = model_of(hub, "huggingface")
    secret = source(hub, "huggingface", (("Authorization", "Bearer secret"),))
    model = replace(model, files=(replace(model.files[0], sources=(secret,)),))
    assert holds(download(model, tmp_path, patience=patience)[0], hub)
    told = {seen.route for seen in hub.seen if "Authorization" in seen.headers}
    assert told == {"huggingface"}


def test_a_redirect_to_another_scheme_is_refused(got: Download, hub: HubServer) -> None:
    hub.script("mirror", always=Behaviour(status=302, headers={"Location": "file:///etc/passwd"}))
    with pytest.raises(NoSourceWorked):
        got("mirror")


def test_room_for_all_files_is_asked_for_before_the_first_byte(
    hub: HubServer, patience: Patience, tmp_path: Path
) -> None:
    model = model_of(hub, "mirror")
    parts = tuple(replace(model.files[0], place=("a", "b", f"part{number}.gguf")) for number in (1, 2))
    with pytest.raises(DiskTooSmall) as caught:
        download(replace(model, files=parts), tmp_path, patience=patience, free_bytes=lambda _: len(hub.content))
    assert caught.value.needed_bytes > 2 * len(hub.content) and hub.seen == []


def test_files_of_a_model_appear_together(hub: HubServer, patience: Patience, tmp_path: Path) -> None:
    model = model_of(hub, "mirror")
    second = replace(model.files[0], place=("a", "b", "two.gguf"), sources=(source(hub, "nowhere"),))
    first = replace(model.files[0], place=("a", "b", "one.gguf"))
    hub.script("nowhere", always=Behaviour(status=404))
    with pytest.raises(NoSourceWorked):
        download(replace(model, files=(first, second)), tmp_path, patience=patience)
    assert not list(tmp_path.rglob("*.gguf"))
    hub.script("nowhere", always=Behaviour())
    hub.seen.clear()
    paths = download(replace(model, files=(first, second)), tmp_path, patience=patience)
    assert [path.name for path in paths] == ["one.gguf", "two.gguf"] and all(path.is_file() for path in paths)
    assert hub.starts("mirror") == []


def test_names_that_lead_out_are_refused_before_any_request(hub: HubServer, patience: Patience, tmp_path: Path) -> None:
    model = model_of(hub, "mirror")
    outside = replace(model.files[0], place=("..", "x.gguf"))
    with pytest.raises(FileNameRefused):
        download(replace(model, files=(outside,)), tmp_path, patience=patience)
    assert hub.seen == []


def test_two_downloads_of_one_file_exclude_each_other(got: Download, hub: HubServer, tmp_path: Path) -> None:
    target = tmp_path / "Somebody" / "Some-Model" / "model.gguf"
    other = PartFile(target, size_bytes=len(hub.content), sha256=hub.starter.sha256)
    with pytest.raises(FetchAlreadyRunning):
        got("mirror")
    other.close()
    assert holds(got("mirror"), hub)


def test_cancel_stops_at_once_and_the_next_run_goes_on(got: Download, hub: HubServer, patience: Patience) -> None:
    # Every answer hangs short of the least lease: the file cannot be whole before the cancel is looked for.
    hub.script("mirror", always=Behaviour(stall_after_bytes=220 * KIB))
    with pytest.raises(FetchCancelled):
        got("mirror", cancelled=hub.stalled, patience=replace(patience, stall_seconds=60))
    hub.script("mirror", always=Behaviour())
    hub.seen.clear()
    assert holds(got("mirror"), hub)
    assert min(hub.starts("mirror")) >= 200 * KIB


def test_the_speed_limit_holds_for_all_connections_together(got: Download, hub: HubServer) -> None:
    seen: list[DownloadProgress] = []
    begun = time.monotonic()
    assert holds(got("mirror", cap=SpeedCap(1024 * KIB), progress=seen.append), hub)
    assert 0.7 < time.monotonic() - begun < 3
    assert max(one.connections for one in seen) <= 4


def test_progress_tells_speed_and_remaining_time(got: Download, hub: HubServer, patience: Patience) -> None:
    seen: list[DownloadProgress] = []
    limit = replace(patience, most_connections=1)
    hub.script("mirror", always=Behaviour(rate_bytes_per_second=500 * KIB))
    got("mirror", progress=seen.append, patience=limit)
    told = [one for one in seen if one.remaining_seconds is not None]
    assert told and all(0 <= (one.remaining_seconds or 0) < 3 for one in told)
    assert 300 * KIB < told[-1].bytes_per_second < 700 * KIB
    assert all(0 <= one.received_bytes <= one.total_bytes == len(hub.content) for one in seen)


def test_a_plain_address_needs_nothing_but_the_address(got: Download, hub: HubServer) -> None:
    assert holds(got("plain", sha256=None), hub)


def test_the_hash_is_of_what_lies_on_the_disk(hub: HubServer, got: Download) -> None:
    assert hashlib.sha256(got("mirror").read_bytes()).hexdigest() == hub.starter.sha256


def test_the_values_are_hashable() -> None:
    file = FileToFetch(place=("a",), sources=(), size_bytes=None, sha256=None)
    assert hash(ModelToFetch(name="x", files=(file,)))
