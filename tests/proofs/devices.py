"""Several devices without a GPU: `python -m tests.proofs.devices --rpc LIBRARY [--architectures a,b]`.

LIBRARY: from `tests.proofs.build_rpc`. Two device servers run on loopback; for each placement (layers, splits,
overrides) four things are compared: the dry run on the real devices with the real load (bytes), the dry run on virtual
devices with that on real ones (bytes), and the logits after a prompt with those that the processor alone computes.
Exit code 1 when bytes differ by more than what is explained below, or logits by more than rounding.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from inference.backends.llama_cpp.library import Callbacks, lib
from inference.planning.values import BufferBytes, Settings
from inference.values import HOST, Override, Placement
from tests.proofs.loading import Result, Task, run
from tests.proofs.matrix import BASE
from tests.proofs.rpc import servers
from tests.synthetic.architectures import ARCHITECTURES
from tests.synthetic.writing import write_random

_DEVICES = ("RPC0", "RPC1")
_ARCHITECTURES = ("llama", "qwen3moe", "gemma3", "deepseek2", "qwen35")
# A dry run does not know that layers on several devices are computed in turns, and counts copies for it.
_COMPUTE_TOLERANCE = 4 * 2**20
# Virtual devices align tensors as CUDA does, at 128 bytes; these at 32.
_ALIGNMENT_TOLERANCE = 64 * 1024
# Sums in another order: far below what would choose another token.
_LOGITS_TOLERANCE = 0.02
_PROMPT_TOKENS = 24


def placements(layers: int) -> dict[str, Placement]:
    """Name → placement, from nothing to everything on the devices."""
    half = layers // 2
    experts = Override(pattern=r"ffn_(up|down|gate)_exps", device=HOST)
    dense = Override(pattern=rf"blk\.({'|'.join(map(str, range(half, layers)))})\.ffn_(up|down|gate)\.", device=HOST)
    return {
        "half on one": Placement(devices=_DEVICES[:1], gpu_layers=half),
        "all on one": Placement(devices=_DEVICES[:1], gpu_layers=layers + 1),
        "all on two": Placement(devices=_DEVICES, gpu_layers=layers + 1),
        "split 3:1": Placement(devices=_DEVICES, gpu_layers=layers + 1, tensor_split=(3.0, 1.0)),
        "half on two": Placement(devices=_DEVICES, gpu_layers=half, tensor_split=(1.0, 1.0)),
        "experts on host": Placement(devices=_DEVICES[:1], gpu_layers=layers + 1, overrides=(experts,)),
        "ffn on host": Placement(devices=_DEVICES, gpu_layers=layers + 1, overrides=(dense,)),
    }


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rpc", required=True, type=Path)
    parser.add_argument("--architectures", default=",".join(_ARCHITECTURES))
    arguments = parser.parse_args()
    Callbacks(lambda text: None)
    lib.llama_backend_init()
    misses = 0
    with tempfile.TemporaryDirectory(prefix="liangli-devices-") as folder:
        for name in arguments.architectures.split(","):
            path = write_random(Path(folder) / "model.gguf", ARCHITECTURES[name], "Q8_0")
            misses += _prove(name, path, arguments.rpc)
    print(f"{misses} misses")
    return 1 if misses else 0


def _prove(name: str, path: Path, library: Path) -> int:
    layers = ARCHITECTURES[name].keys["block_count"]
    assert isinstance(layers, int)
    tokens = tuple(random.Random(name).sample(range(300, 16000), _PROMPT_TOKENS))
    settings = replace(BASE, context_tokens=2048, batch_tokens=256)
    base = Task(kind="real", path=str(path), settings=(settings,), tokens=tokens, keep_logits=True)
    (on_cpu,) = run(base)
    misses = 0
    print(f"{name}: bytes (dry run on real devices - real load), (virtual - real devices), logits (device - processor)")
    for label, placement in placements(layers).items():
        placed = (replace(settings, placement=placement),)
        with servers(library, len(_DEVICES)) as endpoints:
            remote = {"rpc_library": str(library), "rpc_endpoints": endpoints}
            (dry,) = run(Task(kind="dry", path=str(path), settings=placed, **remote))  # type: ignore[arg-type]
            (real,) = run(replace_task(base, settings=placed, library=library, endpoints=endpoints))
        (virtual,) = run(Task(kind="dry", path=str(path), settings=placed, virtual_names=_DEVICES))
        problem = dry.error or real.error or virtual.error
        if problem:
            print(f"  {label:16} FAILED {problem}", flush=True)
            misses += 1
            continue
        misses += _row(label, dry, real, virtual, on_cpu)
    return misses


def replace_task(task: Task, *, settings: tuple[Settings, ...], library: Path, endpoints: tuple[str, ...]) -> Task:
    """The same on remote devices."""
    return Task(
        kind=task.kind,
        path=task.path,
        settings=settings,
        tokens=task.tokens,
        keep_logits=task.keep_logits,
        rpc_library=str(library),
        rpc_endpoints=endpoints,
    )


def _row(label: str, dry: Result, real: Result, virtual: Result, on_cpu: Result) -> int:
    against_real, against_virtual = _differences(dry.buffers, real.buffers), _differences(virtual.buffers, dry.buffers)
    logits = float(np.max(np.abs(np.array(real.logits) - np.array(on_cpu.logits))))
    spread = float(np.std(np.array(on_cpu.logits)))
    same_token = int(np.argmax(real.logits)) == int(np.argmax(on_cpu.logits))
    missed = (
        any(kind != "compute" or abs(count) > _COMPUTE_TOLERANCE for (_, kind), count in against_real.items())
        or any(abs(count) > _ALIGNMENT_TOLERANCE for count in against_virtual.values())
        or logits > _LOGITS_TOLERANCE * spread
        or not same_token
    )
    print(
        f"  {label:16} {_text(against_real)} | {_text(against_virtual)} | {logits:.2e} of {spread:.2f}, "
        f"{'same' if same_token else 'ANOTHER'} token{'  MISS' if missed else ''}",
        flush=True,
    )
    return int(missed)


def _differences(left: Sequence[BufferBytes], right: Sequence[BufferBytes]) -> dict[tuple[str, str], int]:
    """(device, kind) → left - right, where they differ."""
    totals: dict[tuple[str, str], int] = {}
    for sign, buffers in ((1, left), (-1, right)):
        for buffer in buffers:
            for kind in ("weights", "state", "compute"):
                key = buffer.device, kind
                totals[key] = totals.get(key, 0) + sign * int(getattr(buffer, f"{kind}_bytes"))
    return {key: count for key, count in totals.items() if count}


def _text(differences: dict[tuple[str, str], int]) -> str:
    return ", ".join(f"{device} {kind} {count:+d}" for (device, kind), count in differences.items()) or "0"


if __name__ == "__main__":
    sys.exit(main())
