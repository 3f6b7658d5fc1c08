"""What is measured is compared with the bill, and remembered from one service to the next."""

from __future__ import annotations

from pathlib import Path

from app.service.engines.residuals import ResidualBook, overdrawn, residuals
from inference.planning.values import HOST, Bill, BillTerm, DeviceBytes
from inference.values import MeasuredMemory


def bar(name: str, *, hard: int, budget: int, free: int, soft: int = 0) -> DeviceBytes:
    return DeviceBytes(
        name=name,
        description="",
        weights_bytes=hard + soft,
        state_bytes=0,
        compute_bytes=0,
        other_bytes=0,
        budget_bytes=budget,
        free_bytes=free,
        soft_bytes=soft,
    )


def bill(*bars: DeviceBytes, terms: tuple[BillTerm, ...] = ()) -> Bill:
    return Bill(devices=bars, terms=terms, basis="exact")


TWO = bill(bar(HOST, hard=100, budget=150, free=200, soft=1000), bar("CUDA0", hard=50, budget=80, free=90))


def test_more_than_the_bill_is_a_residual_and_less_is_none() -> None:
    memory = MeasuredMemory(private_bytes=130, device_bytes={"CUDA0": 40})
    assert residuals(TWO, memory) == {HOST: 30, "CUDA0": 0}
    assert residuals(TWO, MeasuredMemory()) == {}


def test_what_was_learned_before_is_not_learned_twice() -> None:
    learned = (
        BillTerm(kind="process", device=HOST, bytes=20),
        BillTerm(kind="process", device=HOST, bytes=30),
        BillTerm(kind="pool", device="CUDA0", bytes=10),
    )
    memory = MeasuredMemory(private_bytes=100, device_bytes={"CUDA0": 50})
    assert residuals(bill(*TWO.devices, terms=learned), memory) == {HOST: 30, "CUDA0": 10}


def test_budget_and_reserve_have_to_be_used_up() -> None:
    assert overdrawn(TWO, MeasuredMemory(private_bytes=200, device_bytes={"CUDA0": 90})) is None
    assert overdrawn(TWO, MeasuredMemory(private_bytes=201)) == (HOST, 1)
    assert overdrawn(TWO, MeasuredMemory(private_bytes=210, device_bytes={"CUDA0": 120})) == ("CUDA0", 30)
    planned_larger = bill(bar(HOST, hard=500, budget=150, free=200))
    assert overdrawn(planned_larger, MeasuredMemory(private_bytes=450)) is None
    assert overdrawn(TWO, MeasuredMemory()) is None


def test_a_book_believes_more_at_once_and_less_bit_by_bit(tmp_path: Path) -> None:
    file = tmp_path / "planning" / "residuals.json"
    book = ResidualBook(file)
    assert book.of("qwen3").device_bytes == {}
    book.observe("b1", "qwen3", {HOST: 100, "CUDA0": 0})
    book.observe("b1", "qwen3", {HOST: 20})
    assert ResidualBook(file).of("qwen3").device_bytes == {HOST: 80, "CUDA0": 0}
    book.observe("b1", "llama", {HOST: 7})
    assert book.of("qwen3").device_bytes[HOST] == 80
    book.observe("b2", "llama", {HOST: 1})
    assert (book.of("qwen3").device_bytes, book.of("llama").device_bytes) == ({}, {HOST: 1})


def test_a_broken_file_is_an_empty_book(tmp_path: Path) -> None:
    file = tmp_path / "residuals.json"
    file.write_text("{")
    assert ResidualBook(file).of("qwen3").device_bytes == {}
