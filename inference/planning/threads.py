"""How many threads compute, from the shape of the processor alone; calibration may know better. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hardware_probe.values import Cpu

# With fewer threads than this one core cannot ask for as much as memory could deliver.
_LEAST_ON_HYBRID = 4
# One token at a time is bound by memory, which so many cores use up on any machine; each further thread only makes the
# thousand barriers of a token longer.
_MOST_FOR_DECODE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """decode: for one token at a time. batch: for many. reason: key of plan.toml."""

    decode: int
    batch: int
    reason: str


def choose_threads(cpu: Cpu | None) -> Threads:
    """One core stays free: threads wait for each other spinning, so a busy neighbour on one core stalls them all.

    On a processor with efficiency cores the performance cores compute; where there are hardly any of these (two in many
    laptops), efficiency cores help up to four threads. A quota of processor time is used up, but not exceeded: who
    exceeds it is stopped for the rest of each period.
    """
    if cpu is None:
        return Threads(decode=1, batch=1, reason="one_core_free")
    performance = max(1, cpu.performance_cores or cpu.usable_cores)
    every = max(performance, performance + cpu.efficiency_cores)
    decode, reason = max(1, performance - 1), "one_core_free"
    batch = performance
    if cpu.efficiency_cores:
        few = max(1, min(_LEAST_ON_HYBRID, every - 1))
        decode, batch, reason = max(decode, few), max(batch, few), "performance_cores"
    if decode > _MOST_FOR_DECODE:
        decode, reason = _MOST_FOR_DECODE, "memory_saturated"
    granted = every if cpu.quota_cores is None else max(1, int(cpu.quota_cores))
    if granted < batch:
        batch = granted
        if granted <= decode:
            decode, reason = granted, "processor_quota"
    return Threads(decode=decode, batch=batch, reason=reason)
