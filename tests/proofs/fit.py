"""Our placement against llama.cpp's own fitter: `python -m tests.proofs.fit --llama-common LIBRARY`.

LIBRARY is libllama-common.so of the llama.cpp that llama-cpp-python carries (its CMake target `llama-common`). For
every model and set of cards both choose a placement for the same context, batch and precision; both are measured by the
dry run and timed by the same forecast. A row is a miss when ours does not keep the budget, or would be slower.
`--record FILE` keeps the fitter's placements, with which `tests/inference/planning/test_fit.py` compares without the
library.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from inference.backends.llama_cpp.dry_run import DryRunOracle
from inference.backends.llama_cpp.library import Callbacks, lib
from inference.backends.llama_cpp.virtual_devices import VirtualDevices
from inference.planning.forecast import forecast
from inference.planning.planner import make_plan
from inference.planning.search import typical_seconds
from inference.planning.values import HOST, Device, DeviceSpeed, Host, Machine, PlanAnswer, Settings, Wish
from inference.values import Override, Placement
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.plan_data import read_plan_data
from models_catalog.plan_library import published_plan_data
from tests.proofs.fit_cases import CASES, GIB, Case
from tests.proofs.fitter import Fitter

_CPU = DeviceSpeed(
    read_bytes_per_second={"": 40e9},
    flops_per_second={"": 400e9},
    kv_read_bytes_per_second={"": 10e9},
    node_seconds=1.5e-6,
    split_seconds=0.0,
    link_bytes_per_second=None,
    origin="table",
    spread=0.5,
)
_CARD = DeviceSpeed(
    read_bytes_per_second={"": 400e9},
    flops_per_second={"": 40e12},
    kv_read_bytes_per_second={"": 300e9},
    node_seconds=3e-6,
    split_seconds=3e-5,
    link_bytes_per_second=20e9,
    origin="table",
    spread=0.3,
)
_HOST_BYTES = 1024 * GIB
# Half a percent is noise of whole layers and rounding in the forecast.
_TOLERANCE = 1.005


def machine(case: Case) -> Machine:
    """Cards with these budgets beside a host with room for everything, as the fitter assumes it."""
    return Machine(
        host=Host(
            name="host",
            total_bytes=_HOST_BYTES,
            free_bytes=_HOST_BYTES,
            reserve_bytes=0,
            decode_threads=8,
            batch_threads=8,
            threads_reason="one_core_free",
            repack=True,
            speed=_CPU,
            disk_bytes_per_second=1e9,
        ),
        devices=tuple(
            Device(
                name=name,
                description=name,
                kind="discrete",
                total_bytes=budget,
                free_bytes=budget,
                reserve_bytes=0,
                shares_host_memory=False,
                speed=_CARD,
            )
            for name, budget in case.budgets.items()
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """seconds: of a typical answer. theirs None: the fitter gave up, or its placement does not keep the budget."""

    case: Case
    ours: float
    theirs: float | None
    kept_budget: bool
    answer: PlanAnswer

    @property
    def missed(self) -> bool:
        return not self.kept_budget or (self.theirs is not None and self.ours > self.theirs * _TOLERANCE)


class Comparison:
    """One model's oracle; ours and theirs are judged by the same measure."""

    def __init__(self, case: Case, devices: VirtualDevices, callbacks: Callbacks) -> None:
        head = published_plan_data(case.model, case.quantization)
        assert head is not None, case.model
        self.case = case
        self.header: GgufHeader = read_plan_data(head, case.model)
        self.oracle = DryRunOracle(
            head,
            size_bytes=self.header.size_bytes,
            devices=devices,
            device_names=tuple(case.budgets),
            threads=8,
            callbacks=callbacks,
        )
        wish = Wish(
            context_tokens=case.context_tokens,
            kv_type_k="f16",
            kv_type_v="f16",
            flash_attention=True,
            batch_tokens=512,
            swa_full=True,
        )
        self.answer = make_plan(
            model_path=case.model, header=self.header, machine=machine(case), wish=wish, oracle=self.oracle
        )
        plan = self.answer.plan
        self.settings = Settings(
            context_tokens=plan.context_tokens,
            sequences=plan.sequences,
            batch_tokens=plan.batch_tokens,
            outputs_max=plan.outputs_max,
            repack=plan.repack,
            placement=plan.placement,
        )

    def row(self, theirs: Placement | None) -> Row:
        settings = None if theirs is None else replace(self.settings, placement=theirs)
        return Row(
            case=self.case,
            ours=self._seconds(self.settings),
            theirs=None if settings is None or not self._keeps_budget(settings) else self._seconds(settings),
            kept_budget=all(bar.hard_bytes <= bar.budget_bytes for bar in self.answer.bill.devices if bar.name != HOST),
            answer=self.answer,
        )

    def _keeps_budget(self, settings: Settings) -> bool:
        """What was recorded may have been measured by a dry run that knew less."""
        taken = dict.fromkeys(self.case.budgets, 0)
        for buffer in self.oracle.measure(settings).buffers:
            if buffer.device in taken:
                taken[buffer.device] += buffer.weights_bytes + buffer.state_bytes + buffer.compute_bytes
        return all(count <= self.case.budgets[name] for name, count in taken.items())

    def _seconds(self, settings: Settings) -> float:
        cpu = replace(settings, placement=Placement())
        return typical_seconds(
            forecast(
                decode=self.oracle.graph(cpu, 1),
                prefill=self.oracle.graph(cpu, settings.batch_tokens),
                settings=settings,
                layers=self.header.layers or 0,
                width=self.header.embedding_length or 0,
                machine=machine(self.case),
                depth_tokens=self.case.context_tokens // 4,
            )
        )


