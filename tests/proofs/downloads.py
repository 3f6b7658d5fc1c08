"""What downloads promise, measured with a local server in a process of its own. Linux; throughput needs curl.

    python -m tests.proofs.downloads throughput [--rounds N] [--folder FOLDER]
    python -m tests.proofs.downloads kills|cuts|changed [--folder FOLDER]

Each prints its figures and ends with 1 if one of them is not what it should be. The folder is on the disk to be used.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import unittest.mock
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from models_catalog.download.model_download import download
from models_catalog.download.part_file import PartFile
from models_catalog.download.values import DownloadProgress, FileToFetch, ModelToFetch
from models_catalog.sources.byte_source import WholeFile
from models_catalog.transfer.direct_stream import Inlet
from models_catalog.transfer.patience import Patience

MB = 1_000_000
_PLACE = ("Somebody", "Model", "model.gguf")
_RATE = 10 * MB
_CHILD = """
import mmap, sys
from pathlib import Path
import msgspec
from models_catalog.download.model_download import download
from models_catalog.download.values import ModelToFetch
from models_catalog.transfer import direct_stream

model, folder, counter = msgspec.json.decode(sys.argv[1], type=tuple[ModelToFetch, str, str])
with open(counter, "r+b") as file:
    count = mmap.mmap(file.fileno(), 8)
updated = direct_stream.Inlet.buffer_updated

def counted(inlet, nbytes):
    count[:] = (int.from_bytes(count[:], "little") + nbytes).to_bytes(8, "little")
    updated(inlet, nbytes)

direct_stream.Inlet.buffer_updated = counted
download(model, Path(folder), progress=lambda one: print(one.state, flush=True))
"""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A folder, random files in it, and a server of them. sha256: of the first file."""

    folder: Path
    base: str
    size_bytes: int
    sha256: str

    @property
    def library(self) -> Path:
        """Where downloads go."""
        return self.folder / "models"

    @property
    def target(self) -> Path:
        """The file that a download leaves."""
        return self.library.joinpath(*_PLACE)

    def model(self, *addresses: str, listed: bool = True) -> ModelToFetch:
        """The first file, from these addresses."""
        file = FileToFetch(
            place=_PLACE,
            sources=tuple(
                WholeFile(name=f"source {index}", url=self.base + one) for index, one in enumerate(addresses)
            ),
            size_bytes=self.size_bytes if listed else None,
            sha256=self.sha256 if listed else None,
        )
        return ModelToFetch(name="Model", files=(file,))

    def count(self) -> tuple[int, int]:
        """Bytes of files that the server has sent, and answers that it cut, since the last time."""
        with urllib.request.urlopen(f"{self.base}/?count") as answer:
            sent, cuts = answer.read().split()
        return int(sent), int(cuts)

    def is_right(self) -> bool:
        """The file is whole and nothing lies beside it."""
        with self.target.open("rb") as file:
            right = hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        return right and [one.name for one in self.target.parent.iterdir()] == [self.target.name]

    def clear(self) -> None:
        """Nothing has been downloaded, and nothing waits to be written."""
        shutil.rmtree(self.library, ignore_errors=True)
        os.sync()


