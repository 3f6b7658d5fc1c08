"""Computers as the probe describes them, one JSON file of a `HardwareProfile` each: what people really have, in use as
computers are, with a browser open and a desktop shown. Put together from data sheets and from what drivers report of
such parts, not taken from any person's computer."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from hardware_probe.values import HardwareProfile

_FOLDER = Path(__file__).parent


@lru_cache(maxsize=1)
def machines() -> dict[str, HardwareProfile]:
    """By name ("desktop_rtx4060_16gb"), in the order of the names."""
    return {
        path.stem: msgspec.json.decode(path.read_bytes(), type=HardwareProfile)
        for path in sorted(_FOLDER.glob("*.json"))
    }


def is_windows(profile: HardwareProfile) -> bool:
    """The profile itself does not say; the folder of its disk does."""
    return profile.disk is not None and profile.disk.folder[1:2] == ":"
