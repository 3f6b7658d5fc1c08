"""When downloads are allowed: hours of the day like "22:30-07:00", by this computer's clock. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*[-–—~]\s*([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """From `start` up to `end`, which may be on the next day; two equal ones mean always."""

    start: time
    end: time

    def contain(self, now: time) -> bool:
        """Whether downloads may run now."""
        if self.start == self.end:
            return True
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end


ALWAYS = Hours(time(), time())


def parse_hours(text: str) -> Hours:
    """ "": always. Raises ValueError for what is no pair of times."""
    if not text.strip():
        return ALWAYS
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    first, second, third, fourth = map(int, match.groups())
    return Hours(time(first, second), time(third, fourth))
