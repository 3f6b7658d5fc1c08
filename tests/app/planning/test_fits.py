"""How a model would run, told with as few plans as that takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.planning.finder import Found
from app.planning.fits import alike, find_fit
from app.planning.models import PlanModel, from_plan_data
from inference.errors import ArchitectureUnsupported
from inference.planning.values import Machine, PlanAnswer, Verdict
from models_catalog.errors import ModelVanished
from models_catalog.plan_library import published_models, published_plan_data
from tests.inference.planning.bills import GIB, answer, bill, machine

NAME = "qwen3-8b"  # 3 GiB as Q2_K, 4.7 as Q4_K_M, 8.1 as Q8_0, 15.3 as F16


def found(*names: str) -> tuple[Found, ...]:
    """Quantizations of one model; "gone" cannot be read."""

    def one(name: str) -> Found:
        async def read() -> PlanModel:
            head = published_plan_data(NAME, name)
            if head is None:
                raise ModelVanished(path=name)
            return from_plan_data(head, path=f"{name}.gguf", name=NAME, quantization=name)

        return Found(quantization=name, size_bytes=None, read=read)

    return tuple(map(one, names or published_models()[NAME]))


class Desk:
    """Plans that say what the test wrote down: the same for all but for those named."""

    def __init__(self, verdict: Verdict = "fits", decode: float = 20, refused: tuple[str, ...] = ()) -> None:
        self.verdict, self.decode, self.refused = verdict, decode, refused
        self.planned: list[str] = []

    async def plan(self, model: PlanModel, machine: Machine) -> PlanAnswer:
        self.planned.append(model.quantization)
        if model.quantization in self.refused:
            raise ArchitectureUnsupported(path=model.path, architecture="x")
        return answer(self.verdict, decode=self.decode * 5e9 / model.header.weight_bytes, of=machine)


async def test_the_best_that_is_fast_enough_is_told_with_its_numbers() -> None:
    desk = Desk()
    fit = await find_fit("m", found(), machine(ram_gib=16), desk.plan)
    assert desk.planned == ["Q4_K_M", "Q8_0"]
    assert (fit.model, fit.quantization, fit.verdict, fit.error) == ("m", "Q8_0", "fits", None)
    assert fit.size_bytes == published_models()[NAME]["Q8_0"] and fit.context == 8192
    assert (fit.needed_bytes, fit.budget_bytes, fit.short_bytes) == (int(5.5 * GIB), int(14.5 * GIB), 0)
    assert fit.decode is not None and fit.decode[0] < fit.decode[1] < fit.decode[2]


async def test_what_is_larger_than_all_memory_is_not_planned_at_all() -> None:
    desk = Desk()
    fit = await find_fit("m", found(), machine(ram_gib=6, card_gib=1.5), desk.plan)
    assert "Q8_0" not in desk.planned and fit.quantization == "Q6_K"


async def test_where_nothing_lies_in_memory_the_smallest_tells_what_is_missing() -> None:
    small = machine(ram_gib=2)

    async def plan(model: PlanModel, on: Machine) -> PlanAnswer:
        return replace(answer("larger_than_memory"), bill=bill(on, (3, 0.5, 0.25), soft=3))

    fit = await find_fit("m", found(), small, plan)
    assert (fit.quantization, fit.verdict) == ("Q2_K", "larger_than_memory")
    assert fit.short_bytes == int(3.75 * GIB) - small.host.budget_bytes


async def test_what_is_refused_is_left_out_and_told_if_nothing_else_is_left() -> None:
    desk = Desk(refused=("Q8_0",))
    assert (await find_fit("m", found("gone", "Q4_K_M", "Q6_K", "Q8_0"), machine(), desk.plan)).quantization == "Q6_K"
    fit = await find_fit("m", found("Q8_0"), machine(), desk.plan)
    assert fit.error is not None and fit.error.code == "ArchitectureUnsupported" and fit.verdict is None
    fit = await find_fit("m", found("gone"), machine(), desk.plan)
    assert fit.error is not None and fit.error.code == "ModelVanished"


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        (machine(free_gib=15.8), True),
        (machine(free_gib=15), False),
        (machine(ram_gib=32, free_gib=16), False),
        (machine(card_gib=8), False),
        (replace(machine(), other_programs=(("browser", GIB),)), True),
        (replace(machine(), host=replace(machine().host, disk_bytes_per_second=1e8)), False),
    ],
)
def test_a_fit_holds_while_the_computer_is_about_the_same(changed: Machine, same: bool) -> None:
    assert alike(machine(), changed) is same
