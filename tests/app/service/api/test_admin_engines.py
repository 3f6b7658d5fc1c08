"""Loading a model with wishes over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from inference.planning.values import Wish
from tests.app.service.fakes import Running


async def test_what_is_fixed_reaches_the_planner(running: Running) -> None:
    body = {
        "model": "qwen-small",
        "context_tokens": 2048,
        "parallel": 2,
        "kv_type": "q8_0",
        "kv_type_k": "f16",
        "gpu_layers": 0,
        "batch_tokens": 128,
        "decode_threads": 3,
        "flash_attention": True,
        "swa_full": False,
        "memory_map": True,
    }
    assert (await running.ask("POST", "/engines/load", body))["state"] == "ready"
    (_, wish, _, _) = running.world.plans[-1]
    assert wish == Wish(
        context_tokens=2048,
        parallel=2,
        kv_type_k="f16",
        kv_type_v="q8_0",
        gpu_layers=0,
        batch_tokens=128,
        decode_threads=3,
        flash_attention=True,
        swa_full=False,
        memory_map=True,
    )
    # The same wish again, or none, loads nothing anew.
    await running.ask("POST", "/engines/load", body)
    await running.ask("POST", "/engines/load", {"model": "qwen-small"})
    assert running.world.loads == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"context_tokens": 0},
        {"parallel": 1000},
        {"kv_type": "q3_k"},
        {"batch_tokens": 1},
        {"gpu_layers": -1},
        {"kv_type_v": "q8_0", "flash_attention": False},
    ],
)
async def test_what_cannot_be_planned_is_refused_in_both_languages(running: Running, wrong: dict[str, Any]) -> None:
    said = []
    for language in ("zh", "en"):
        reply = await running.http.post(
            "/liangli/v1/engines/load", json={"model": "", **wrong}, headers={"Accept-Language": language}
        )
        error = reply.json()["error"]
        assert reply.status_code == 422 and error["code"] == "WishInvalid"
        said.append(error["message"])
    assert said[0] != said[1] and running.world.loads == 0
