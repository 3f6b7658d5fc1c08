"""The machine to plan on: from what was found on this computer, or from what the user asks about. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hardware_probe.gpu_facts import MOST_GPUS, GpuFacts
from hardware_probe.values import Accelerator, Cpu, HardwareProfile, Vendor
from inference.planning.reserves import (
    GIB,
    MIB,
    back_end_bytes,
    device_reserve_bytes,
    host_reserve_bytes,
    idle_device_bytes,
    idle_host_bytes,
)
from inference.planning.speeds import cpu_speed_from_facts
from inference.planning.threads import choose_threads
from inference.planning.values import HOST, Device, DeviceSpeed, Host, Machine

# Less is not worth an advice.
_LEAST_PROGRAM_BYTES = 100 * MIB
_MOST_PROGRAMS = 8
# The desktop itself: nobody can close it to gain memory.
_DESKTOP = frozenset(
    {"dwm.exe", "csrss.exe", "system", "explorer.exe", "xorg", "xwayland", "gnome-shell", "kwin_wayland", "kwin_x11"}
)
# The engine's best back end for a maker's cards; a maker that is not here has none.
_BACK_ENDS: dict[Vendor, str] = {
    "nvidia": "CUDA",
    "amd": "Vulkan",
    "intel": "Vulkan",
    "apple": "MTL",
    "moore_threads": "MUSA",
    "hygon": "ROCm",
    "huawei": "CANN",
}
# What ggml uses on every M chip.
_APPLE_INSTRUCTIONS = ("NEON", "ARM_FMA", "FP16_VA", "DOTPROD")
# Metal's recommendedMaxWorkingSetSize is a smaller part of small memories.
_APPLE_SMALL_BYTES, _APPLE_SMALL_SHARE = 32 * GIB, 2 / 3


# ---- this computer --------------------------------------------------------------------------------------------------


def usable_accelerators(profile: HardwareProfile) -> tuple[Accelerator, ...]:
    """Those that a plan may use: the engine has a device for it, and its memory is known.

    Integrated ones only where there is no other, as the engine does it (llama.cpp: src/llama.cpp, choice of devices).
    """
    found: dict[str, Accelerator] = {}
    for accelerator in profile.accelerators:
        known = accelerator.total_bytes and (accelerator.free_bytes is not None or accelerator.shares_host_memory)
        if accelerator.engine_device and known:
            found.setdefault(accelerator.engine_device, accelerator)
    discrete = tuple(one for one in found.values() if one.kind == "discrete")
    return discrete or tuple(found.values())


def machine_from(
    profile: HardwareProfile,
    *,
    cpu_speed: DeviceSpeed,
    device_speeds: Mapping[str, DeviceSpeed],
    disk_bytes_per_second: float,
    reserves: Mapping[str, int] | None = None,
    freed_bytes: Mapping[str, int] | None = None,
    host_freed_bytes: int = 0,
    processes: Sequence[tuple[str, int]] = (),
    own_pids: frozenset[int] = frozenset(),
    windows: bool = False,
) -> Machine:
    """This computer as it is now, devices with the fastest memory first.

    device_speeds: by the engine's device name, one for each of `usable_accelerators` (KeyError else).
    reserves: by device name, what its back end was seen to take for itself, in place of a first guess.
    freed_bytes, host_freed_bytes: what will be unloaded for the new model; freed memory of a device that shares the
    host's is freed on the host too, and is not in host_freed_bytes.
    processes: (name, bytes) of other programs in main memory. own_pids: this application's, which nobody shall close.
    windows: a full card with a display spills into main memory there.
    """
    reserves, freed = reserves or {}, freed_bytes or {}
    accelerators = usable_accelerators(profile)
    shared_freed = sum(freed.get(one.engine_device or "", 0) for one in accelerators if one.shares_host_memory)
    host = _host(profile, cpu_speed, host_freed_bytes + shared_freed, disk_bytes_per_second)
    devices = [_device(one, host, device_speeds, reserves, freed, windows) for one in accelerators]
    return Machine(
        host=host, devices=_best_first(devices), other_programs=_other_programs(profile, processes, own_pids)
    )


def _host(profile: HardwareProfile, speed: DeviceSpeed, freed_bytes: int, disk_bytes_per_second: float) -> Host:
    memory, threads = profile.memory, choose_threads(profile.cpu)
    total = 0 if memory is None else memory.total_bytes
    free = 0 if memory is None else min(total, memory.available_bytes + freed_bytes)
    return Host(
        name=HOST if profile.cpu is None else profile.cpu.name,
        total_bytes=total,
        free_bytes=free,
        reserve_bytes=host_reserve_bytes(total, limited_by_group=memory is not None and memory.limited_by_group),
        decode_threads=threads.decode,
        batch_threads=threads.batch,
        threads_reason=threads.reason,
        repack=True,
        speed=speed,
        disk_bytes_per_second=disk_bytes_per_second,
    )


def _device(
    accelerator: Accelerator,
    host: Host,
    speeds: Mapping[str, DeviceSpeed],
    reserves: Mapping[str, int],
    freed: Mapping[str, int],
    windows: bool,
) -> Device:
    name, total = accelerator.engine_device or "", accelerator.total_bytes or 0
    free = min(total, (total if accelerator.free_bytes is None else accelerator.free_bytes) + freed.get(name, 0))
    learned = reserves.get(name)
    if accelerator.shares_host_memory:
        free = min(free, host.free_bytes)
        reserve = _shared_reserve(free, host, back_end_bytes(name) if learned is None else learned)
    else:
        display = accelerator.display_attached is not False
        reserve = device_reserve_bytes(total, name=name, display=display, windows=windows, learned_bytes=learned)
    return Device(
        name=name,
        description=accelerator.name,
        kind=accelerator.kind,
        total_bytes=total,
        free_bytes=free,
        reserve_bytes=reserve,
        shares_host_memory=accelerator.shares_host_memory,
        speed=speeds[name],
    )


def _shared_reserve(free_bytes: int, host: Host, back_end: int) -> int:
    """What the host keeps for others is kept from the device too: its budget is never larger than the host's."""
    return max(back_end, free_bytes - max(0, host.budget_bytes - back_end))


