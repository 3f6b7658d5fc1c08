"""From what was probed to what faces are shown. Pure."""

from __future__ import annotations

from app.plan_values import AcceleratorView, HardwareIssue, HardwareView, LiveAcceleratorView, LiveView
from hardware_probe.monitor import LiveFigures
from hardware_probe.values import Accelerator, HardwareProfile


def hardware_view(profile: HardwareProfile, *, calibrated_at: float | None) -> HardwareView:
    """Everything about the computer, in the faces' words."""
    cpu, memory, disk = profile.cpu, profile.memory, profile.disk
    return HardwareView(
        cpu_name=cpu.name if cpu else "",
        physical_cores=cpu.physical_cores if cpu else 0,
        performance_cores=cpu.performance_cores if cpu else 0,
        efficiency_cores=cpu.efficiency_cores if cpu else 0,
        usable_cores=cpu.usable_cores if cpu else 0,
        quota_cores=cpu.quota_cores if cpu else None,
        instruction_sets=cpu.instruction_sets if cpu else (),
        numa_nodes=cpu.numa_nodes if cpu else 1,
        memory_total_bytes=memory.total_bytes if memory else 0,
        memory_available_bytes=memory.available_bytes if memory else 0,
        memory_limited_by_group=memory.limited_by_group if memory else False,
        disk_folder=disk.folder if disk else "",
        disk_kind=disk.kind if disk else "unknown",
        disk_free_bytes=disk.free_bytes if disk else 0,
        disk_total_bytes=disk.total_bytes if disk else 0,
        accelerators=tuple(map(_accelerator, profile.accelerators)),
        issues=tuple(
            HardwareIssue(part=issue.part, detail=issue.detail, expected=issue.expected, advice=issue.advice)
            for issue in profile.issues
        ),
        calibrated_at=calibrated_at,
    )


def live_view(figures: LiveFigures, profile: HardwareProfile) -> LiveView:
    """The figures of this moment; accelerators in the profile's order."""
    totals = [accelerator.total_bytes for accelerator in profile.accelerators]
    return LiveView(
        memory_available_bytes=figures.memory.available_bytes,
        memory_total_bytes=figures.memory.total_bytes,
        cpu_load=figures.cpu_load,
        accelerators=tuple(
            LiveAcceleratorView(name=live.name, free_bytes=live.free_bytes, total_bytes=total)
            for live, total in zip(figures.accelerators, totals, strict=True)
        ),
    )


def _accelerator(accelerator: Accelerator) -> AcceleratorView:
    users = sorted(accelerator.users, key=lambda user: user.used_bytes or 0, reverse=True)
    return AcceleratorView(
        name=accelerator.name,
        vendor=accelerator.vendor,
        kind=accelerator.kind,
        total_bytes=accelerator.total_bytes,
        free_bytes=accelerator.free_bytes,
        shares_host_memory=accelerator.shares_host_memory,
        usable=accelerator.engine_device is not None,
        driver=accelerator.driver,
        driver_too_old=accelerator.driver_too_old,
        display_attached=accelerator.display_attached,
        users=tuple((user.name, user.used_bytes) for user in users),
    )