@contextlib.contextmanager
def bench(folder: Path | None, size_bytes: int, *, files: int = 1) -> Iterator[Bench]:
    """See Bench; everything is removed afterwards."""
    os.environ["NO_PROXY"] = "*"
    with tempfile.TemporaryDirectory(dir=folder, prefix="downloads-") as name:
        paths = [Path(name) / f"file-{number}" for number in range(files)]
        for path in paths:
            with path.open("wb") as file:
                for start in range(0, size_bytes, MB):
                    file.write(os.urandom(min(MB, size_bytes - start)))
        with paths[0].open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        command = [sys.executable, "-m", "tests.proofs.downloads_server", *map(str, paths)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            try:
                yield Bench(folder=Path(name), base=f"http://127.0.0.1:{port}", size_bytes=size_bytes, sha256=sha256)
            finally:
                server.kill()


def throughput(folder: Path | None, rounds: int) -> bool:
    """Against curl: one connection without a limit, and four with one for each."""
    curl: list[float] = []
    arrived: list[float] = []
    checked: list[float] = []
    with bench(folder, 1000 * MB) as here:
        for number in range(rounds):
            here.clear()
            curl.append(here.size_bytes / _curl_seconds(here, "/0/file") / MB)
            here.clear()
            arrived_seconds, seconds, _ = _own_seconds(here, ["/0/file"], connections=1)
            arrived.append(here.size_bytes / arrived_seconds / MB)
            checked.append(here.size_bytes / seconds / MB)
            print(f"round {number + 1}: curl {curl[-1]:.0f}, arrived {arrived[-1]:.0f}, checked {checked[-1]:.0f} MB/s")
    share, checked_share = (statistics.median(one) / statistics.median(curl) for one in (arrived, checked))
    print(
        f"one connection, medians of {rounds}: curl {statistics.median(curl):.0f} MB/s; arrived "
        f"{statistics.median(arrived):.0f} ({share:.0%}), with its hash {statistics.median(checked):.0f} "
        f"({checked_share:.0%})"
    )
    with bench(folder, 150 * MB) as here:
        address = f"/0/file?rate={_RATE}"
        alone = here.size_bytes / _curl_seconds(here, address) / MB
        here.clear()
        _, seconds, connections = _own_seconds(here, [address], connections=4)
        speed = here.size_bytes / seconds / MB
    print(
        f"{_RATE / MB:.0f} MB/s a connection: curl {alone:.1f}, {connections} connections {speed:.1f} MB/s "
        f"({speed / alone:.1f} x)"
    )
    return share >= 0.9 and speed >= 2 * alone


def _curl_seconds(here: Bench, address: str) -> float:
    output = here.folder / "curl"
    begun = time.perf_counter()
    subprocess.run(["curl", "--silent", "--fail", "--output", output, here.base + address], check=True)
    seconds = time.perf_counter() - begun
    output.unlink()
    return seconds


def _own_seconds(here: Bench, addresses: Sequence[str], *, connections: int) -> tuple[float, float, int]:
    """Until the last byte had arrived, until the checked file was in its place, and the most connections."""
    arrived_at = 0.0
    most = 0

    def progress(step: DownloadProgress) -> None:
        nonlocal arrived_at, most
        most = max(most, step.connections)
        if step.state == "verifying" and step.received_bytes == step.total_bytes:
            arrived_at = arrived_at or time.perf_counter()

    begun = time.perf_counter()
    download(here.model(*addresses), here.library, progress=progress, patience=Patience(most_connections=connections))
    ended = time.perf_counter()
    assert here.is_right()
    return (arrived_at or ended) - begun, ended - begun, most


def kills(folder: Path | None) -> bool:
    """Ten kill -9 at random moments of one download of 64 MB at full speed."""
    with bench(folder, 64 * MB) as here:
        moving_seconds = min(_moving_seconds(here) for _ in range(3))
        for attempt in range(10):
            here.clear()
            here.count()
            counter = here.folder / "received"
            counter.write_bytes(bytes(8))
            killed = 0
            for _ in range(10):
                before = counter.read_bytes()
                child = _begun(here, counter)
                while child.poll() is None and counter.read_bytes() == before:
                    time.sleep(0.001)
                time.sleep(random.uniform(0, moving_seconds / 7))
                child.kill()
                killed += child.wait() != 0
            if here.target.exists() and killed < 10:
                print(f"attempt {attempt + 1}: done before the tenth kill")
                continue
            part = PartFile(here.target, size_bytes=here.size_bytes, sha256=here.sha256)
            there_bytes = part.received_bytes
            part.close()
            assert _begun(here, counter).wait() == 0
            sent_bytes, _ = here.count()
            received_bytes = int.from_bytes(counter.read_bytes(), "little")
            by_server, by_client = (one / here.size_bytes - 1 for one in (sent_bytes, received_bytes))
            print(
                f"10 kills within {there_bytes / MB:.1f} of {here.size_bytes / MB:.0f} MB, right: {here.is_right()}; "
                f"fetched again: {by_server:.1%} by the server's count of what it sent, {by_client:.1%} by the "
                "processes' count of what they got"
            )
            return here.is_right() and by_server <= 0.1
    return False


def _begun(here: Bench, counter: Path) -> subprocess.Popen[str]:
    """A process that downloads, when bytes begin to move."""
    order = msgspec.json.encode((here.model("/0/file"), str(here.library), str(counter))).decode()
    child = subprocess.Popen([sys.executable, "-c", _CHILD, order], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip() == "transferring":
            break
    return child


def _moving_seconds(here: Bench) -> float:
    """How long bytes move in a download that nobody disturbs."""
    here.clear()
    seconds, _, _ = _own_seconds(here, ["/0/file"], connections=8)
    return seconds


def cuts(folder: Path | None) -> bool:
    """Downloads over several connections that are cut at least 200 times, half of the times with a reset."""
    good = True
    with bench(folder, 500 * MB) as here:
        for number in range(3):
            here.clear()
            here.count()
            with counted_bytes() as count:
                _, seconds, connections = _own_seconds(here, [f"/0/file?rate={15 * MB}&cut={4 * MB}"], connections=8)
            got_bytes = count()
            sent_bytes, cut = here.count()
            again = sent_bytes / here.size_bytes - 1
            print(
                f"run {number + 1}: {cut} cuts, {connections} connections, {seconds:.1f} s, right, {again:.2%} fetched "
                f"again by the server's count, {got_bytes / here.size_bytes - 1:.2%} by our own"
            )
            good &= cut >= 200 and max(again, got_bytes / here.size_bytes - 1) <= 0.01
    return good


@contextlib.contextmanager
def counted_bytes() -> Iterator[Callable[[], int]]:
    """How many bytes this process gets from its connections, headers too."""
    total, updated = 0, Inlet.buffer_updated

    def counted(inlet: Inlet, nbytes: int) -> None:
        nonlocal total
        total += nbytes
        updated(inlet, nbytes)

    with unittest.mock.patch.object(Inlet, "buffer_updated", counted):
        yield lambda: total


def changed(folder: Path | None) -> bool:
    """One of two sources with equal listings is another file from the middle on, openly or secretly."""
    good = True
    with bench(folder, 200 * MB, files=2) as here:
        for title, etag in (("with another ETag", ""), ("with the same ETag", "&etag=file-0")):
            here.clear()
            here.count()
            turncoat = f"/0/file?rate={15 * MB}&cut={8 * MB}&after={100 * MB}&then=1{etag}"
            # The second source is slow when it is tried, so that the first one is taken.
            _own_seconds(here, [turncoat, f"/0/other?rate={8 * MB}"], connections=4)
            sent_bytes, _ = here.count()
            again = sent_bytes / here.size_bytes - 1
            print(f"changed in the middle {title}: right, {again:.1%} fetched again")
            good &= again <= (0.05 if not etag else 1.1)
    return good


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["throughput", "kills", "cuts", "changed"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    match asked.what:
        case "throughput":
            good = throughput(asked.folder, asked.rounds)
        case "kills":
            good = kills(asked.folder)
        case "cuts":
            good = cuts(asked.folder)
        case _:
            good = changed(asked.folder)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
