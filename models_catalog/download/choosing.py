"""Which source next: those not measured lately are tried side by side, and the fastest of all is taken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import httpx

from models_catalog.download.supply import Supply
from models_catalog.download.trial import Trial, try_source
from models_catalog.sources.faults import SourceFault
from models_catalog.transfer.patience import Patience

# A measurement is believed for so long.
_FRESH_SECONDS = 300.0
# A source has to be so many times as fast for a change in the middle of a file.
_MUCH_FASTER = 3.0


class Chooser:
    """Knows all sources of one file. client: the one whose proxy a source is reached by."""

    def __init__(
        self,
        supplies: Sequence[Supply],
        *,
        client: Callable[[Supply], httpx.AsyncClient],
        size_bytes: int,
        sha256: str | None,
        patience: Patience,
    ) -> None:
        self.supplies = tuple(supplies)
        self._client, self._patience = client, patience
        self._size_bytes, self._sha256 = size_bytes, sha256

    async def fastest(self, wanted: tuple[int, int], among: Sequence[Supply]) -> Supply | None:
        """The fastest of these that answers; None when none does, each then has its fault."""
        if len(among) == 1 and among[0].fault is None:
            return among[0]
        now = time.monotonic()
        stale = [one for one in among if one.fault or now - one.measured_at > _FRESH_SECONDS or not one.measured_at]
        await self._measure(stale, wanted)
        sound = [one for one in among if one.fault is None and one.measured_bytes_per_second is not None]
        return max(sound, key=lambda one: (not one.whole_only, one.measured_bytes_per_second or 0.0), default=None)

    async def faster(self, current: Supply, bytes_per_second: float, wanted: tuple[int, int]) -> str | None:
        """The name of a source that is three times as fast as this one is now, as a fresh trial says, or None."""
        now = time.monotonic()
        others = [one for one in self.supplies if one is not current and not one.unfit and one.rest_until <= now]
        promising = [
            one
            for one in others
            if one.measured_bytes_per_second is None or one.measured_bytes_per_second > _MUCH_FASTER * bytes_per_second
        ]
        await self._measure(promising, wanted)
        best = max(
            (one for one in promising if one.fault is None and not one.whole_only),
            key=lambda one: one.measured_bytes_per_second or 0.0,
            default=None,
        )
        if best is None or (best.measured_bytes_per_second or 0.0) <= _MUCH_FASTER * bytes_per_second:
            return None
        # What it was thought to be able to is outdated: it is chosen by what it does now.
        current.measured(bytes_per_second)
        return best.name

    async def _measure(self, supplies: Sequence[Supply], wanted: tuple[int, int]) -> None:
        """All are tried at once; when the first has answered, the others have only a little longer."""
        trials = {asyncio.ensure_future(self._trial(one, wanted)): one for one in supplies}
        waiting = set(trials)
        limit_seconds: float | None = None
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, timeout=limit_seconds, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    return
                for task in done:
                    supply = trials[task]
                    try:
                        trial = task.result()
                    except SourceFault as fault:
                        supply.failed(fault, self._patience)
                        continue
                    supply.measured(trial.bytes_per_second)
                    supply.whole_only = not trial.resumable
                    limit_seconds = self._patience.grace_seconds
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _trial(self, supply: Supply, wanted: tuple[int, int]) -> Trial:
        client = self._client(supply)
        return await try_source(
            client,
            await supply.located(client, self._patience),
            wanted=wanted,
            size_bytes=self._size_bytes,
            sha256=self._sha256,
            patience=self._patience,
        )
