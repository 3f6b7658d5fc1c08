"""The planner: model, machine and wish in, the best plan out, with its memory bill, its speed, a verdict and advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from inference.planning.advice import Sibling, advise
from inference.planning.choices import explain
from inference.planning.forecast import Mapped, SpeedModel
from inference.planning.levers import total_context
from inference.planning.oracle import Oracle
from inference.planning.search import Candidate, Search
from inference.planning.shape import Shapes
from inference.planning.values import (
    HOST,
    Bill,
    Companion,
    Limits,
    Machine,
    PlanAnswer,
    Residuals,
    Settings,
    SpeedForecast,
    Wish,
)
from inference.planning.verdict import judge
from inference.values import ALL_ON_CPU, LoadPlan
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.plan_data import model_file_bytes

# Speed is read from a graph of at least this context; attention is scaled down to the depth that is asked about. A
# graph of the whole context would say the same and really take memory in the oracle.
_GRAPH_CONTEXT_TOKENS = 4096
_SPEEDS_KEPT = 2
# The fence is for a runaway: prefixes saved for later, a driver's own mappings and re-ordering stay well below it.
_FENCE_SLACK_BYTES = 2 * 1024**3
_DRIVER_SLACK_BYTES = 8 * 1024**3
_LEAST_DEADLINE_SECONDS = 600.0
# Start of the child, and disks that are slower than they say.
_START_SECONDS, _DISK_PATIENCE = 120.0, 4.0


def make_plan(
    *,
    model_path: str,
    header: GgufHeader,
    machine: Machine,
    wish: Wish,
    oracle: Oracle,
    limits: Limits | None = None,
    residuals: Residuals | None = None,
    companions: Sequence[Companion] = (),
    siblings: Sequence[Sibling] = (),
    figures: ModelFigures | None = None,
) -> PlanAnswer:
    """The plan that answers fastest within the budgets; the same arguments give the same plan.

    header: of the whole model, a real one or plan data. oracle: of this model; its devices are those of `machine`.
    figures: of this header and oracle, where they are kept. companions: what is loaded beside the model.
    What the user fixed is kept, even when it does not fit; the verdict says so then. Raises MeasureFailed when the
    engine refuses the model, or what the user fixed.
    """
    planner = ModelPlanner(
        model_path, header, oracle, limits or Limits(), residuals or Residuals(), figures, companions
    )
    found = planner.plan(wish, machine)
    advice = advise(
        found,
        wish=wish,
        machine=machine,
        replan=planner.plan,
        siblings=siblings,
        weight_bytes=header.weight_bytes,
    )
    return replace(found, advice=advice)


class ModelPlanner:
    """Plans one model for several wishes and machines, without the advice that `make_plan` adds. For one thread."""

    def __init__(
        self,
        model_path: str,
        header: GgufHeader,
        oracle: Oracle,
        limits: Limits,
        residuals: Residuals,
        figures: ModelFigures | None = None,
        companions: Sequence[Companion] = (),
    ) -> None:
        self._model_path, self._header, self._oracle = model_path, header, oracle
        self._limits, self._residuals, self._companions = limits, residuals, companions
        self._figures = figures or ModelFigures(header, oracle)

    def plan(self, wish: Wish, machine: Machine) -> PlanAnswer:
        """Raises MeasureFailed."""
        search = Search(
            header=self._header,
            machine=machine,
            wish=wish,
            oracle=self._oracle,
            limits=self._limits,
            residuals=self._residuals,
            companions=self._companions,
            forecaster=self._figures.speeds_of(machine).forecast,
            shapes=self._figures.shapes,
        )
        best = search.best()
        plan = _load_plan(self._model_path, self._header, machine, wish, self._limits, best)
        return PlanAnswer(
            plan=plan,
            bill=best.bill,
            speed=best.speed,
            verdict=judge(best.bill, plan, machine),
            advice=(),
            limits=self._limits,
        )


class ModelFigures:
    """What stays the same from one plan of a model to the next; who keeps it beside the oracle plans the next wish in a
    third of the time. For one thread."""

    def __init__(self, header: GgufHeader, oracle: Oracle) -> None:
        self._header, self._oracle = header, oracle
        self.shapes = Shapes(header)
        self._speeds: list[_Speeds] = []

    def speeds_of(self, machine: Machine) -> _Speeds:
        """Free memory changes from plan to plan, speeds seldom do."""
        for speeds in self._speeds:
            if speeds.serves(machine):
                return speeds
        self._speeds = [_Speeds(self._header, machine, self._oracle), *self._speeds[: _SPEEDS_KEPT - 1]]
        return self._speeds[0]


class _Speeds:
    """Forecasts from the oracle's graphs, which depend on few of the settings."""

    def __init__(self, header: GgufHeader, machine: Machine, oracle: Oracle) -> None:
        self._header, self._machine, self._oracle = header, machine, oracle
        self._models: dict[Settings, SpeedModel] = {}

    def serves(self, machine: Machine) -> bool:
        """Whether forecasts for this machine are the same."""
        return _figures(machine) == _figures(self._machine)

    def forecast(self, settings: Settings, *, depth_tokens: int, mapped: Mapped | None) -> SpeedForecast:
        """See inference.planning.search.Forecaster."""
        key = Settings(
            context_tokens=max(settings.batch_tokens, total_context(max(depth_tokens, _GRAPH_CONTEXT_TOKENS), 1)),
            sequences=1,
            batch_tokens=settings.batch_tokens,
            outputs_max=1,
            kv_type_k=settings.kv_type_k,
            kv_type_v=settings.kv_type_v,
            flash_attention=settings.flash_attention,
            swa_full=settings.swa_full,
            repack=self._machine.host.repack,
            placement=ALL_ON_CPU,
        )
        if key not in self._models:
            self._models[key] = SpeedModel(
                decode=self._oracle.graph(key, 1),
                prefill=self._oracle.graph(key, key.batch_tokens),
                machine=self._machine,
                layers=self._header.layers or 0,
                width=self._header.embedding_length or 0,
            )
        return self._models[key].forecast(settings, depth_tokens=depth_tokens, mapped=mapped)