def read_placements(text: str) -> dict[str, Placement | None]:
    """What `--record` wrote: the fitter's placement by the case's name."""
    return {
        name: None
        if found is None
        else Placement(
            devices=tuple(found["devices"]),
            gpu_layers=found["gpu_layers"],
            tensor_split=tuple(found["tensor_split"]),
            overrides=tuple(Override(**override) for override in found["overrides"]),
        )
        for name, found in json.loads(text).items()
    }


def show(rows: Iterable[Row]) -> int:
    """Prints a line for each; returns how many missed."""
    missed = 0
    for row in rows:
        missed += row.missed
        theirs = "gave up" if row.theirs is None else f"{row.theirs:8.2f} s {row.theirs / row.ours:6.3f}x"
        print(
            f"{'MISS' if row.missed else 'ok':4s} {row.case.name:58s} ours {row.ours:8.2f} s  theirs {theirs}",
            flush=True,
        )
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.fit", description=__doc__)
    parser.add_argument("--llama-common", type=Path, required=True)
    parser.add_argument("--record", type=Path)
    args = parser.parse_args()
    callbacks = Callbacks(lambda text: None)
    lib.llama_backend_init()
    devices = VirtualDevices()
    fitter = Fitter(args.llama_common, devices)
    placements: dict[str, Placement | None] = {}
    rows: list[Row] = []
    for case in CASES:
        comparison = Comparison(case, devices, callbacks)
        path, settings = comparison.oracle.path, replace(comparison.settings, placement=Placement())
        fitted = fitter.fit(path, settings, case.budgets, comparison.header.layers or 0)
        placements[case.name] = fitted.placement
        rows.append(comparison.row(fitted.placement))
        show(rows[-1:])
        comparison.oracle.close()
    if args.record:
        text = json.dumps(
            {name: None if found is None else asdict(found) for name, found in placements.items()}, indent=1
        )
        args.record.write_text(text + "\n", encoding="utf-8")
    missed = sum(row.missed for row in rows)
    print(f"{len(rows)} cases, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
