"""Whether other programs were working while something was measured."""

from __future__ import annotations

import psutil

from app.cli.bench.figures import Remark

# More than this much of one core spent by others makes a figure doubtful.
DISTURBING_CORES = 0.15
_LOOK_SECONDS = 0.4


class ForeignLoad:
    """Looks at the whole computer between rounds, when nothing of ours is at work."""

    def __init__(self) -> None:
        self.samples: list[float] = []

    def look(self) -> None:
        """Take one sample; takes 0.4 s."""
        busy_percent = psutil.cpu_percent(interval=_LOOK_SECONDS)
        self.samples.append(round(busy_percent / 100 * (psutil.cpu_count() or 1), 2))

    def remarks(self) -> tuple[Remark, ...]:
        """A remark when the computer was not quiet."""
        worst = max(self.samples, default=0.0)
        if worst <= DISTURBING_CORES:
            return ()
        middle = sorted(self.samples)[len(self.samples) // 2]
        return (Remark(name="not_quiet", fields={"median_cores": middle, "most_cores": worst}),)