def _figures(machine: Machine) -> tuple[object, ...]:
    host = machine.host
    return host.speed, host.disk_bytes_per_second, host.repack, [(one.name, one.speed) for one in machine.devices]


def _load_plan(
    model_path: str, header: GgufHeader, machine: Machine, wish: Wish, limits: Limits, best: Candidate
) -> LoadPlan:
    settings, host = best.settings, machine.host
    return LoadPlan(
        model_path=model_path,
        context_tokens=settings.context_tokens,
        parallel=wish.parallel or 1,
        sequences=settings.sequences,
        batch_tokens=settings.batch_tokens,
        outputs_max=settings.outputs_max,
        decode_threads=wish.decode_threads or host.decode_threads,
        batch_threads=host.batch_threads,
        placement=settings.placement,
        flash_attention=settings.flash_attention,
        kv_type_k=settings.kv_type_k,
        kv_type_v=settings.kv_type_v,
        swa_full=settings.swa_full,
        repack=settings.repack,
        memory_map=best.memory_map,
        memory_limit_bytes=_fence(best.bill),
        load_deadline_seconds=_deadline(header, machine),
        choices=explain(best, header=header, machine=machine, wish=wish, limits=limits),
    )


def _fence(bill: Bill) -> int:
    """Private memory that only a runaway needs: what is copied may exist twice while it is re-ordered, and prefixes are
    saved in memory of the host."""
    host = next(device for device in bill.devices if device.name == HOST)
    saved = sum(device.state_bytes for device in bill.devices)
    drivers = _DRIVER_SLACK_BYTES if len(bill.devices) > 1 else 0
    return host.hard_bytes + host.weights_bytes + saved + drivers + _FENCE_SLACK_BYTES


def _deadline(header: GgufHeader, machine: Machine) -> float:
    """Large models on slow disks take long to load without anything being wrong."""
    reading = model_file_bytes(header) / max(1.0, machine.host.disk_bytes_per_second)
    return max(_LEAST_DEADLINE_SECONDS, _START_SECONDS + _DISK_PATIENCE * reading)
