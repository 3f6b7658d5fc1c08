"""Where a plan worker begins: fences, then one task after the other until the service closes its end.

`python -m inference.plan_worker.entry SOCKET PARENT_PID`, as for an engine child.
"""

from __future__ import annotations

import os
import platform
import sys
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from inference.backends.llama_cpp.back_ends import BACK_ENDS_VARIABLE, CPU_ONLY
from inference.errors import EngineUnsound, InferenceError, PlanFailed
from inference.plan_worker.messages import Planned, PlanRefused, PlanTask, decode_task, encode
from inference.planning.oracle import MeasureFailed
from inference.worker import fences
from inference.worker.black_box import record
from inference.worker.frames import FrameBuffer
from inference.worker.inherited import inherited_socket
from inference.worker.refusals import to_wire
from models_catalog.errors import CatalogError
from models_catalog.gguf.plan_data import read_plan_data

if TYPE_CHECKING:
    from inference.planning.oracle import Oracle
    from inference.planning.planner import ModelFigures
    from inference.planning.values import Companion, PlanAnswer
    from models_catalog.gguf.header import GgufHeader

_READ_BYTES = 256 * 1024
_MODELS_KEPT = 4
# A dry run of the largest shapes takes some hundred megabytes; recurrent states are really allocated.
_MEMORY_LIMIT_BYTES = 4 * 1024**3


def main(arguments: Sequence[str]) -> int:
    """Answer tasks until the service is gone. Returns the exit code."""
    inherited, parent_pid = arguments
    fences.die_with_parent(int(parent_pid))
    fences.leave_no_core()
    fences.be_first_to_go()
    fences.limit_private_memory(_MEMORY_LIMIT_BYTES)
    # Cards are simulated here: no driver is touched.
    os.environ[BACK_ENDS_VARIABLE] = CPU_ONLY
    pair_end = inherited_socket(inherited)
    frames, planner = FrameBuffer(), Planner()
    while data := pair_end.recv(_READ_BYTES):
        for body in frames.feed(data):
            pair_end.sendall(encode(planner.answer(decode_task(body))))
    return 0


class _Model(NamedTuple):
    header: GgufHeader
    oracle: Oracle
    figures: ModelFigures


class Planner:
    """The planner with its oracles; remembers the last models, so that moving a slider costs milliseconds."""

    def __init__(self) -> None:
        from inference.backends.llama_cpp.breakdown import readable
        from inference.backends.llama_cpp.library import Callbacks, lib
        from inference.backends.llama_cpp.soundness import require_sound
        from inference.backends.llama_cpp.virtual_devices import VirtualDevices

        self._callbacks = Callbacks(record)
        self._unsound: EngineUnsound | None = None
        try:
            require_sound()
        except EngineUnsound as error:
            self._unsound = error  # said when somebody asks for a plan
            return
        lib.llama_backend_init()
        self._devices = VirtualDevices() if readable() else None
        self._models: OrderedDict[tuple[bytes, tuple[str, ...], int], _Model] = OrderedDict()

    def answer(self, task: PlanTask) -> Planned | PlanRefused:
        """The plan, or why there is none."""
        try:
            if self._unsound is not None:
                raise self._unsound
            return Planned(answer=self._plan(task))
        except MeasureFailed as error:
            refusal: Exception = PlanFailed(path=task.model_path, detail=error.detail)
        except (InferenceError, CatalogError) as error:
            refusal = error
        name, fields = to_wire(refusal)
        return PlanRefused(error=name, fields=fields)

    def _plan(self, task: PlanTask) -> PlanAnswer:
        from inference.planning.planner import ModelPlanner, make_plan

        header, oracle, figures = self._model(task)
        companions = self._companions(task)
        if not task.with_advice:
            planner = ModelPlanner(task.model_path, header, oracle, task.limits, task.residuals, figures, companions)
            return planner.plan(task.wish, task.machine)
        return make_plan(
            model_path=task.model_path,
            header=header,
            machine=task.machine,
            wish=task.wish,
            oracle=oracle,
            limits=task.limits,
            residuals=task.residuals,
            companions=companions,
            siblings=task.siblings,
            figures=figures,
        )

    def _companions(self, task: PlanTask) -> tuple[Companion, ...]:
        """Projector and draft model, measured on the processor and, where there is one, on the first device."""
        if not task.projector_path and not task.draft_head:
            return ()
        if self._devices is None:
            raise MeasureFailed("projectors and draft models cannot be measured on this system")
        from inference.plan_worker.companions import measure_draft, measure_projector

        names = tuple(device.name for device in task.machine.devices)
        found: list[Companion] = []
        if task.projector_path:
            found.append(measure_projector(task.projector_path, self._devices, names))
        if task.draft_head:
            found.append(measure_draft(task.draft_head, self._devices, names, task.wish, self._callbacks))
        return tuple(found)

    def _model(self, task: PlanTask) -> _Model:
        from inference.planning.planner import ModelFigures

        names = tuple(device.name for device in task.machine.devices)
        threads = max(task.machine.host.decode_threads, task.machine.host.batch_threads)
        key = (task.head, names, threads)
        if key in self._models:
            self._models.move_to_end(key)
            return self._models[key]
        header = read_plan_data(task.head, task.model_path)
        oracle = self._oracle(task.head, header, names, threads)
        self._models[key] = _Model(header, oracle, ModelFigures(header, oracle))
        if len(self._models) > _MODELS_KEPT:
            self._models.popitem(last=False)[1].oracle.close()
        return self._models[key]

    def _oracle(self, head: bytes, header: GgufHeader, names: tuple[str, ...], threads: int) -> Oracle:
        if self._devices is None:
            from inference.planning.estimate import EstimateOracle, repacked_on

            return EstimateOracle(header, repack_types=repacked_on(platform.machine()))
        from inference.backends.llama_cpp.dry_run import DryRunOracle

        return DryRunOracle(
            head,
            size_bytes=header.size_bytes,
            devices=self._devices,
            device_names=names,
            threads=threads,
            callbacks=self._callbacks,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
