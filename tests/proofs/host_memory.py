"""The memory bill against a real engine child: `python -m tests.proofs.host_memory [--architectures a,b] [--small]`.

For every architecture and setting with flash attention the host's bytes are predicted from a dry run
(inference.planning.bill) and measured as the private memory of the engine child after one full batch and a short
answer. The promise is 3 % for 99 % of the runs; exit code 1 when it is broken. The models are of the size of the
smallest published ones (200 MiB of weights and more, a vocabulary as large as Qwen's), hollow files that cost nothing
to make; with --small they are the toys of the other proofs, in which the fixed parts of a process weigh most.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from inference.backends.llama_cpp.library import Callbacks, lib
from inference.errors import ModelRefused
from inference.planning.bill import make_bill
from inference.planning.values import DeviceSpeed, Host, Machine, Measured, Settings
from models_catalog.errors import CatalogError
from models_catalog.gguf.header import read_header
from models_catalog.gguf.plan_data import VocabularySize
from tests.proofs.engine import load_and_prefill, private_bytes
from tests.proofs.loading import Task, plan_of, run
from tests.proofs.matrix import BASE
from tests.synthetic.architectures import ARCHITECTURES
from tests.synthetic.blueprint import Blueprint
from tests.synthetic.writing import write_hollow

_PROMISED_ERROR, _PROMISED_SHARE = 0.03, 0.99
_QWEN = VocabularySize(tokens=151936, merges=151387, text_bytes=2893160)
_SPEED = DeviceSpeed(
    read_bytes_per_second={"": 1e10},
    flops_per_second={"": 1e11},
    kv_read_bytes_per_second={"": 1e10},
    node_seconds=1e-6,
    split_seconds=1e-5,
    link_bytes_per_second=None,
    origin="table",
    spread=0.3,
)
_MACHINE = Machine(
    host=Host(
        name="this one",
        total_bytes=1 << 40,
        free_bytes=1 << 40,
        reserve_bytes=0,
        decode_threads=1,
        batch_threads=1,
        threads_reason="",
        repack=True,
        speed=_SPEED,
        disk_bytes_per_second=1e9,
    )
)
# The engine reads the first batches of a prompt in pieces of 128 tokens until it knows the machine; with larger batches
# a short prompt would leave a part of the working memory untouched that a long one takes later.
_BASE = replace(BASE, batch_tokens=128)
_SETTINGS: dict[str, tuple[Settings, bool]] = {
    "base": (_BASE, False),
    "mapped": (_BASE, True),
    "mapped, no repack, 16k": (replace(_BASE, repack=False, context_tokens=16384), True),
    "8k, 4 sequences": (replace(_BASE, context_tokens=8192, sequences=4, outputs_max=4), False),
    "16k, KV q8_0": (replace(_BASE, context_tokens=16384, kv_type_k="q8_0", kv_type_v="q8_0"), False),
    "batch 64, full window": (replace(_BASE, batch_tokens=64, swa_full=True), False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    label: str
    predicted_bytes: int
    measured_bytes: int

    @property
    def error(self) -> float:
        return self.predicted_bytes / self.measured_bytes - 1


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", default=",".join(name for name in ARCHITECTURES if name != "bert"))
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    Callbacks(lambda text: None)
    lib.llama_backend_init()
    runs: list[_Run] = []
    with tempfile.TemporaryDirectory(prefix="liangli-memory-") as folder:
        for name in arguments.architectures.split(","):
            blueprint = ARCHITECTURES[name]
            path = write_hollow(
                Path(folder) / "model.gguf", blueprint if arguments.small else _grown(blueprint), "Q4_K_M"
            )
            runs += asyncio.run(_measure(name, path))
    return _summary(runs)


def _grown(blueprint: Blueprint) -> Blueprint:
    """More layers and experts, and a real vocabulary."""
    layers, experts = blueprint.keys["block_count"], blueprint.keys.get("expert_count", 0)
    assert isinstance(layers, int) and isinstance(experts, int)
    keys = blueprint.keys | {"block_count": layers if layers > 20 else 3 * layers}
    if experts:
        keys |= {"expert_count": 2 * experts}
    return replace(blueprint, keys=keys, vocabulary=_QWEN)


async def _measure(name: str, path: Path) -> list[_Run]:
    header = read_header(path)
    wanted = tuple(settings for settings, _ in _SETTINGS.values())
    dry = run(Task(kind="dry", path=str(path), settings=wanted))
    runs = []
    for (label, (settings, mapped)), result in zip(_SETTINGS.items(), dry, strict=True):
        if result.error:
            print(f"{name:14} {label:26} refused: {result.error}", flush=True)
            continue
        measured = Measured(buffers=result.buffers, work_bytes=result.work_bytes, basis="exact")
        bill = make_bill(header=header, machine=_MACHINE, settings=settings, measured=measured, memory_map=mapped)
        try:
            engine, _ = await load_and_prefill(plan_of(str(path), settings, memory_map=mapped, threads=1))
        except (ModelRefused, CatalogError) as refusal:
            print(f"{name:14} {label:26} refused: {refusal!r}", flush=True)
            continue
        private = private_bytes(engine.pid)
        await engine.close()
        runs.append(_Run(label=f"{name} {label}", predicted_bytes=bill.devices[0].hard_bytes, measured_bytes=private))
        print(f"{name:14} {label:26} predicted {bill.devices[0].hard_bytes / 2**20:7.1f} MiB, "
              f"measured {private / 2**20:7.1f}: {runs[-1].error:+.2%}", flush=True)  # fmt: skip
    return runs


def _summary(runs: list[_Run]) -> int:
    errors = [one.error for one in runs]
    within = sum(abs(error) <= _PROMISED_ERROR for error in errors) / len(errors)
    worst = max(runs, key=lambda one: abs(one.error))
    absolute = max(abs(one.predicted_bytes - one.measured_bytes) for one in runs) / 2**20
    print(
        f"{len(runs)} runs: mean {statistics.mean(errors):+.2%}, sd {statistics.pstdev(errors):.2%}, "
        f"worst {worst.error:+.2%} ({worst.label}), largest difference {absolute:.1f} MiB; "
        f"{within:.1%} within {_PROMISED_ERROR:.0%}"
    )
    return 0 if within >= _PROMISED_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
