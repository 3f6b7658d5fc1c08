"""One real load in a process of its own, or the dry runs of one model: what llama.cpp allocates, read from itself.

`python -m tests.proofs.loading` reads a task as JSON from standard input and writes its result to standard output.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from inference.planning.values import Settings
from inference.values import BufferBytes, LoadPlan

if TYPE_CHECKING:
    from inference.backends.llama_cpp.library import Callbacks

_SECONDS = 300.0
# Where another part of the process listens to llama.cpp's log.
_REFUSED = "refused without a word"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """dry: measure all settings without allocating; real: load for the first of them, and decode when told to.

    remote_devices: (library, endpoints) of RPC devices to be registered first. virtual_names: of virtual devices.
    tokens: fed one after the other, greedily continued for `continued` more; the logits of the last call come back.
    """

    kind: Literal["dry", "real"]
    path: str
    settings: tuple[Settings, ...]
    memory_map: bool = False
    threads: int = 1
    virtual_names: tuple[str, ...] = ()
    rpc_library: str = ""
    rpc_endpoints: tuple[str, ...] = ()
    tokens: tuple[int, ...] = ()
    keep_logits: bool = False


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """error: what llama.cpp said when it refused; work_bytes: of a dry run only."""

    buffers: tuple[BufferBytes, ...] = ()
    work_bytes: int = 0
    error: str = ""
    logits: tuple[float, ...] = ()


def run(task: Task) -> tuple[Result, ...]:
    """One result for each of the settings, from a child. A child that ends otherwise gives its last words as error."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.proofs.loading"],
        input=msgspec.json.encode(task),
        capture_output=True,
        timeout=_SECONDS,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"GGML_NO_BACKTRACE": "1"},
        check=False,
    )
    if child.returncode:
        words = child.stderr.decode("utf-8", "replace").strip().splitlines()
        problem = f"exit {child.returncode}: {words[-1] if words else ''}"
        return tuple(Result(error=problem) for _ in task.settings)
    return msgspec.json.decode(child.stdout, type=tuple[Result, ...])


def plan_of(path: str, settings: Settings, *, memory_map: bool, threads: int) -> LoadPlan:
    """The load plan that these settings stand for."""
    return LoadPlan(
        model_path=path,
        context_tokens=settings.context_tokens,
        sequences=settings.sequences,
        batch_tokens=settings.batch_tokens,
        outputs_max=settings.outputs_max,
        decode_threads=threads,
        batch_threads=threads,
        placement=settings.placement,
        flash_attention=settings.flash_attention,
        kv_type_k=settings.kv_type_k,
        kv_type_v=settings.kv_type_v,
        swa_full=settings.swa_full,
        repack=settings.repack,
        memory_map=memory_map,
    )


def _main() -> int:
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    from inference.backends.llama_cpp.library import Callbacks, lib

    callbacks = Callbacks(lambda text: print(text.decode("utf-8", "replace"), file=sys.stderr))
    lib.llama_backend_init()
    if task.rpc_endpoints:
        from tests.proofs.rpc import register

        register(Path(task.rpc_library), task.rpc_endpoints)
    results = _dry(task, callbacks) if task.kind == "dry" else (load_really(task, callbacks),)
    sys.stdout.buffer.write(msgspec.json.encode(results))
    return 0


def _dry(task: Task, callbacks: Callbacks) -> tuple[Result, ...]:
    from inference.backends.llama_cpp.virtual_devices import VirtualDevices

    devices = VirtualDevices() if task.virtual_names else _NoDevices()
    return dry_runs(task, callbacks, devices)


def dry_runs(task: Task, callbacks: Callbacks, devices: Any) -> tuple[Result, ...]:
    """Measure all settings of the task in this process. devices: the process's VirtualDevices."""
    from inference.backends.llama_cpp.dry_run import DryRunOracle
    from inference.planning.oracle import MeasureFailed
    from models_catalog.gguf.header import read_header
    from models_catalog.gguf.plan_data import plan_data, sparse_size

    raw = plan_data(read_header(Path(task.path)))
    oracle = DryRunOracle(
        raw,
        size_bytes=sparse_size(raw),
        devices=devices,
        device_names=task.virtual_names,
        threads=task.threads,
        callbacks=callbacks,
    )
    results = []
    for settings in task.settings:
        try:
            measured = oracle.measure(settings)
            results.append(Result(buffers=measured.buffers, work_bytes=measured.work_bytes))
        except MeasureFailed as failure:
            results.append(Result(error=failure.detail or _REFUSED))
    oracle.close()
    return tuple(results)


class _NoDevices:
    """Stands for virtual devices where real ones are asked."""

    def call_them(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Nothing to be called."""
        return ()


def load_really(task: Task, callbacks: Callbacks) -> Result:
    """Load for the task's first settings in this process, decode when told to, and free everything."""
    from inference.backends.llama_cpp.library import lib
    from inference.backends.llama_cpp.params import context_params, model_params

    plan = plan_of(task.path, task.settings[0], memory_map=task.memory_map, threads=task.threads)
    callbacks.log.clear()
    with model_params(plan) as params:
        model = lib.llama_model_load_from_file(task.path.encode(), params)
    if not model:
        return Result(error=callbacks.telling_line() or _REFUSED)
    try:
        context = lib.llama_init_from_model(model, context_params(plan))
        if not context:
            return Result(error=callbacks.telling_line() or _REFUSED)
        try:
            return _look(context, model, task)
        finally:
            lib.llama_free(context)
    finally:
        lib.llama_model_free(model)


def _look(context: object, model: object, task: Task) -> Result:
    from inference.backends.llama_cpp.breakdown import read_breakdown

    buffers = read_breakdown(context) or ()
    return Result(buffers=buffers, logits=_decode(context, model, task) if task.tokens else ())


def _decode(context: object, model: object, task: Task) -> tuple[float, ...]:
    from inference.backends.llama_cpp.library import lib

    tokens = (lib.llama_token * len(task.tokens))(*task.tokens)
    code = lib.llama_decode(context, lib.llama_batch_get_one(tokens, len(task.tokens)))
    if code:
        raise SystemExit(f"llama_decode: {code}")
    lib.llama_synchronize(context)
    count = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
    logits = lib.llama_get_logits_ith(context, -1)
    return tuple(logits[:count]) if task.keep_logits else (float(logits[0]),)


if __name__ == "__main__":
    sys.exit(_main())
