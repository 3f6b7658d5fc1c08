"""llama.cpp's own dry run as the planner's oracle: bytes by buffer and work by operation, without a weight being there.

A model opened with `no_alloc` needs only its header: the file given to llama.cpp is the header without vocabulary, made
as long as the real file by a hole. Opening costs 30-80 ms of CPU time, each further context 6-20 ms.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from inference.backends.llama_cpp.breakdown import read_breakdown
from inference.backends.llama_cpp.graph import read_graph, work_bytes
from inference.backends.llama_cpp.library import Callbacks, lib
from inference.backends.llama_cpp.params import context_params, model_params
from inference.backends.llama_cpp.virtual_devices import VirtualDevices, untouched_memory
from inference.planning.oracle import MeasureFailed
from inference.planning.values import GraphCost, Measured, Settings
from inference.values import ALL_ON_CPU, LoadPlan, Placement

_MODELS_KEPT = 6


class SparseFile:
    """A file of `size_bytes` that holds only `head`; takes no room but the head's. Gone when closed."""

    def __init__(self, head: bytes, size_bytes: int) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if hasattr(os, "memfd_create"):
            self._descriptor = os.memfd_create("liangli-plan")
            self.path = f"/proc/self/fd/{self._descriptor}"
        else:
            self._folder = tempfile.TemporaryDirectory(prefix="liangli-plan-")
            self.path = str(Path(self._folder.name) / "plan.gguf")
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0))
        os.write(self._descriptor, head)
        os.ftruncate(self._descriptor, size_bytes)

    def close(self) -> None:
        """Remove it."""
        os.close(self._descriptor)
        if self._folder is not None:
            self._folder.cleanup()


class DryRunOracle:
    """See inference.planning.oracle.Oracle. For one thread of a process that may die: llama.cpp aborts on some headers.

    head, size_bytes: of the model's plan data (`models_catalog.gguf.plan_data`). device_names: of virtual devices that
    placements may use, in order. threads: for the processor's scratch memory.
    """

    def __init__(
        self,
        head: bytes,
        *,
        size_bytes: int,
        devices: VirtualDevices,
        device_names: tuple[str, ...],
        threads: int,
        callbacks: Callbacks,
    ) -> None:
        self._file = SparseFile(head, size_bytes)
        self._devices, self._device_names = devices, device_names
        self._threads = threads
        self._callbacks = callbacks
        self._models: OrderedDict[tuple[Placement, bool], Any] = OrderedDict()
        self._measured: dict[Settings, Measured] = {}
        self._graphs: dict[tuple[Settings, int], GraphCost] = {}
        self._work: dict[Settings, int] = {}

    @property
    def path(self) -> str:
        """Of the file that llama.cpp is given; for this process only."""
        return self._file.path

    def measure(self, settings: Settings) -> Measured:
        if settings not in self._measured:
            on_cpu = _on_cpu(settings)
            with self._context(settings) as context:
                buffers = read_breakdown(context)
                if settings == on_cpu:
                    self._note_work(on_cpu, context)
            if buffers is None:
                raise MeasureFailed("the memory breakdown cannot be read")
            if on_cpu not in self._work:
                with self._context(on_cpu) as context:
                    self._note_work(on_cpu, context)
            self._measured[settings] = Measured(buffers=buffers, work_bytes=self._work[on_cpu], basis="exact")
        return self._measured[settings]

    def graph(self, settings: Settings, tokens: int) -> GraphCost:
        key = _on_cpu(settings)
        if (key, tokens) not in self._graphs:
            with self._context(key) as context:
                # One token and a batch are asked for together, and making the context is the dearer part.
                for count in {tokens, 1, settings.batch_tokens}:
                    self._graphs[key, count] = read_graph(context, tokens=count, outputs=1)
        return self._graphs[key, tokens]

    def close(self) -> None:
        """Free all models and the file."""
        while self._models:
            lib.llama_model_free(self._models.popitem()[1])
        self._file.close()

    def _note_work(self, settings: Settings, context: Any) -> None:
        if settings not in self._work:
            self._work[settings] = work_bytes(
                context, tokens=settings.batch_tokens, outputs=settings.outputs_max, threads=self._threads
            )

    @contextlib.contextmanager
    def _context(self, settings: Settings) -> Iterator[Any]:
        model = self._model(settings)
        self._callbacks.log.clear()
        with untouched_memory():
            context = lib.llama_init_from_model(model, context_params(self._plan(settings)))
        if not context:
            raise MeasureFailed(self._callbacks.telling_line())
        try:
            yield context
        finally:
            lib.llama_free(context)

    def _model(self, settings: Settings) -> Any:
        # Another model's oracle may have named the devices since; the breakdown is read by these names.
        self._devices.call_them(self._device_names)
        key = (settings.placement, settings.repack)
        if key in self._models:
            self._models.move_to_end(key)
            return self._models[key]
        self._callbacks.log.clear()
        with model_params(self._plan(settings)) as params:
            params.no_alloc = True
            model = lib.llama_model_load_from_file(self._file.path.encode(), params)
        if not model:
            raise MeasureFailed(self._callbacks.telling_line())
        self._models[key] = model
        if len(self._models) > _MODELS_KEPT:
            lib.llama_model_free(self._models.popitem(last=False)[1])
        return model

    def _plan(self, settings: Settings) -> LoadPlan:
        return LoadPlan(
            model_path=self._file.path,
            context_tokens=settings.context_tokens,
            sequences=settings.sequences,
            batch_tokens=settings.batch_tokens,
            outputs_max=settings.outputs_max,
            decode_threads=self._threads,
            batch_threads=self._threads,
            placement=settings.placement,
            flash_attention=settings.flash_attention,
            kv_type_k=settings.kv_type_k,
            kv_type_v=settings.kv_type_v,
            swa_full=settings.swa_full,
            repack=settings.repack,
            # Any other way of loading aborts a dry run.
            memory_map=False,
        )


def _on_cpu(settings: Settings) -> Settings:
    """The graph's shapes do not depend on the placement, and only on the processor may it really be reserved."""
    return replace(settings, placement=ALL_ON_CPU)
