"""Forecast against reality on this processor: `python -m tests.proofs.speed MODEL … [--threads 1,2] [--depths 9,999]`.

MODEL: a GGUF file, or the name of a synthetic architecture (tests/synthetic/architectures.py). For each number of
threads the processor is calibrated, then every model answers with nothing around it
(inference.backends.llama_cpp.bare_loop). The error of the forecast is told against the best tenth of the tokens and
against the median; where other programs compute neither says much. Takes one to two minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from inference.backends.llama_cpp.dry_run import DryRunOracle
from inference.backends.llama_cpp.library import Callbacks, lib
from inference.backends.llama_cpp.virtual_devices import VirtualDevices
from inference.planning.calibrated import Calibration, from_json
from inference.planning.forecast import forecast
from inference.planning.values import HOST, Host, Machine, Settings, SpeedForecast
from inference.worker.environment import child_environment
from models_catalog.gguf.header import read_header
from models_catalog.gguf.plan_data import plan_data, read_plan_data
from tests.synthetic.architectures import ARCHITECTURES
from tests.synthetic.writing import write_hollow

_TOKENS = 48
_CONTEXT_TOKENS, _BATCH_TOKENS = 4096, 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """Tokens per second, and how long the prompt was."""

    prompt_tokens: int
    prefill: float
    decode_best: float
    decode_median: float


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--depths", default="32")
    parser.add_argument("--plain", action="store_true", help="without flash attention")
    arguments = parser.parse_args()
    lib.llama_backend_init()
    callbacks = Callbacks(lambda text: None)
    oracle = _Oracle(callbacks)
    for threads in map(int, arguments.threads.split(",")):
        calibration = _calibrate(threads)
        print(f"{threads} threads, load {os.getloadavg()[0]:.1f}, contended: {calibration.contended}, "
              f"calibrated in {calibration.seconds:.1f} s")  # fmt: skip
        for name in arguments.models:
            with _file(name) as path:
                for depth in map(int, arguments.depths.split(",")):
                    real = _run(path, threads, depth, flash=not arguments.plain)
                    told = oracle.forecast(path, calibration, real.prompt_tokens, flash=not arguments.plain)
                    print("  " + _line(name, told, real), flush=True)
    return 0


class _Oracle:
    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks, self._devices = callbacks, VirtualDevices()

    def forecast(self, path: Path, calibration: Calibration, depth: int, *, flash: bool) -> SpeedForecast:
        head = plan_data(read_header(path))
        header = read_plan_data(head, str(path))
        oracle = DryRunOracle(
            head,
            size_bytes=header.size_bytes,
            devices=self._devices,
            device_names=(),
            threads=calibration.decode_threads,
            callbacks=self._callbacks,
        )
        settings = Settings(
            context_tokens=_CONTEXT_TOKENS,
            sequences=1,
            batch_tokens=_BATCH_TOKENS,
            outputs_max=1,
            flash_attention=flash,
            swa_full=False,
            repack=calibration.repack,
        )
        try:
            return forecast(
                decode=oracle.graph(settings, 1),
                prefill=oracle.graph(settings, min(_BATCH_TOKENS, depth)),
                settings=settings,
                layers=header.layers or 0,
                machine=_machine(calibration),
                depth_tokens=depth,
            )
        finally:
            oracle.close()


def _machine(calibration: Calibration) -> Machine:
    size = 64 * 1024**3
    return Machine(
        host=Host(
            name=HOST,
            total_bytes=size,
            free_bytes=size,
            reserve_bytes=0,
            decode_threads=calibration.decode_threads,
            batch_threads=calibration.batch_threads,
            threads_reason="",
            repack=calibration.repack,
            speed=calibration.speed,
            disk_bytes_per_second=1e9,
        )
    )


@contextmanager
def _file(name: str) -> Iterator[Path]:
    if name not in ARCHITECTURES:
        yield Path(name)
        return
    with tempfile.TemporaryDirectory(prefix="liangli-speed-") as folder:
        yield write_hollow(Path(folder) / "model.gguf", ARCHITECTURES[name], "Q4_K_M")


def _calibrate(threads: int) -> Calibration:
    with tempfile.TemporaryDirectory(prefix="liangli-speed-") as folder:
        out = Path(folder) / "calibration.json"
        _child("calibration", str(out), "--threads", str(threads), "--seconds", "20")
        text = out.read_text(encoding="utf-8")
    found = from_json(text, cpu_name="", engine=json.loads(text)["calibration"]["engine"])
    assert found is not None
    return found


def _run(path: Path, threads: int, depth: int, *, flash: bool) -> Real:
    prompt = " ".join(str(number % 10) for number in range(max(4, depth // 2)))
    options = () if flash else ("--no-flash-attention",)
    out = json.loads(
        _child(
            "bare_loop", str(path), "--threads", str(threads), "--tokens", str(_TOKENS), "--prompt", prompt, *options
        )
    )
    seconds = out["token_seconds"]
    return Real(
        prompt_tokens=out["prompt_tokens"],
        prefill=out["prompt_tokens"] / out["prefill_seconds"],
        decode_best=1.0 / quantiles(seconds, n=10)[0],
        decode_median=1.0 / median(seconds),
    )


def _child(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"inference.backends.llama_cpp.{module}", *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=child_environment(os.environ)
    ).stdout  # fmt: skip


def _line(name: str, told: SpeedForecast, real: Real) -> str:
    def error(likely: float, actual: float) -> str:
        return f"{100 * (likely / actual - 1):+.0f} %"

    decode, prefill = told.decode, told.prefill
    return (
        f"{Path(name).name[:32]:32} depth {real.prompt_tokens:5}: decode {decode.likely:6.1f} "
        f"[{decode.low:.1f}-{decode.high:.1f}] of "
        f"{real.decode_best:.1f} best ({error(decode.likely, real.decode_best)}), "
        f"{real.decode_median:.1f} median ({error(decode.likely, real.decode_median)}); "
        f"prefill {prefill.likely:.0f} of {real.prefill:.0f} ({error(prefill.likely, real.prefill)})"
    )


if __name__ == "__main__":
    raise SystemExit(main())
