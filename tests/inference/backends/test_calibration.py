from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inference.backends.llama_cpp.toy_models import ATTENTION, CHAIN, EXPERTS, Shape, _scattered, large, write_toy
from inference.planning.calibrated import from_json
from models_catalog.gguf.header import read_header


@pytest.mark.parametrize("shape", [CHAIN, ATTENTION, EXPERTS, large("Q6_K", 100_000_000)])
def test_a_toy_is_a_header_and_a_hole(shape: Shape, tmp_path: Path) -> None:
    toy = write_toy(shape, "Q8_0")
    path = tmp_path / "toy.gguf"
    path.write_bytes(toy.head)
    os.truncate(path, toy.size_bytes)
    header = read_header(path)
    assert header.needed_bytes <= header.size_bytes
    assert header.size_bytes - header.needed_bytes < 32
    assert path.stat().st_blocks * 512 < len(toy.head) + 16384


def test_a_calibration_runs_in_a_child_and_keeps_its_time(tmp_path: Path) -> None:
    out = tmp_path / "calibration.json"
    run = subprocess.run(
        [
            *(sys.executable, "-m", "inference.backends.llama_cpp.calibration", str(out)),
            *("--threads", "1", "--seconds", "0.1", "--cpu", "A"),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    steps = [json.loads(line)["done"] for line in run.stdout.splitlines()]
    assert steps == sorted(steps) and steps[-1] == 1.0
    engine = json.loads(out.read_text(encoding="utf-8"))["calibration"]["engine"]
    calibration = from_json(out.read_text(encoding="utf-8"), cpu_name="A", engine=engine)
    assert calibration is not None
    assert (calibration.decode_threads, calibration.batch_threads) == (1, 1)
    # Any processor that runs this lies in these bounds.
    assert 1e8 < calibration.speed.read_bytes_per_second["Q4_K"] < 1e12
    assert 1e8 < calibration.speed.flops_per_second["Q4_K"] < 1e14
    assert 0 < calibration.speed.node_seconds < 1e-3


def test_scattered_numbers_are_like_random_ones() -> None:
    values = _scattered(100_000)
    assert values.dtype == np.float32
    assert abs(float(values.mean())) < 0.01
    assert abs(float(values.std()) - 1) < 0.01
    assert len(np.unique(values)) > 50_000
    rows = values[:96_000].reshape(-1, 32)
    assert abs(float(np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1])) < 0.02
