"""An engine child tells its memory when it has taken it, and then only when it clearly grows."""

from __future__ import annotations

from inference.worker.memory_watch import MemoryWatch


class Memory:
    def __init__(self) -> None:
        self.bytes = 1000
        self.looks = 0

    def __call__(self) -> int:
        self.looks += 1
        return self.bytes


def test_a_full_batch_is_reported_once() -> None:
    memory = Memory()
    watch = MemoryWatch(memory, batch_tokens=64)
    assert watch.after_step(0, 40) is None
    report = watch.after_step(0, 64)
    assert report is not None and (report.private_bytes, report.peak_bytes) == (1000, 1000)
    assert all(watch.after_step(1, 63) is None for _ in range(10))
    assert memory.looks == 1


def test_a_short_prompt_is_reported_with_its_first_token() -> None:
    watch = MemoryWatch(Memory(), batch_tokens=64)
    assert watch.after_step(0, 10) is None
    assert watch.after_step(1, 0) is not None


def test_growth_is_reported_and_small_growth_is_not() -> None:
    memory = Memory()
    watch = MemoryWatch(memory, batch_tokens=64)
    watch.after_step(1, 0)
    memory.bytes = 1040
    assert watch.after_step(1, 30) is None
    memory.bytes = 1100
    report = watch.after_step(1, 40)
    assert report is not None and report.private_bytes == 1100
    memory.bytes = 900
    assert watch.after_step(1, 50) is None
    memory.bytes = 2000
    reports = [report for _ in range(128) if (report := watch.after_step(1, 0)) is not None]
    assert [(report.private_bytes, report.peak_bytes) for report in reports] == [(2000, 2000)]


def test_nothing_is_said_where_nothing_is_known() -> None:
    watch = MemoryWatch(lambda: 0, batch_tokens=64)
    assert watch.after_step(1, 0) is None and watch.after_step(0, 64) is None
