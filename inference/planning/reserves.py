"""How much free memory a plan must leave alone, and how much is free on a computer that nobody uses. Pure."""

from __future__ import annotations

MIB = 1024**2
GIB = 1024**3

# A desktop's programs grow while a model is loaded, a browser by hundreds of megabytes, and no forecast is perfect:
# 1.5 GiB or 8 %. Machines below 8 GiB have fewer programs open and would have nothing left to plan with: a fixed share,
# which meets the 1.5 GiB at 8 GiB (4 GiB: 768 MiB, 2 GiB: 384 MiB).
_HOST_RESERVE_BYTES, _HOST_RESERVE_SHARE = 1536 * MIB, 0.08
_SMALL_HOST_SHARE = 3 / 16
# A control group holds this program alone: nobody else grows in it, and what it holds already counts as used. What is
# left covers the forecast's own error (3 % of the whole process) and the kernel's page tables and socket buffers;
# passing the limit is death, not swapping, hence twice that.
_GROUP_RESERVE_BYTES, _GROUP_RESERVE_SHARE = 128 * MIB, 1 / 16

_DEVICE_RESERVE_BYTES, _DEVICE_RESERVE_SHARE = 256 * MIB, 0.03
# With a display the desktop's own share of the memory changes with every window. On Windows a full card does not fail:
# it spills into main memory and becomes ten times slower without a word.
_DISPLAY_RESERVE_BYTES, _WINDOWS_DISPLAY_RESERVE_BYTES = 400 * MIB, 700 * MIB
# What a back end takes for itself when it starts, before any buffer: context, kernels, first pools. A first guess.
_BACK_END_BYTES = {
    "CUDA": 350 * MIB,
    "ROCm": 350 * MIB,
    "MUSA": 350 * MIB,
    "CANN": 512 * MIB,
    "SYCL": 256 * MIB,
    "Vulkan": 128 * MIB,
    "MTL": 64 * MIB,
    "Metal": 64 * MIB,
}
_UNKNOWN_BACK_END_BYTES = 350 * MIB

# An operating system with its desktop and nothing else: 1 GiB at least, 15 % of small machines, never more than 3 GiB.
_SYSTEM_LEAST_BYTES, _SYSTEM_SHARE, _SYSTEM_MOST_BYTES = GIB, 0.15, 3 * GIB
# What a driver keeps of an idle card: 300 to 500 MiB of 24 GiB, as engines' logs show.
_DRIVER_LEAST_BYTES, _DRIVER_SHARE = 256 * MIB, 0.02


def host_reserve_bytes(total_bytes: int, *, limited_by_group: bool) -> int:
    """Of the host's free memory. limited_by_group: total_bytes is a control group's limit, not the machine's memory."""
    machine = max(
        min(_HOST_RESERVE_BYTES, int(total_bytes * _SMALL_HOST_SHARE)), int(total_bytes * _HOST_RESERVE_SHARE)
    )
    if not limited_by_group:
        return machine
    return min(machine, max(_GROUP_RESERVE_BYTES, int(total_bytes * _GROUP_RESERVE_SHARE)))


def device_reserve_bytes(
    total_bytes: int, *, name: str, display: bool, windows: bool, learned_bytes: int | None = None
) -> int:
    """Of the free memory of a device with memory of its own.

    name: the engine's, which tells the back end. display: a desktop is (or may be) shown by it. learned_bytes: what the
    back end was seen to take for itself on this device, in place of the first guess.
    """
    floor = _DEVICE_RESERVE_BYTES
    if display:
        floor = _WINDOWS_DISPLAY_RESERVE_BYTES if windows else _DISPLAY_RESERVE_BYTES
    own = back_end_bytes(name) if learned_bytes is None else learned_bytes
    return max(floor, int(total_bytes * _DEVICE_RESERVE_SHARE)) + own


def back_end_bytes(name: str) -> int:
    """What the back end of a device ("CUDA0") takes for itself, a first guess."""
    return _BACK_END_BYTES.get(name.rstrip("0123456789"), _UNKNOWN_BACK_END_BYTES)


def idle_host_bytes(total_bytes: int) -> int:
    """Free on a computer on which nothing runs but its system."""
    system = min(_SYSTEM_MOST_BYTES, max(_SYSTEM_LEAST_BYTES, int(total_bytes * _SYSTEM_SHARE)))
    return max(0, total_bytes - system)


def idle_device_bytes(total_bytes: int) -> int:
    """Free on a card that nobody uses."""
    return max(0, total_bytes - max(_DRIVER_LEAST_BYTES, int(total_bytes * _DRIVER_SHARE)))
