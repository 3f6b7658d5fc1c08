from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.plan_values import CalibrationStatus
from app.planning.desk import PlanDesk
from tests.app.service.fakes import Running, until
from tests.tiny_models import write_tiny_llama


async def test_a_file_is_planned_with_what_was_fixed(running: Running, tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "m.gguf", context=2048)
    plans = await running.ask("POST", "/plans", {"model": str(path), "context": 512, "parallel": 2, "advice": False})
    (quantization,) = plans["quantizations"]
    plan = quantization["plan"]
    assert (plan["context"], plan["parallel"], plan["basis"], plan["verdict"]) == (512, 2, "exact", "fits")
    assert plan["total_bytes"] == sum(device["total_bytes"] for device in plan["devices"])
    assert {reason["field"]: reason["chosen_by"] for reason in plan["reasons"]}["context_tokens"] == "user"
    assert plans["best"] == 0 and not plans["hypothetical"]


async def test_a_published_model_is_planned_for_a_card_that_is_not_here(running: Running) -> None:
    body = {"model": "qwen3-0.6b:Q8_0", "gpus": ["RTX 3060 12GB"], "ram": "16G", "advice": False}
    plans = await running.ask("POST", "/plans", body)
    plan = plans["quantizations"][0]["plan"]
    assert plans["hypothetical"] and plan["gpu_layers"] == plan["layers"] + 1
    assert [device["description"] for device in plan["devices"]][1:] == ["NVIDIA GeForce RTX 3060"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"model": "qwen3-0.6b:Q8_0", "gpus": ["RTX 99"]}, "CardUnknown"),
        ({"model": "qwen3-0.6b:Q8_0", "ram": "much"}, "WishInvalid"),
        ({"model": "qwen3-0.6b:Q8_0", "kv": "q3"}, "WishInvalid"),
        ({"model": "qwen3-0.6b:Q8_0", "context": 0}, "WishInvalid"),
        ({"model": "no-such-model"}, "ModelMissing"),
        ({"model": "/nowhere/m.gguf"}, "ModelFileMissing"),
    ],
)
async def test_what_cannot_be_planned_is_told(running: Running, body: dict[str, Any], code: str) -> None:
    reply = await running.http.post("/liangli/v1/plans", json=body)
    assert reply.json()["error"]["code"] == code and reply.json()["error"]["message"]


async def test_the_computer_is_shown_whole_and_live(running: Running) -> None:
    hardware = await running.ask("GET", "/hardware")
    assert hardware["memory_total_bytes"] > 0 and hardware["usable_cores"] >= 1 and hardware["calibrated_at"] is None
    live = await running.ask("GET", "/hardware/live")
    assert 0 < live["memory_available_bytes"] <= live["memory_total_bytes"]
    assert len(live["accelerators"]) == len(hardware["accelerators"])


async def test_measuring_is_followed_by_events_and_can_be_cancelled(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    service_waits = asyncio.Event()

    async def measure(desk: PlanDesk, on_progress: Any) -> None:
        on_progress(0.5)
        await service_waits.wait()

    monkeypatch.setattr(PlanDesk, "calibrate", measure)
    async with running.events() as events:
        assert (await running.ask("POST", "/hardware/calibrate"))["state"] == "running"
        await until(events, "calibration", fraction=0.5)
        await running.ask("DELETE", "/hardware/calibrate")
        await until(events, "calibration", state="cancelled")
        await running.ask("POST", "/hardware/calibrate")
        service_waits.set()
        done = await until(events, "calibration", state="done")
    assert CalibrationStatus(**done) == CalibrationStatus(state="done", fraction=1.0)


async def test_a_wrong_body_names_its_field(running: Running) -> None:
    for body, field in (
        ('{"model": "m", "context": "many"}', "context"),
        ('{"context": 4096}', "model"),
        ('{"model": "m", "gpus": "none"}', "gpus"),
        ('{"model": "\\ud800"}', "body"),
        ('{"model": "m", "ram": "\\udfff"}', "body"),
        ("[]", "body"),
    ):
        headers = {"content-type": "application/json"}
        reply = await running.http.post("/liangli/v1/plans", content=body, headers=headers)
        error = reply.json()["error"]
        assert (reply.status_code, error["code"], error["fields"]["field"]) == (400, "BadRequest", field), body
