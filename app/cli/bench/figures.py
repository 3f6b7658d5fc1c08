"""What a part of the benchmark found: figures with their spread and goal, and remarks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

Unit = Literal["seconds", "milliseconds", "tokens_per_second", "bytes", "ratio", "percent", "count", "cores"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A limit that the median has to keep."""

    limit: float
    kind: Literal["at_most", "at_least"]

    def met_by(self, value: float) -> bool:
        """Whether the value is on the right side of the limit, which itself is allowed."""
        return value <= self.limit if self.kind == "at_most" else value >= self.limit


def at_most(limit: float) -> Goal:
    """A goal that larger figures miss."""
    return Goal(limit=limit, kind="at_most")


def at_least(limit: float) -> Goal:
    """A goal that smaller figures miss."""
    return Goal(limit=limit, kind="at_least")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured quantity, a value per round. `name` is a key of the table `figure` in resources/texts/bench.toml."""

    name: str
    unit: Unit
    values: tuple[float, ...]
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def lowest(self) -> float:
        return min(self.values)

    @property
    def highest(self) -> float:
        return max(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median meets the goal; None without one."""
        return None if self.goal is None else self.goal.met_by(self.median)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that has to be known beside the figures. `name` is a key of the table `remark` of the texts."""

    name: str
    fields: dict[str, str | int | float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one part. foreign_cores: what other programs kept busy between the rounds, one sample each.

    setting: what was compared how (threads, context …), for the JSON output.
    """

    part: str
    figures: tuple[Figure, ...]
    remarks: tuple[Remark, ...] = ()
    foreign_cores: tuple[float, ...] = ()
    setting: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the derived numbers written out."""
        return {
            "part": self.part,
            "setting": self.setting or {},
            "figures": [
                {
                    **asdict(figure),
                    "median": figure.median,
                    "min": figure.lowest,
                    "max": figure.highest,
                    "met": figure.met,
                }
                for figure in self.figures
            ],
            "remarks": [{"name": remark.name, **remark.fields} for remark in self.remarks],
            "foreign_cores": list(self.foreign_cores),
        }


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    """Round by round, so that a slow phase of the machine hits both sides of a quotient."""
    return tuple(one / other for one, other in zip(ours, theirs, strict=True))
