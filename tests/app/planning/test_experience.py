from __future__ import annotations

from pathlib import Path

import pytest

from app.planning.experience import Experience
from inference.planning.values import (
    Bill,
    DeviceBytes,
    DeviceSpeed,
    Host,
    Machine,
    PlanAnswer,
    Range,
    SpeedForecast,
)
from inference.values import HOST, LoadPlan

SPEED = DeviceSpeed(
    read_bytes_per_second={"": 1e10},
    flops_per_second={"": 1e11},
    kv_read_bytes_per_second={"": 1e10},
    node_seconds=0.0,
    split_seconds=0.0,
    link_bytes_per_second=None,
    origin="table",
    spread=0.5,
)
MACHINE = Machine(
    host=Host(
        name="cpu",
        total_bytes=8,
        free_bytes=8,
        reserve_bytes=0,
        decode_threads=1,
        batch_threads=1,
        threads_reason="one_core_free",
        repack=True,
        speed=SPEED,
        disk_bytes_per_second=1.0,
    )
)
ANSWER = PlanAnswer(
    plan=LoadPlan(
        model_path="/m.gguf", context_tokens=512, sequences=1, batch_tokens=64, decode_threads=1, batch_threads=1
    ),
    bill=Bill(
        devices=(
            DeviceBytes(
                name=HOST,
                description="cpu",
                weights_bytes=100,
                state_bytes=0,
                compute_bytes=0,
                other_bytes=0,
                budget_bytes=1000,
                free_bytes=1000,
            ),
        ),
        terms=(),
        basis="exact",
    ),
    speed=SpeedForecast(
        decode=Range(low=10.0, likely=20.0, high=30.0),
        prefill=Range(low=100.0, likely=200.0, high=300.0),
        depth_tokens=100,
        origin="table",
        slowest=HOST,
    ),
    verdict="fits",
    advice=(),
)


def answered(experience: Experience, path: str = "/m.gguf", *, unevenness: float = 1.0) -> None:
    experience.answered(
        path, "qwen2", prompt=(400, 1.0), completion=(100, 10.0), depth_tokens=100, unevenness=unevenness
    )


def test_an_answer_moves_the_next_forecast_and_outlasts_a_restart(tmp_path: Path) -> None:
    experience = Experience(tmp_path)
    assert experience.corrected(ANSWER, MACHINE, "qwen2").speed.decode.likely == pytest.approx(20.0)
    answered(experience)
    corrected = Experience(tmp_path).corrected(ANSWER, MACHINE, "qwen2")
    assert 10.0 <= corrected.speed.decode.likely < 20.0 and corrected.speed.prefill.likely > 200.0
    assert corrected.speed.origin == "learned" and corrected.plan == ANSWER.plan


def test_what_was_never_forecast_or_was_disturbed_teaches_nothing(tmp_path: Path) -> None:
    experience = Experience(tmp_path)
    answered(experience)
    experience.corrected(ANSWER, MACHINE, "qwen2")
    answered(experience, "/other.gguf")
    answered(experience, unevenness=2.0)
    assert not (tmp_path / "learned.json").exists()


def test_a_computer_that_is_only_asked_about_is_not_learned_for(tmp_path: Path) -> None:
    experience = Experience(tmp_path)
    imagined = Machine(host=MACHINE.host, hypothetical=True)
    experience.corrected(ANSWER, imagined, "qwen2")
    answered(experience)
    assert not (tmp_path / "learned.json").exists()


def test_a_damaged_calibration_is_none(tmp_path: Path) -> None:
    experience = Experience(tmp_path)
    experience.calibration_file.write_text("{}")
    assert experience.calibration("cpu") is None
