"""One file: fetched from the fastest source at any time, its hash checked, and mended where it came out wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import httpx

from models_catalog.download.archives import ArchiveCrew
from models_catalog.download.choosing import Chooser
from models_catalog.download.crew import Crew, Order, Sink
from models_catalog.download.extents import Extent
from models_catalog.download.keeper import Keeper
from models_catalog.download.part_file import PartFile
from models_catalog.download.parts import Parts
from models_catalog.download.progress import Board
from models_catalog.download.raw_file import Data
from models_catalog.download.speed_cap import SpeedCap
from models_catalog.download.supply import SourceSlow, Supply
from models_catalog.download.threads import in_thread
from models_catalog.errors import ContentWrong, NoSourceWorked
from models_catalog.sources.byte_source import ByteSource, WholeFile, ZippedPieces
from models_catalog.sources.diagnosis import problems_of
from models_catalog.sources.faults import SourceChanged, SourceFault
from models_catalog.transfer.patience import Patience

# Another source's bytes are compared in so many steps: after one with a difference the hash may be right already.
_COMPARED_STEPS = 16
_LEAST_COMPARED_BYTES = 16 * 1024 * 1024


class FileReplaced(Exception):
    """A file without a published hash is another one now: what arrived belongs to the former."""


@dataclass(kw_only=True)
class FileDownload:
    """Use once. supplies: sources that serve the same bytes; of a file without a hash only one."""

    name: str
    part: PartFile
    sha256: str | None
    supplies: Sequence[Supply]
    client: Callable[[Supply], httpx.AsyncClient]
    board: Board
    cap: SpeedCap
    patience: Patience
    _compared: set[str] = field(default_factory=set)
    _chooser: Chooser = field(init=False)

    def __post_init__(self) -> None:
        self._chooser = Chooser(
            self.supplies,
            client=self.client,
            size_bytes=self.part.size_bytes,
            sha256=self.sha256,
            patience=self.patience,
        )

    async def run(self) -> None:
        """The part is whole and right when this returns. Raises leaves of FetchFailed, and FileReplaced."""
        keeper = Keeper(self.part, self.patience)
        await keeper.beside(self._work(keeper))

    async def _work(self, keeper: Keeper) -> None:
        while True:
            await self._complete(Parts(self.part.missing(), least_bytes=self.patience.least_part_bytes), keeper)
            if self.sha256 is None:
                return
            self.board.verifying(0)
            if await keeper.sha256(self.board.verifying) == self.sha256:
                return
            await asyncio.to_thread(self.part.check_blocks)
            await self._mend(keeper)

    # ---- until every byte is there

    async def _complete(self, parts: Parts, sink: Sink, among: Sequence[Supply] | None = None) -> None:
        """Every byte of `parts` went into the sink; raises NoSourceWorked."""
        supplies = self.supplies if among is None else among
        while parts.missing_bytes:
            usable = [one for one in supplies if not one.unfit and not self._has_had_enough(one)]
            answered = any(one.answered for one in self.supplies)
            if not usable or not (answered or any(one.fault is None or self._asked_to_wait(one) for one in usable)):
                # Where nobody has ever answered there is no network: waiting would only hide that.
                raise self._failure()
            now = time.monotonic()
            ready = [one for one in usable if one.rest_until <= now]
            if not ready:
                seconds = min(one.rest_until for one in usable) - now
                self.board.waiting(seconds)
                await asyncio.sleep(seconds)
                continue
            self.board.choosing()
            chosen = await self._chooser.fastest(parts.missing[0], ready)
            if chosen is not None:
                await self._pull(chosen, parts, sink)

    async def _pull(self, supply: Supply, parts: Parts, sink: Sink) -> None:
        async def faster(current: Supply, bytes_per_second: float) -> str | None:
            missing = parts.missing
            return await self._chooser.faster(current, bytes_per_second, missing[0]) if missing else None

        order = Order(
            client=self.client,
            parts=parts,
            sink=sink,
            size_bytes=self.part.size_bytes,
            sha256=self.sha256,
            patience=self.patience,
            cap=self.cap,
            faster=faster,
        )
        try:
            await self._crew(supply, order, await supply.located(self.client(supply), self.patience)).run()
        except SourceSlow:
            pass
        except SourceChanged as fault:
            if self.sha256 is None:
                raise FileReplaced from fault
            supply.etag = None
            supply.failed(fault, self.patience)
        except SourceFault as fault:
            supply.failed(fault, self.patience)

    def _crew(self, supply: Supply, order: Order, source: ByteSource) -> Crew | ArchiveCrew:
        match source:
            case WholeFile():
                crew = Crew(order, supply)
                self.board.transferring(supply.name, lambda: crew.connections)
                return crew
            case ZippedPieces():
                archives = ArchiveCrew(order, supply, source, self.part)
                self.board.transferring(
                    supply.name, lambda: archives.connections, packed_bytes=lambda: archives.packed_bytes
                )
                return archives
            case _:
                assert_never(source)

    def _has_had_enough(self, supply: Supply) -> bool:
        too_long = supply.rest_until - time.monotonic() > self.patience.rest_limit_seconds
        return too_long or supply.failures > len(self.patience.rounds_seconds)

    def _asked_to_wait(self, supply: Supply) -> bool:
        return getattr(supply.fault, "rest_seconds", 0.0) > 0

    def _failure(self) -> NoSourceWorked:
        faults = {one.name: one.fault for one in self.supplies if one.fault is not None}
        return NoSourceWorked(file=self.name, problems=problems_of(dict(sorted(faults.items()))))

    # ---- when the hash is wrong

    async def _mend(self, keeper: Keeper) -> None:
        """What the disk changed is missing again. Else the bytes are compared with what another source says, and
        replaced where that differs, until the hash is right. Raises ContentWrong when nothing is left to compare with.
        """
        with self.part.disk_errors():
            if await in_thread(self.part.drop_changed_blocks):
                return
        self.board.repairing()
        for supply in sorted(self.supplies, key=self._share_of):
            if supply.name in self._compared or supply.unfit:
                continue
            self._compared.add(supply.name)
            if await self._compare(supply, keeper):
                return
        contributors = ", ".join(sorted(self.part.contributors))
        self.part.abandon()
        raise ContentWrong(file=self.name, sources=contributors)

    async def _compare(self, supply: Supply, keeper: Keeper) -> bool:
        """Whether anything was replaced by what this source says."""
        replaced = False
        for ranges in self._steps(supply):
            comparison = Comparison(self.part)
            parts = Parts(ranges, least_bytes=self.patience.least_part_bytes)
            try:
                await self._complete(parts, comparison, [supply])
            except NoSourceWorked:
                return replaced or comparison.changed_to > 0
            replaced |= comparison.changed_to > 0
            # What is wrong up to the end of a step is so beyond it.
            if 0 < comparison.changed_to < ranges[-1][1] and await keeper.sha256(lambda _: None) == self.sha256:
                return True
        return replaced

    def _steps(self, supply: Supply) -> list[list[tuple[int, int]]]:
        """What to compare at once: of archives, each of which is fetched whole, everything."""
        ranges = self._to_compare(supply)
        if not isinstance(supply.source, WholeFile):
            return [ranges] if ranges else []
        step_bytes = max(_LEAST_COMPARED_BYTES, self.part.size_bytes // _COMPARED_STEPS)
        return [
            [(start, min(end, start + step_bytes))] for begin, end in ranges for start in range(begin, end, step_bytes)
        ]

    def _share_of(self, supply: Supply) -> int:
        return sum(extent.end - extent.start for extent in self.part.extents if extent.source == supply.name)

    def _to_compare(self, supply: Supply) -> list[tuple[int, int]]:
        """What others brought; everything when nobody else is there to ask."""
        alone = len([one for one in self.supplies if not one.unfit]) == 1

        def foreign(extent: Extent) -> bool:
            return alone or extent.source != supply.name

        ranges: list[tuple[int, int]] = []
        for extent in filter(foreign, self.part.extents):
            if ranges and ranges[-1][1] == extent.start:
                ranges[-1] = (ranges[-1][0], extent.end)
            else:
                ranges.append((extent.start, extent.end))
        return ranges


class Comparison:
    """A sink that keeps only what differs from what is there. changed_to: where the last difference ended, 0: none."""

    def __init__(self, part: PartFile) -> None:
        self._part = part
        self.changed_to = 0

    def put(self, connection: int, offset: int, data: Data, source: str) -> None:
        """Replaces the bytes there if they are others."""
        if not self._part.holds(offset, data):
            self._part.put(offset, data, source)
            self.changed_to = max(self.changed_to, offset + len(data))

    async def settle(self, connection: int) -> None:
        """Seldom is anything written: nothing to wait for."""
