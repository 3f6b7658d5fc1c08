"""Measures in a few seconds how fast the engine's own kernels are on this processor, without any model being there.

`python -m inference.backends.llama_cpp.calibration OUT.json --threads 1,2 --seconds 8 --cpu NAME` runs in a process of
its own, with the environment of an engine child (`inference.worker.environment`), and may be ended at any time:
OUT.json appears at the end or not at all. Progress goes to standard output, one JSON object a line: {"done": 0.4}.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from inference.backends.llama_cpp.dry_run import SparseFile
from inference.backends.llama_cpp.graph import read_graph
from inference.backends.llama_cpp.library import Callbacks, lib
from inference.backends.llama_cpp.params import context_params, model_params
from inference.backends.llama_cpp.toy_models import ATTENTION, CHAIN, EXPERTS, VOCABULARY, Shape, large, write_toy
from inference.engine_version import engine_version
from inference.planning.calibrated import Calibration, Findings, Strain, ThreadTiming, calibration_of, choose, to_json
from inference.planning.values import GraphCost
from inference.values import KvType, LoadPlan

# Far more than any processor's cache holds.
_LARGE_BYTES = 130_000_000
_BATCH_TOKENS = 32
# The types of most downloads first: what there is no time for is left out.
_FIRST_TYPE, _OTHER_TYPES = "Q4_K", ("Q6_K", "Q8_0", "F16", "Q5_K", "Q5_0", "IQ4_XS")
_DEPTH_TOKENS, _DEPTH_BATCH = 1024, 256
_ATTENTIONS: tuple[tuple[str, KvType, bool], ...] = (
    ("f16|flash", "f16", True),
    ("f16|plain", "f16", False),
    ("q8_0|flash", "q8_0", True),
)
# Part of the progress before the choice of threads.
_FIRST_STEPS = 0.4
# One token is timed at least so often, and for so long; a batch, which takes as long as many tokens, so often.
_LEAST_CALLS, _CALLS_SECONDS, _BATCH_CALLS = 4, 0.08, 2


class _Timer:
    """One toy model, loaded, with a context of one sequence."""

    def __init__(self, context: Any, strain: Strain) -> None:
        self._context = context
        self._random = random.Random(0)
        self._threads = 1
        self._strain = strain

    def use(self, threads: int) -> None:
        """So many threads from the next call on."""
        self._threads = threads
        lib.llama_set_n_threads(self._context, threads, threads)

    def graph(self, tokens: int) -> GraphCost:
        """The work of a call of `tokens` tokens."""
        return read_graph(self._context, tokens=tokens)

    def best_one(self, *, depth: int = 0) -> float:
        """Seconds of the fastest call of one token behind `depth` tokens, after one to warm up."""
        self.call(1)
        taken: list[float] = []
        while len(taken) < _LEAST_CALLS or sum(taken) < _CALLS_SECONDS:
            self.forget(depth)
            taken.append(self.call(1))
        self.forget(depth)
        self._strain.ratios.append(median(taken) / min(taken))
        return min(taken)

    def best_batch(self) -> float:
        """Seconds of the fastest call of a whole batch."""
        taken: list[float] = []
        for _ in range(_BATCH_CALLS):
            taken.append(self.call(_BATCH_TOKENS))
            self.forget(0)
        return min(taken)

    def call(self, tokens: int) -> float:
        """Seconds of one call; its tokens stay."""
        ids = self._random.choices(range(VOCABULARY), k=tokens)
        array = (lib.llama_token * tokens)(*ids)
        began, computed = time.perf_counter(), time.process_time()
        code = lib.llama_decode(self._context, lib.llama_batch_get_one(array, tokens))
        lib.llama_synchronize(self._context)
        seconds = time.perf_counter() - began
        if code != 0:
            raise RuntimeError(f"llama_decode returned {code}")
        self._strain.wanted_seconds += seconds * self._threads
        self._strain.given_seconds += time.process_time() - computed
        return seconds

    def forget(self, depth: int) -> None:
        """Keep the first `depth` tokens."""
        lib.llama_memory_seq_rm(lib.llama_get_memory(self._context), 0, depth, -1)


@contextmanager
def _loaded(
    shape: Shape,
    weight_type: str,
    strain: Strain,
    *,
    threads: int,
    repack: bool = True,
    context_tokens: int = 256,
    batch_tokens: int = _BATCH_TOKENS,
    kv_type: KvType = "f16",
    flash_attention: bool = True,
) -> Iterator[_Timer]:
    toy = write_toy(shape, weight_type)
    file = SparseFile(toy.head, toy.size_bytes)
    plan = LoadPlan(
        model_path=file.path,
        context_tokens=context_tokens,
        sequences=1,
        batch_tokens=batch_tokens,
        outputs_max=1,
        decode_threads=threads,
        batch_threads=threads,
        flash_attention=flash_attention,
        kv_type_k=kv_type,
        kv_type_v=kv_type,
        repack=repack,
        memory_map=False,
    )
    try:
        with model_params(plan) as params:
            model = lib.llama_model_load_from_file(file.path.encode(), params)
        if not model:
            raise RuntimeError(f"cannot load a toy of {weight_type}")
        context = lib.llama_init_from_model(model, context_params(plan))
        try:
            if not context:
                raise RuntimeError(f"no context for a toy of {weight_type}")
            timer = _Timer(context, strain)
            timer.use(threads)
            yield timer
        finally:
            if context:
                lib.llama_free(context)
            lib.llama_model_free(model)
    finally:
        file.close()


class _Run:
    """One calibration; findings grow as it goes on."""

    def __init__(self, threads: Sequence[int], seconds: float, progress: Callable[[float], None]) -> None:
        self._threads, self._progress = threads, progress
        self._began, self._seconds = time.perf_counter(), seconds
        self._strain = Strain()

    def measure(self) -> Findings:
        """Everything there is time for; the choice of threads and one type in any case."""
        timings, one, batch = self._timings()
        findings = Findings(chosen=choose(timings), timings=timings)
        self._nodes(findings)
        findings.add_first(_FIRST_TYPE, one, batch)
        steps: list[Callable[[], None]] = [
            *(partial(self._attention, findings, *attention) for attention in _ATTENTIONS),
            *(partial(self._type, findings, name) for name in _OTHER_TYPES[:2]),
            partial(self._experts, findings),
            *(partial(self._type, findings, name) for name in _OTHER_TYPES[2:]),
        ]
        longest = 0.0
        for number, step in enumerate(steps):
            began = time.perf_counter()
            if began - self._began + longest > self._seconds:
                break
            step()
            longest = max(longest, time.perf_counter() - began)
            self._progress(_FIRST_STEPS + (1 - _FIRST_STEPS) * (number + 1) / len(steps))
        findings.contended = self._strain.contended
        findings.seconds = time.perf_counter() - self._began
        return findings

    def _timings(self) -> tuple[tuple[ThreadTiming, ...], GraphCost, GraphCost]:
        """With each number of threads, with and without re-ordered weights; and what was timed: one token, a batch."""
        timings: list[ThreadTiming] = []
        for number, repack in enumerate((True, False)):
            with _loaded(
                large(_FIRST_TYPE, _LARGE_BYTES), _FIRST_TYPE, self._strain, threads=1, repack=repack
            ) as timer:
                one, batch = timer.graph(1), timer.graph(_BATCH_TOKENS)
                for threads in self._threads:
                    timer.use(threads)
                    decode, read = timer.best_one(), timer.best_batch() / _BATCH_TOKENS
                    timings.append(
                        ThreadTiming(threads=threads, repack=repack, decode_seconds=decode, batch_seconds=read)
                    )
            self._progress(_FIRST_STEPS * (number + 1) / 2)
        return tuple(timings), one, batch

    def _nodes(self, findings: Findings) -> None:
        with _loaded(CHAIN, "F16", self._strain, threads=findings.chosen.decode_threads) as timer:
            findings.node_seconds = timer.best_one() / sum(operation.nodes for operation in timer.graph(1).operations)

    def _type(self, findings: Findings, weight_type: str) -> None:
        self._weights(findings, large(weight_type, _LARGE_BYTES), weight_type)

    def _experts(self, findings: Findings) -> None:
        self._weights(findings, EXPERTS, _FIRST_TYPE)

    def _weights(self, findings: Findings, shape: Shape, weight_type: str) -> None:
        chosen = findings.chosen
        with _loaded(shape, weight_type, self._strain, threads=chosen.decode_threads, repack=chosen.repack) as timer:
            one, batch = timer.graph(1), timer.graph(_BATCH_TOKENS)
            findings.add_weights(weight_type, one, timer.best_one(), experts=bool(shape.experts))
            timer.use(chosen.batch_threads)
            findings.add_batch(weight_type, batch, timer.best_batch(), experts=bool(shape.experts))

    def _attention(self, findings: Findings, key: str, kv_type: KvType, flash: bool) -> None:
        """What a full context takes longer than an empty one."""
        chosen = findings.chosen
        with _loaded(
            ATTENTION,
            "F16",
            self._strain,
            threads=chosen.decode_threads,
            context_tokens=_DEPTH_TOKENS + _DEPTH_BATCH,
            batch_tokens=_DEPTH_BATCH,
            kv_type=kv_type,
            flash_attention=flash,
        ) as timer:
            cost, shallow = timer.graph(1), timer.best_one()
            timer.use(chosen.batch_threads)
            calls = range(_DEPTH_TOKENS // _DEPTH_BATCH)
            once = [timer.call(_DEPTH_BATCH) for _ in calls]
            timer.forget(0)
            filling = [min(before, timer.call(_DEPTH_BATCH)) for before in once]
            timer.use(chosen.decode_threads)
            deep = timer.best_one(depth=_DEPTH_TOKENS)
        findings.add_attention(key, cost, cells=_DEPTH_TOKENS, seconds=deep - shallow, tokens=1)
        grown = filling[-1] - filling[0]
        findings.add_attention(
            key, cost, cells=_DEPTH_TOKENS - _DEPTH_BATCH, seconds=max(grown, 0.3 * filling[-1]), tokens=_DEPTH_BATCH
        )


def calibrate(
    *, threads: Sequence[int], seconds: float, cpu_name: str, progress: Callable[[float], None] = lambda done: None
) -> Calibration:
    """Measure for about so many seconds. threads: numbers to choose from. One at a time in a process of its own.

    Raises RuntimeError when the engine refuses a toy.
    """
    lib.llama_backend_init()
    findings = _Run(threads, seconds, progress).measure()
    return calibration_of(findings, cpu_name=cpu_name, engine=engine_version())


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m inference.backends.llama_cpp.calibration", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", default="1", help="numbers of threads to choose from, for example 1,2")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--cpu", default="", help="the processor's name, for which the result is valid")
    args = parser.parse_args()
    callbacks = Callbacks(lambda text: None)

    def progress(done: float) -> None:
        sys.stdout.write(json.dumps({"done": round(done, 3)}) + "\n")
        sys.stdout.flush()

    threads = sorted({max(1, int(number)) for number in args.threads.split(",")})
    calibration = calibrate(threads=threads, seconds=args.seconds, cpu_name=args.cpu, progress=progress)
    del callbacks
    part = args.out.with_name(args.out.name + ".part")
    part.write_text(to_json(calibration), encoding="utf-8")
    part.replace(args.out)
    progress(1.0)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
