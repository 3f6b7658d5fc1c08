"""Reads from an engine's own lines that memory ran out, whose memory, and how much was asked for. Pure.

The patterns are llama.cpp's: src/llama-model.cpp, llama-context.cpp, llama-kv-cache.cpp, ggml-alloc.c, ggml.c, and its
CUDA, Vulkan, Metal, SYCL and OpenCL back ends. What fails without harm (pinned memory, a reorder buffer that is left
out) is not a shortage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A failed allocation. device: "CPU" or a device's name; it and needed_bytes: None where the lines do not tell."""

    device: str | None
    needed_bytes: int | None
    line: str


# The engine's own name for the processor and its memory.
_HOST = "CPU"
_NO_MEMORY = re.compile(
    r"out of memory|failed to allocate|unable to allocate|can't allocate|[cC]annot allocate memory|bad_alloc"
    r"|insufficient memory|OutOfDeviceMemory|OutOfHostMemory|OUT_OF_RESOURCES|MemoryError"
    # What CPython says when it has no memory left even for a MemoryError.
    r"|error return without exception set"
    r"|[mM]emory allocation .*failed|Thread creation failed|failed to map segment",
)
_HARMLESS = re.compile(r"pinned memory|skipping reorder|falling back|init_barrier|host buffer for async uploads")
# "failed to allocate CUDA0 buffer of size 123", "unable to allocate CUDA0 buffer"
_NAMED_BUFFER = re.compile(r"(?:failed|unable) to allocate (?P<buffer>\S+) buffer(?: of size (?P<bytes>\d+))?")
_SIZES: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"(?:allocate|allocating|size =|of size)\s+([\d.]+) M(?:i)?B"), 1024**2),
    (re.compile(r"(?:of|allocate) (\d+) [bB]ytes"), 1),
    (re.compile(r"of size (\d+)"), 1),
)


def tells_shortage(line: str) -> bool:
    """Whether the line says that memory ran out."""
    return bool(_NO_MEMORY.search(line)) and not _HARMLESS.search(line)


def find_shortage(lines: Iterable[str]) -> Shortage | None:
    """The shortage that these log lines tell of, oldest line first; None when they tell of none.

    One failure leaves several lines; the most telling gives each fact.
    """
    # A copy first: any thread may be adding to a log.
    telling = [line.strip() for line in list(lines) if tells_shortage(line)]
    if not telling:
        return None
    devices = [device for line in telling if (device := _device(line)) is not None]
    sizes = [size for line in telling if (size := _needed_bytes(line)) is not None]
    return Shortage(device=devices[0] if devices else None, needed_bytes=sizes[-1] if sizes else None, line=telling[0])


def with_shortage(last_words: bytes, lines: Iterable[str]) -> bytes:
    """The text of an abort, with the shortage that stands in the log before it, if any: GPU back ends abort with no
    more than "CUDA error"."""
    shortage = find_shortage(lines)
    return last_words if shortage is None else last_words + b": " + shortage.line.encode()


def _device(line: str) -> str | None:
    named = _NAMED_BUFFER.search(line)
    if named and named["buffer"] not in ("output", "compute", "HBM", "Metal"):
        return _device_of_buffer(named["buffer"])
    # std::bad_alloc is the C++ heap's.
    if (
        "ggml_aligned_malloc" in line
        or "bad_alloc" in line
        or "cpu_buffer_type" in line
        or "output buffer" in line
        or "on host" in line
    ):
        return _HOST
    return None


def _device_of_buffer(buffer_type: str) -> str:
    """ "CPU", "CPU_REPACK", "CUDA_Host" lie in main memory; "CUDA0", "Vulkan1", "CUDA0_Split" are a device's."""
    if buffer_type.startswith("CPU") or buffer_type.endswith("_Host") or buffer_type == "AMX":
        return _HOST
    return buffer_type.partition("_")[0]


def _needed_bytes(line: str) -> int | None:
    for pattern, unit in _SIZES:
        if found := pattern.search(line):
            return int(float(found[1]) * unit)
    return None
