"""Advice: what is said was planned, cheap comes first, and what does not help is not said."""

from __future__ import annotations

from dataclasses import replace

from inference.planning.advice import Sibling, advise, short_device
from inference.planning.oracle import MeasureFailed
from inference.planning.values import Advice, Machine, PlanAnswer, Wish
from inference.planning.verdict import judge
from inference.values import Placement
from resources import wording
from tests.inference.planning.bills import GIB, ON_CARD, bill, forecast, machine, plan


class _Planner:
    """Plans by arithmetic: on the card if it fits there, half of it on the processor if not; counts its plans."""

    def __init__(self, *, weights_gib: float, gib_per_1k: float = 0.125) -> None:
        self.weights_gib, self.gib_per_1k = weights_gib, gib_per_1k
        self.asked = 0

    def __call__(self, wish: Wish, here: Machine) -> PlanAnswer:
        self.asked += 1
        parallel, batch = wish.parallel or 1, wish.batch_tokens or 512
        context = (wish.context_tokens or 8192) * parallel
        state = context / 1024 * self.gib_per_1k * (34 / 64 if wish.kv_type_k == "q8_0" else 1)
        compute = batch / 512 * 0.5
        placement = Placement()
        if not here.devices:
            made = bill(here, (self.weights_gib, state, compute))
        elif self.weights_gib + state + compute <= here.devices[0].budget_bytes / GIB:
            made = bill(here, (0.25, 0, 0.1), (self.weights_gib, state, compute))
            placement = ON_CARD
        else:
            room = here.devices[0].budget_bytes / GIB - compute
            share = room / (self.weights_gib + state)
            on_card = (self.weights_gib * share, state * share, compute)
            made = bill(here, (self.weights_gib * (1 - share), state * (1 - share), 0.1), on_card)
            placement = replace(ON_CARD, gpu_layers=10)
        load = plan(
            context_tokens=context,
            parallel=parallel,
            batch_tokens=batch,
            kv_type_k=wish.kv_type_k or "f16",
            placement=placement,
        )
        return PlanAnswer(plan=load, bill=made, speed=forecast(), verdict=judge(made, load, here), advice=())


def _advise(
    planner: _Planner, here: Machine, wish: Wish | None = None, siblings: tuple[Sibling, ...] = ()
) -> dict[str, Advice]:
    wish = wish or Wish()
    found = advise(planner(wish, here), wish=wish, machine=here, replan=planner, siblings=siblings)
    for advice in found:
        for language in ("zh", "en"):
            assert wording.text(f"plan.advice.{advice.kind}", language, **advice.fields)
    assert planner.asked <= 14
    assert len(found) <= 5
    return {advice.kind: advice for advice in found}


def test_nothing_to_say_where_it_fits() -> None:
    assert _advise(_Planner(weights_gib=4), machine(ram_gib=16)) == {}


def test_the_longest_context_that_fits_on_the_card() -> None:
    # 7.5 GiB may be taken; weights and buffers take 5.5, so that 16 k tokens fit exactly.
    here = machine(ram_gib=32, card_gib=8)
    found = _advise(_Planner(weights_gib=5), here, Wish(context_tokens=32768))
    assert found["context"].fields["context_tokens"] == 16384
    assert found["context"].makes_fit
    # What leaves main memory: the half of the model that was computed there.
    assert found["context"].saves_bytes > GIB
    assert not found["kv"].makes_fit and found["kv"].saves_bytes > 0
    assert next(iter(found)) == "context"


def test_a_cache_at_eight_bits() -> None:
    here = machine(ram_gib=32, card_gib=8)
    found = _advise(_Planner(weights_gib=6), here, Wish(context_tokens=12288))
    assert found["kv"].makes_fit and found["kv"].fields["kv_type"] == "q8_0"


def test_no_coarse_cache_for_the_processor() -> None:
    assert "kv" not in _advise(_Planner(weights_gib=13), machine(ram_gib=16))


def test_fewer_answers_at_once_and_smaller_batches() -> None:
    found = _advise(_Planner(weights_gib=10), machine(ram_gib=16), Wish(parallel=4, context_tokens=8192))
    assert found["parallel"].fields["parallel"] == 2
    assert found["parallel"].makes_fit
    found = _advise(_Planner(weights_gib=13.2), machine(ram_gib=16), Wish(context_tokens=8192, batch_tokens=512))
    assert found["batch"].fields["batch_tokens"] == 256
    assert found["batch"].saves_bytes == GIB // 4


def test_closing_programs_frees_main_memory() -> None:
    here = replace(
        machine(ram_gib=16, free_gib=6), other_programs=(("Browser", 3 * GIB), ("Editor", GIB), ("Music", GIB // 4))
    )
    found = _advise(_Planner(weights_gib=4.5), here)
    assert found["close"].fields == {"program": "Browser", "saves_bytes": 3 * GIB}
    assert found["close"].makes_fit
    found = _advise(_Planner(weights_gib=6.5), here)
    assert found["close"].fields["program"] == "Browser + Editor"


def test_a_smaller_sibling() -> None:
    here = machine(ram_gib=16)
    siblings = (
        Sibling(quantization="Q8_0", weight_bytes=20 * GIB),
        Sibling(quantization="Q6_K", weight_bytes=14 * GIB),
        Sibling(quantization="Q4_K_M", weight_bytes=10 * GIB),
        Sibling(quantization="Q2_K", weight_bytes=6 * GIB),
    )
    found = _advise(_Planner(weights_gib=16), here, siblings=siblings)
    assert found["sibling"].fields == {"quantization": "Q4_K_M", "saves_bytes": 6 * GIB}
    assert found["sibling"].makes_fit
    assert "memory" not in found


def test_hardware_only_when_nothing_else_helps() -> None:
    found = _advise(_Planner(weights_gib=26), machine(ram_gib=16))
    assert found["memory"].fields == {"memory_gb": 32}
    # Of 32 GiB, 2.6 are left to other programs.
    found = _advise(_Planner(weights_gib=28), machine(ram_gib=16))
    assert found["memory"].fields == {"memory_gb": 48}
    found = _advise(_Planner(weights_gib=18), machine(ram_gib=32, card_gib=8))
    assert found["card"].fields == {"memory_gb": 24}
    assert "memory" not in found


def test_what_the_engine_refuses_is_not_advised() -> None:
    here = machine(ram_gib=32, card_gib=8)
    planner = _Planner(weights_gib=6)

    def replan(wish: Wish, machine: Machine) -> PlanAnswer:
        if wish.kv_type_k == "q8_0":
            raise MeasureFailed("no")
        return planner(wish, machine)

    wish = Wish(context_tokens=12288)
    found = advise(planner(wish, here), wish=wish, machine=here, replan=replan)
    assert "kv" not in {advice.kind for advice in found} and found


def test_the_device_that_is_short() -> None:
    here = machine(ram_gib=32, card_gib=8)
    full = bill(here, (1, 0, 0.1), (6, 1, 0.4))
    made = PlanAnswer(plan=plan(placement=ON_CARD), bill=full, speed=forecast(), verdict="tight", advice=())
    assert short_device(made) == "CUDA0"
    assert short_device(replace(made, verdict="partly_on_cpu")) == "CPU"
