from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inference.errors import EngineDiedLoading, ModelLoadTimeout, PlanFailed
from inference.plan_worker.client import PlanWorker
from inference.plan_worker.messages import PlanTask
from inference.planning.values import DeviceSpeed, Host, Machine, Wish
from models_catalog.errors import NotGguf
from models_catalog.gguf.header import read_header
from models_catalog.gguf.plan_data import plan_data
from tests.tiny_models import write_tiny_llama

GIB = 1024**3
SPEED = DeviceSpeed(
    read_bytes_per_second={"": 2e10},
    flops_per_second={"": 1e11},
    kv_read_bytes_per_second={"": 1e10},
    node_seconds=1e-6,
    split_seconds=1e-5,
    link_bytes_per_second=None,
    origin="table",
    spread=0.3,
)
MACHINE = Machine(
    host=Host(
        name="cpu",
        total_bytes=8 * GIB,
        free_bytes=6 * GIB,
        reserve_bytes=GIB,
        decode_threads=1,
        batch_threads=2,
        threads_reason="one_core_free",
        repack=True,
        speed=SPEED,
        disk_bytes_per_second=1e9,
    )
)


def task(tmp_path: Path, **fields: object) -> PlanTask:
    path = write_tiny_llama(tmp_path / "m.gguf", context=2048)
    values = {"model_path": str(path), "head": plan_data(read_header(path)), "machine": MACHINE, "wish": Wish()}
    return PlanTask(**(values | fields))  # type: ignore[arg-type]


async def test_a_real_worker_plans_again_and_again(tmp_path: Path) -> None:
    worker = PlanWorker()
    try:
        first = await worker.plan(task(tmp_path))
        assert first.bill.basis == "exact" and first.verdict == "fits" and first.plan.context_tokens == 2048
        second = await worker.plan(task(tmp_path, wish=Wish(context_tokens=512)))
        assert second.plan.context_tokens == 512 and second.bill.total_bytes < first.bill.total_bytes
    finally:
        await worker.close()


async def test_a_damaged_header_is_refused_and_the_worker_goes_on(tmp_path: Path) -> None:
    worker = PlanWorker()
    try:
        with pytest.raises(NotGguf):
            await worker.plan(task(tmp_path, head=b"GG"))
        with pytest.raises(PlanFailed):  # llama.cpp makes no context of this kind
            await worker.plan(task(tmp_path, wish=Wish(kv_type_v="q8_0", flash_attention=False)))
        assert (await worker.plan(task(tmp_path))).verdict == "fits"
    finally:
        await worker.close()


DIES = "import os; os.abort()"
SILENT = "import time; time.sleep(60)"
BABBLES = "import socket, sys; socket.socket(fileno=int(sys.argv[1])).sendall(b'\\x04\\0\\0\\0{}{}')"


async def test_a_worker_that_dies_is_told_and_replaced(tmp_path: Path) -> None:
    worker = PlanWorker(command=(sys.executable, "-c", DIES))
    with pytest.raises(EngineDiedLoading) as death:
        await worker.plan(task(tmp_path))
    assert death.value.cause == "aborted"
    with pytest.raises(EngineDiedLoading):
        await worker.plan(task(tmp_path))
    await worker.close()


async def test_a_worker_without_an_end_is_ended(tmp_path: Path) -> None:
    worker = PlanWorker(command=(sys.executable, "-c", SILENT), limit_seconds=0.5)
    with pytest.raises(ModelLoadTimeout):
        await worker.plan(task(tmp_path))
    await worker.close()


async def test_nonsense_from_a_worker_is_a_death(tmp_path: Path) -> None:
    worker = PlanWorker(command=(sys.executable, "-c", BABBLES))
    with pytest.raises(EngineDiedLoading):
        await worker.plan(task(tmp_path))
    await worker.close()
