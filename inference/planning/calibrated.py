"""What a calibration found out about the processor, and its form on disk."""

from __future__ import annotations

import math
from dataclasses import dataclass

import msgspec

from inference.planning.values import DeviceSpeed

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadTiming:
    """Seconds of one decoded token and of one token of a batch of the toy model, with so many threads."""

    threads: int
    repack: bool
    decode_seconds: float
    batch_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Measured with the engine's own kernels. Valid for one processor and one version of the engine.

    speed: for decode_threads and batch_threads. repack: re-ordered weights pay. contended: other programs computed
    meanwhile, so all figures may be too low. timings: what the choice of threads and of repack was made from.
    """

    cpu_name: str
    engine: str
    decode_threads: int
    batch_threads: int
    repack: bool
    contended: bool
    seconds: float
    speed: DeviceSpeed
    timings: tuple[ThreadTiming, ...] = ()


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    calibration: Calibration


def to_json(calibration: Calibration) -> str:
    """As it is written to disk."""
    return msgspec.json.encode(_File(version=_VERSION, calibration=calibration)).decode()


def from_json(text: str, *, cpu_name: str, engine: str) -> Calibration | None:
    """None when it is damaged, of another version of this file, or of another processor or engine."""
    try:
        file = msgspec.json.decode(text, type=_File)
    except (msgspec.DecodeError, UnicodeError):
        return None
    found = file.calibration
    if file.version != _VERSION or (found.cpu_name, found.engine) != (cpu_name, engine) or not _sound(found):
        return None
    return found


def _sound(calibration: Calibration) -> bool:
    speed = calibration.speed
    tables = (speed.read_bytes_per_second, speed.flops_per_second, speed.kv_read_bytes_per_second)
    figures = [figure for table in tables for figure in table.values()]
    return (
        all("" in table for table in tables)
        and all(math.isfinite(figure) and figure > 0 for figure in figures)
        and 0 <= speed.node_seconds < 1
        and 0 < speed.spread <= 1
        and min(calibration.decode_threads, calibration.batch_threads) >= 1
    )
