"""Dry run against real load: `python -m tests.proofs.dry_matrix [--architectures a,b] [--quantizations Q4_K_M]`.

Every architecture, every setting, loaded for real in a process of its own: state and working memory must be the same to
the byte, and without mapping the weights too; what the one refuses the other must refuse. Exit code 1 on any miss.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from inference.backends.llama_cpp.library import Callbacks, lib
from inference.planning.values import Settings
from tests.proofs.loading import Result, Task, run
from tests.proofs.matrix import MAPPED, SETTINGS
from tests.synthetic.architectures import ARCHITECTURES
from tests.synthetic.writing import write_random


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", default=",".join(ARCHITECTURES))
    parser.add_argument("--quantizations", default="Q4_K_M")
    arguments = parser.parse_args()
    Callbacks(lambda text: None)
    lib.llama_backend_init()
    totals = [0, 0, 0]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="liangli-matrix-") as folder:
        for quantization in arguments.quantizations.split(","):
            for name in arguments.architectures.split(","):
                path = write_random(Path(folder) / "model.gguf", ARCHITECTURES[name], quantization)
                compared, refused, misses = compare(path, SETTINGS)
                for miss in misses:
                    print(f"  MISS {name} {quantization}: {miss}")
                size = path.stat().st_size / 2**20
                print(f"{name:14} {quantization:7} {size:6.0f} MiB: {compared} loads equal to the byte, ", end="")
                print(f"{refused} refused by both, {len(misses)} misses", flush=True)
                totals = [total + one for total, one in zip(totals, (compared, refused, len(misses)), strict=True)]
    print(f"{totals[0]} loads equal to the byte; {totals[1]} refused by both; {totals[2]} misses; "
          f"{time.monotonic() - started:.0f} s")  # fmt: skip
    return 1 if totals[2] else 0


def compare(path: Path, settings: dict[str, Settings]) -> tuple[int, int, list[str]]:
    """Number of equal loads, of loads that both refuse, and descriptions of all differences."""
    cases = [(name, one, False) for name, one in settings.items()]
    cases += [(name, settings[name], True) for name in MAPPED if name in settings]
    dry = dict(zip(settings, run(Task(kind="dry", path=str(path), settings=tuple(settings.values()))), strict=True))
    equal, refused, misses = 0, 0, []
    for name, one, mapped in cases:
        (real,) = run(Task(kind="real", path=str(path), settings=(one,), memory_map=mapped))
        label = f"{name}{', mapped' if mapped else ''}"
        if real.error and dry[name].error:
            refused += 1
        elif difference := differences(dry[name], real, weights=not mapped):
            misses.append(f"{label}: {difference}")
        else:
            equal += 1
    return equal, refused, misses


def differences(dry: Result, real: Result, *, weights: bool) -> str:
    """What differs between a dry run and a real load, "" when nothing does."""
    if dry.error or real.error:
        return f"dry run: {dry.error or 'fine'}; real: {real.error or 'fine'}"
    return "; ".join(
        f"{name} dry {ours} real {theirs}"
        for name, ours, theirs in (
            (name, _rows(dry, weights).get(name, (0, 0, 0)), _rows(real, weights).get(name, (0, 0, 0)))
            for name in sorted(_rows(dry, weights) | _rows(real, weights))
        )
        if ours != theirs
    )


def _rows(result: Result, weights: bool) -> dict[str, tuple[int, int, int]]:
    """Buffer type → weights (0 when they are not compared), state, working memory."""
    rows = {
        buffer.buffer_type: (buffer.weights_bytes if weights else 0, buffer.state_bytes, buffer.compute_bytes)
        for buffer in result.buffers
    }
    return {name: row for name, row in rows.items() if any(row)}


if __name__ == "__main__":
    sys.exit(main())