def _best_first(devices: Sequence[Device]) -> tuple[Device, ...]:
    # Equal ones keep their order; the engine numbers them so.
    return tuple(sorted(devices, key=lambda one: (-one.speed.read_bytes_per_second[""], -one.budget_bytes)))


def _other_programs(
    profile: HardwareProfile, processes: Sequence[tuple[str, int]], own_pids: frozenset[int]
) -> tuple[tuple[str, int], ...]:
    """By name; of a program that holds memory of several kinds the largest one, for a plan lacks memory of one kind."""
    held: list[dict[str, int]] = [{}]
    for name, used in processes:
        held[0][name] = held[0].get(name, 0) + used
    for accelerator in profile.accelerators:
        held.append({})
        for user in accelerator.users:
            if user.used_bytes and user.pid not in own_pids:
                held[-1][user.name] = held[-1].get(user.name, 0) + user.used_bytes
    names = {name for kind in held for name in kind if name and name.lower() not in _DESKTOP}
    largest = ((name, max(kind.get(name, 0) for kind in held)) for name in names)
    worth = sorted((one for one in largest if one[1] >= _LEAST_PROGRAM_BYTES), key=lambda one: (-one[1], one[0]))
    return tuple(worth[:_MOST_PROGRAMS])


# ---- a computer that is asked about ---------------------------------------------------------------------------------


def has_back_end(facts: GpuFacts) -> bool:
    """Whether the engine can compute on such a card at all; `what_if` leaves out those for which it cannot."""
    return facts.vendor in _BACK_ENDS


