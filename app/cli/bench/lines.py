"""A report in words: one line per figure with its median, spread and goal. Pure."""

from __future__ import annotations

from app.cli.bench.figures import Figure, Report, Unit
from app.values import Language
from resources.wording import text

_MEGABYTE = 1_000_000
_MARKS = {True: "✓", False: "✗", None: " "}


def report_lines(report: Report, language: Language) -> list[str]:
    """Title, figures, remarks."""
    return [
        f"{report.part} · {text(f'bench.part.{report.part}', language)}",
        *(f"  {figure_line(figure, language)}" for figure in report.figures),
        *(f"    {text(f'bench.remark.{one.name}', language, **one.fields)}" for one in report.remarks),
    ]


def figure_line(figure: Figure, language: Language) -> str:
    """For example `✓ First word, warm: 0.41 s (0.39–0.44, 5 rounds), goal ≤ 0.50 s`."""
    label = text(f"bench.figure.{figure.name}", language)
    value = with_unit(figure.median, figure.unit, language)
    spread = ""
    if len(figure.values) > 1:
        spread = text(
            "bench.line.spread",
            language,
            low=number(figure.lowest, figure.unit),
            high=number(figure.highest, figure.unit),
            rounds=len(figure.values),
        )
    goal = ""
    if figure.goal is not None:
        sign = "≤" if figure.goal.kind == "at_most" else "≥"
        goal = text("bench.line.goal", language, sign=sign, limit=with_unit(figure.goal.limit, figure.unit, language))
    return f"{_MARKS[figure.met]} " + text(
        "bench.line.figure", language, label=label, value=value, spread=spread, goal=goal
    )


def with_unit(value: float, unit: Unit, language: Language) -> str:
    """The number and its unit."""
    return text(f"bench.unit.{unit}", language, number=number(value, unit))


def number(value: float, unit: Unit) -> str:
    """The number alone, with as many digits as the unit deserves."""
    if unit == "bytes":
        return f"{value / _MEGABYTE:.1f}"
    if unit == "count":
        return f"{value:.0f}"
    if unit == "ratio":
        return f"{value:.3f}"
    return f"{value:.2f}"
