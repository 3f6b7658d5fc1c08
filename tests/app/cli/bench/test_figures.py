"""Statistics of the figures, and how they are shown."""

from __future__ import annotations

import pytest

from app.cli.bench.figures import Figure, Remark, Report, at_least, at_most, ratios
from app.cli.bench.lines import figure_line, report_lines

FIGURE = Figure(name="start_warm", unit="seconds", values=(0.44, 0.39, 0.41), goal=at_most(0.5))


def test_the_median_and_the_spread() -> None:
    assert (FIGURE.median, FIGURE.lowest, FIGURE.highest) == (0.41, 0.39, 0.44)


@pytest.mark.parametrize(
    ("goal", "met"), [(at_most(0.41), True), (at_most(0.4), False), (at_least(0.41), True), (at_least(0.42), False)]
)
def test_the_median_decides_about_the_goal(goal: object, met: bool) -> None:
    assert Figure(name="start_warm", unit="seconds", values=FIGURE.values, goal=goal).met is met  # type: ignore[arg-type]


def test_without_a_goal_nothing_is_missed() -> None:
    assert Figure(name="busy_quiet", unit="tokens_per_second", values=(1.0,)).met is None


def test_ratios_are_taken_round_by_round() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == (2.0, 3.0)


def test_rounds_of_one_side_cannot_be_missing() -> None:
    with pytest.raises(ValueError, match="longer"):
        ratios([1.0], [1.0, 2.0])


def test_a_line_has_median_spread_and_goal() -> None:
    assert figure_line(FIGURE, "en") == (
        "✓ first word of `liangli run`, model loaded: 0.41 s (0.39–0.44, 3 rounds), goal ≤ 0.50 s"
    )
    assert figure_line(FIGURE, "zh") == (
        "✓ liangli run 的第一个字，模型已加载：0.41 秒（0.39–0.44，3 轮），目标 ≤ 0.50 秒"
    )


def test_one_round_has_no_spread() -> None:
    line = figure_line(Figure(name="service_memory", unit="bytes", values=(47_900_000.0,), goal=at_most(40e6)), "en")
    assert line == "✗ memory, just started: 47.9 MB, goal ≤ 40.0 MB"


def test_remarks_stand_below_the_figures() -> None:
    remark = Remark(name="not_quiet", fields={"median_cores": 0.5, "most_cores": 1.2})
    lines = report_lines(Report(part="start", figures=(FIGURE,), remarks=(remark,)), "en")
    assert len(lines) == 3
    assert "at most 1.2" in lines[-1]


def test_the_json_has_every_value_and_the_verdict() -> None:
    (figure,) = Report(part="start", figures=(FIGURE,)).as_json()["figures"]
    assert figure["values"] == (0.44, 0.39, 0.41)
    assert (figure["median"], figure["min"], figure["max"], figure["met"]) == (0.41, 0.39, 0.44, True)
    assert figure["goal"] == {"limit": 0.5, "kind": "at_most"}
