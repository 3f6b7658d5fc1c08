"""Fetching a starter model: from the wish to the whole, checked file in the models folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

import httpx

from models_catalog.errors import ContentWrong, DiskTooSmall, FetchCancelled, NoSourceWorked
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import WholeFile, ZippedPieces
from models_catalog.sources.diagnosis import problems_of
from models_catalog.sources.faults import SourceFailed, SourceFault, SourceUnfit
from models_catalog.sources.locate import locate, source_name
from models_catalog.starter import SourceEntry, Starter
from models_catalog.transfer.http_range import open_client
from models_catalog.transfer.journal import Part, disk_errors, free_disk_bytes
from models_catalog.transfer.patience import Patience
from models_catalog.transfer.progress import FetchProgress, ProgressBoard
from models_catalog.transfer.race import Race, Runner, try_source
from models_catalog.transfer.threads import in_thread, sha256_of
from models_catalog.transfer.watched import run_watched
from models_catalog.transfer.whole_file import pull_whole_file
from models_catalog.transfer.zipped_pieces import pull_zipped_pieces


def fetch(
    starter: Starter,
    models_folder: Path,
    *,
    progress: Callable[[FetchProgress], None] = lambda _: None,
    cancelled: threading.Event | Callable[[], bool] = lambda: False,
    sources: Sequence[SourceEntry] | None = None,
    addresses: Addresses | None = None,
    patience: Patience | None = None,
    free_bytes: Callable[[Path], int] = free_disk_bytes,
) -> Path:
    """The path of the whole file, its hash checked; fetched from the fastest source unless it is there already.

    Blocks; call it from a thread without a running event loop. `progress` is called in that thread a few times a
    second, `cancelled` is asked 20 times a second. What arrived is kept whatever happens; the next call goes on from
    there. sources: None for all of the starter's. Raises the leaves of FetchFailed, or FetchCancelled.
    """
    patience = patience or Patience()
    is_cancelled = cancelled.is_set if isinstance(cancelled, threading.Event) else cancelled
    part = Part(starter.path_in(models_folder), sha256=starter.sha256, size_bytes=starter.size_bytes, patience=patience)
    try:
        board = ProgressBoard(progress, lambda: part.extents, starter.size_bytes)
        job = _Job(
            starter=starter,
            entries=tuple(starter.sources if sources is None else sources),
            part=part,
            board=board,
            addresses=addresses or Addresses.from_environment(os.environ),
            patience=patience,
            free_bytes=free_bytes,
            mixing_is_fine=True,
            resumed=part.received_bytes > 0,
        )

        def tick() -> None:
            board.report()
            if is_cancelled():
                raise FetchCancelled(file=starter.file)

        run_watched(_fetch(job), tick)
    finally:
        part.close()
    return part.target


@dataclass(kw_only=True)
class _Job:
    """One download: what is wanted, the parts that work on it, and what became of each source."""

    starter: Starter
    entries: tuple[SourceEntry, ...]
    part: Part
    board: ProgressBoard
    addresses: Addresses
    patience: Patience
    free_bytes: Callable[[Path], int]
    mixing_is_fine: bool
    resumed: bool
    failed: dict[str, SourceFault] = field(default_factory=dict)
    unfit: dict[str, SourceFault] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)

    def note(self, name: str, fault: SourceFault) -> None:
        """Remembers what is wrong with a source."""
        (self.unfit if isinstance(fault, SourceUnfit) else self.failed)[name] = fault

    def usable(self) -> dict[str, SourceEntry]:
        """The sources still worth asking, by name."""
        return {source_name(entry): entry for entry in self.entries if source_name(entry) not in self.unfit}

    def failure(self) -> ContentWrong | NoSourceWorked:
        """Why there is nothing more to try."""
        if self.wrong:
            return ContentWrong(file=self.starter.file, sources=", ".join(sorted(self.wrong)))
        faults = {**self.failed, **self.unfit}
        return NoSourceWorked(file=self.starter.file, problems=problems_of(dict(sorted(faults.items()))))


async def _fetch(job: _Job) -> None:
    part = job.part
    if job.starter.installed_in(part.target.parents[2]) and await _hash_is_right(job, part.target):
        part.abandon()
        return
    _require_room(job)
    async with open_client(job.patience) as client:
        while True:
            await _complete(job, client)
            if await _hash_is_right(job, part.path):
                part.move_into_place()
                return
            _blame(job)


def _require_room(job: _Job) -> None:
    needed_bytes = job.starter.needed_disk_bytes - job.part.received_bytes
    free = job.free_bytes(job.part.folder)
    if free < needed_bytes:
        raise DiskTooSmall(path=str(job.part.target.parent), needed_bytes=needed_bytes, free_bytes=free)


def _blame(job: _Job) -> None:
    """The file came out wrong: nothing of it is kept, and whoever served it alone is not asked again.

    When several served it, or the disk kept a part of it over a restart, nobody can be named: from then on the bytes of
    different sources are not mixed, so that the next wrong file has one author.
    """
    contributors = job.part.contributors
    job.part.discard()
    if job.mixing_is_fine and (job.resumed or len(contributors) > 1):
        job.mixing_is_fine = False
        return
    for name in contributors:
        job.wrong.add(name)
        job.note(name, SourceUnfit("served a file with the wrong hash", kind="other_file"))


async def _hash_is_right(job: _Job, path: Path) -> bool:
    job.board.verifying(0)
    with disk_errors(path.parent):
        return await in_thread(lambda stop: sha256_of(path, stop, job.board.verifying)) == job.starter.sha256


async def _complete(job: _Job, client: httpx.AsyncClient) -> None:
    """Every byte has arrived; raises NoSourceWorked or ContentWrong if that cannot be had."""
    vain_rounds, answered = 0, False
    while job.part.missing():
        if not job.usable():
            raise job.failure()
        before_bytes = job.part.received_bytes
        answered |= await _one_round(job, client)
        if not job.part.missing():
            return
        vain_rounds = 0 if job.part.received_bytes > before_bytes else vain_rounds + 1
        faults = [fault for fault in job.failed.values() if isinstance(fault, SourceFailed)]
        rests = [fault.rest_seconds for fault in faults if 0 < fault.rest_seconds <= job.patience.rest_limit_seconds]
        # Where nobody has ever answered there is no network: waiting would only hide that from the user.
        if vain_rounds >= len(job.patience.rounds_seconds) or not (answered or rests):
            raise job.failure()
        pause_seconds = max(job.patience.rounds_seconds[vain_rounds], min(rests, default=0.0))
        job.board.waiting(pause_seconds)
        await asyncio.sleep(pause_seconds)


async def _one_round(job: _Job, client: httpx.AsyncClient) -> bool:
    """Every usable source is tried until the file is whole or none is left; True if any of them answered."""
    job.board.choosing()
    job.failed.clear()
    answered = False

    def trial_of(entry: SourceEntry) -> Callable[[], Awaitable[Runner]]:
        async def trial() -> Runner:
            source = await locate(job.starter, entry, job.addresses, client, job.patience.index_seconds)
            return await try_source(
                client,
                source,
                wanted=job.part.missing()[0],
                size_bytes=job.starter.size_bytes,
                sha256=job.starter.sha256,
                patience=job.patience,
            )

        return trial

    trials = {name: trial_of(entry) for name, entry in job.usable().items()}
    async with Race(trials, grace_seconds=job.patience.grace_seconds) as race:
        async with contextlib.aclosing(race.runners()) as runners:
            async for runner in runners:
                answered = True
                try:
                    await _pull(job, client, runner)
                    break
                except SourceFault as fault:
                    job.note(runner.source.name, fault)
        for name, reason in race.faults.items():
            job.note(name, reason)
    return answered


async def _pull(job: _Job, client: httpx.AsyncClient, runner: Runner) -> None:
    source = runner.source
    if not job.mixing_is_fine and job.part.contributors - {source.name}:
        job.part.discard()
    job.board.transferring(source.name)
    match source:
        case WholeFile():
            await pull_whole_file(client, source, job.part, sha256=job.starter.sha256, patience=job.patience)
        case ZippedPieces():
            await pull_zipped_pieces(client, source, job.part, job.board, patience=job.patience)
        case _:
            assert_never(source)