def what_if(
    base: Machine,
    *,
    speed_of: Callable[[GpuFacts, str], DeviceSpeed],
    gpus: Sequence[GpuFacts] | None = None,
    ram_bytes: int | None = None,
    windows: bool = False,
) -> Machine:
    """`base` with other cards or other main memory, and nothing running on it but its system.

    gpus: in place of all of base's devices, one for each card ("2x" is two), at most MOST_GPUS processors; () for none,
    None to keep those that are there. Memory that a card shares is main memory: "M2 Max 64GB" sets it, ram_bytes does
    where that does not say. Beside a card with memory of its own, one that shares the host's is not used.
    A chip that is processor and graphics in one (Apple's) brings its processor, else it is base's.
    speed_of: from facts of one processor and its device's name (`speeds.gpu_speed`).
    """
    chips = (
        () if gpus is None else tuple(_chip(facts) for facts in gpus if has_back_end(facts) for _ in range(facts.chips))
    )
    said = (facts.memory_bytes for facts in chips if facts.shares_host_memory and facts.memory_bytes)
    total = next(said, None) or ram_bytes or base.host.total_bytes
    processor = next((found for facts in chips if (found := _processor(facts)) is not None), None)
    host = replace(
        base.host if processor is None else _other_processor(base.host, processor),
        total_bytes=total,
        free_bytes=idle_host_bytes(total),
        reserve_bytes=host_reserve_bytes(total, limited_by_group=False),
    )
    if gpus is None:
        devices = [_idle(device, host, windows, first=not index) for index, device in enumerate(base.devices)]
    else:
        own = tuple(facts for facts in chips if not facts.shares_host_memory)
        devices = _imagined((own or chips)[:MOST_GPUS], host, speed_of, windows)
    return Machine(host=host, devices=_best_first(devices), hypothetical=True)


def _processor(facts: GpuFacts) -> Cpu | None:
    if facts.processor_cores is None:
        return None
    performance, efficiency = facts.processor_cores
    cores = performance + efficiency
    return Cpu(
        name=facts.name,
        physical_cores=cores,
        logical_cores=cores,
        usable_cores=cores,
        usable_threads=cores,
        quota_cores=None,
        performance_cores=performance,
        efficiency_cores=efficiency,
        instruction_sets=_APPLE_INSTRUCTIONS,
    )


def _other_processor(host: Host, cpu: Cpu) -> Host:
    threads = choose_threads(cpu)
    return replace(
        host,
        name=cpu.name,
        decode_threads=threads.decode,
        batch_threads=threads.batch,
        threads_reason=threads.reason,
        speed=cpu_speed_from_facts(cpu),
    )


def _chip(facts: GpuFacts) -> GpuFacts:
    """One of the processors of a card."""
    if facts.chips == 1:
        return facts
    return replace(
        facts,
        memory_bytes=None if facts.memory_bytes is None else facts.memory_bytes // facts.chips,
        memory_bytes_per_second=facts.memory_bytes_per_second / facts.chips,
        fp16_flops_per_second=facts.fp16_flops_per_second / facts.chips,
        fp32_flops_per_second=None
        if facts.fp32_flops_per_second is None
        else facts.fp32_flops_per_second / facts.chips,
        chips=1,
    )


def _imagined(
    chips: Sequence[GpuFacts], host: Host, speed_of: Callable[[GpuFacts, str], DeviceSpeed], windows: bool
) -> list[Device]:
    numbers: dict[str, int] = {}
    devices: list[Device] = []
    for facts in chips:
        back_end = _BACK_ENDS[facts.vendor]
        number = numbers[back_end] = numbers.get(back_end, -1) + 1
        name = f"{back_end}{number}"
        device = Device(
            name=name,
            description=facts.name,
            kind=facts.kind,
            total_bytes=_total_bytes(facts, host),
            free_bytes=0,
            reserve_bytes=0,
            shares_host_memory=facts.shares_host_memory,
            speed=speed_of(facts, name),
        )
        devices.append(_idle(device, host, windows, first=not devices))
    return devices


def _total_bytes(facts: GpuFacts, host: Host) -> int:
    if not facts.shares_host_memory:
        return facts.memory_bytes or 0
    share = facts.host_share
    if facts.vendor == "apple" and host.total_bytes <= _APPLE_SMALL_BYTES:
        share = _APPLE_SMALL_SHARE
    return int(host.total_bytes * share)


def _idle(device: Device, host: Host, windows: bool, *, first: bool) -> Device:
    """The device with nothing on it but, if it is the first, the desktop."""
    if device.shares_host_memory:
        total = min(device.total_bytes, host.total_bytes)
        free = min(total, host.free_bytes)
        return replace(
            device,
            total_bytes=total,
            free_bytes=free,
            reserve_bytes=_shared_reserve(free, host, back_end_bytes(device.name)),
        )
    return replace(
        device,
        free_bytes=idle_device_bytes(device.total_bytes),
        reserve_bytes=device_reserve_bytes(device.total_bytes, name=device.name, display=first, windows=windows),
    )
