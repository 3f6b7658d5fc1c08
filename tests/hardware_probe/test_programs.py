from __future__ import annotations

import os

from hardware_probe.programs import own_pids, read_programs, sum_by_name


def test_processes_of_one_program_are_counted_together() -> None:
    assert sum_by_name([("b", 1), ("a", 2), ("b", 3), ("c", 2)]) == (("b", 4), ("a", 2), ("c", 2))


def test_this_process_and_its_parents_are_its_own() -> None:
    assert {os.getpid(), os.getppid()} <= own_pids()


def test_what_is_left_out_is_left_out() -> None:
    ballast = bytearray(60_000_000)
    everything = dict(read_programs(frozenset()))
    rest = dict(read_programs(own_pids()))
    assert sum(rest.values()) <= sum(everything.values()) - len(ballast) // 2
