from __future__ import annotations

from models_catalog.transfer.extents import Extent
from models_catalog.transfer.progress import ProgressBoard, SpeedMeter, Transferring, Verifying, arrived_bytes


def test_speed_is_that_of_the_last_seconds() -> None:
    meter = SpeedMeter(window_seconds=2.0)
    assert meter.sample(0.0, 0) == 0.0
    assert meter.sample(1.0, 100) == 100.0
    for second in range(2, 10):
        speed = meter.sample(float(second), 100 + 10 * (second - 1))
    assert speed == 10.0


def test_bytes_thrown_away_are_no_negative_speed() -> None:
    meter = SpeedMeter()
    meter.sample(0.0, 1000)
    assert meter.sample(1.0, 0) == 0.0
    assert meter.sample(2.0, 50) == 50.0


def test_bytes_in_an_archive_count_once() -> None:
    extents = (Extent(start=0, end=60, source="a"), Extent(start=100, end=130, source="a"))
    assert arrived_bytes(extents, 300, {}) == 90
    assert arrived_bytes(extents, 300, {(100, 200): 80, (200, 300): 5}) == 60 + 80 + 5
    assert arrived_bytes(extents, 300, {(100, 200): 10}) == 90


def test_the_board_reports_changes_at_once_and_the_rest_seldom() -> None:
    values: list[object] = []
    board = ProgressBoard(values.append, lambda: (), 100)
    board.transferring("hf-mirror")
    board.report()
    assert values == [Transferring(received_bytes=0, total_bytes=100, bytes_per_second=0.0, source="hf-mirror")]
    board.verifying(30)
    board.report(at_least_every_seconds=0)
    assert values[-1] == Verifying(received_bytes=0, total_bytes=100, checked_bytes=30)
