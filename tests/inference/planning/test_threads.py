"""How many threads a processor's shape suggests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_probe.values import Cpu
from inference.planning.threads import Threads, choose_threads


def cpu(performance: int, efficiency: int = 0, quota: float | None = None) -> Cpu:
    cores = performance + efficiency
    return Cpu(
        name="a processor",
        physical_cores=cores,
        logical_cores=2 * cores,
        usable_cores=cores,
        usable_threads=2 * cores,
        quota_cores=quota,
        performance_cores=performance,
        efficiency_cores=efficiency,
    )


@pytest.mark.parametrize(
    ("processor", "decode", "batch", "reason"),
    [
        (cpu(1), 1, 1, "one_core_free"),
        (cpu(2), 1, 2, "one_core_free"),
        (cpu(8), 7, 8, "one_core_free"),
        (cpu(65), 64, 65, "one_core_free"),
        (cpu(192), 64, 192, "memory_saturated"),
        (cpu(8, 16), 7, 8, "performance_cores"),
        (cpu(4, 4), 4, 4, "performance_cores"),
        (cpu(2, 8), 4, 4, "performance_cores"),
        (cpu(1, 1), 1, 1, "performance_cores"),
        (cpu(64, quota=8.0), 8, 8, "processor_quota"),
        (cpu(8, quota=1.5), 1, 1, "processor_quota"),
        (cpu(8, quota=0.25), 1, 1, "processor_quota"),
        (cpu(2, quota=2.0), 1, 2, "one_core_free"),
        (cpu(4, quota=64.0), 3, 4, "one_core_free"),
        (cpu(2, 8, quota=2.0), 2, 2, "processor_quota"),
    ],
)
def test_shapes(processor: Cpu, decode: int, batch: int, reason: str) -> None:
    assert choose_threads(processor) == Threads(decode=decode, batch=batch, reason=reason)


def test_an_unknown_processor_gets_one_thread() -> None:
    assert choose_threads(None).decode == 1


@given(st.integers(0, 256), st.integers(0, 256), st.none() | st.floats(0.01, 512))
def test_never_more_threads_than_cores_or_quota(performance: int, efficiency: int, quota: float | None) -> None:
    threads = choose_threads(cpu(performance, efficiency, quota))
    assert 1 <= threads.decode <= threads.batch <= max(1, performance + efficiency)
    assert quota is None or threads.batch <= max(1, quota)
