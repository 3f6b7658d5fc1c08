from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import resources
from inference.planning.budget import shortages
from inference.planning.estimate import EstimateOracle
from inference.planning.oracle import MeasureFailed
from inference.planning.planner import ModelFigures, ModelPlanner, make_plan
from inference.planning.search import typical_seconds
from inference.planning.values import (
    HOST,
    GraphCost,
    Limits,
    Machine,
    Measured,
    PlanAnswer,
    Residuals,
    Settings,
    Wish,
)
from inference.values import KvType
from models_catalog.gguf.header import GgufHeader
from tests.inference.planning.shapes import (
    GIB,
    card,
    dense,
    experts,
    llama2_7b,
    llama2_70b,
    machine,
    qwen3_8b,
    qwen3_30b_a3b,
    qwen3_32b,
    six_b,
)


class Counting:
    """An oracle that counts what it is asked for the first time."""

    def __init__(self, header: GgufHeader) -> None:
        self._oracle = EstimateOracle(header)
        self.measured: dict[Settings, Measured] = {}
        self.refused: tuple[KvType, ...] = ()

    def measure(self, settings: Settings) -> Measured:
        if settings.kv_type_k in self.refused:
            raise MeasureFailed("no such cache")
        if settings not in self.measured:
            self.measured[settings] = self._oracle.measure(settings)
        return self.measured[settings]

    def graph(self, settings: Settings, tokens: int) -> GraphCost:
        return self._oracle.graph(settings, tokens)

    def close(self) -> None:
        self._oracle.close()


def plan(
    header: GgufHeader,
    on: Machine,
    wish: Wish | None = None,
    *,
    limits: Limits | None = None,
    residuals: Residuals | None = None,
    oracle: Counting | None = None,
) -> PlanAnswer:
    return make_plan(
        model_path="m.gguf",
        header=header,
        machine=on,
        wish=wish or Wish(),
        oracle=oracle or Counting(header),
        limits=limits,
        residuals=residuals,
    )


def bare_plan(header: GgufHeader, on: Machine, wish: Wish | None = None, oracle: Counting | None = None) -> PlanAnswer:
    """Without advice, which plans again and again."""
    return ModelPlanner("m.gguf", header, oracle or Counting(header), Limits(), Residuals()).plan(wish or Wish(), on)


def few_layers() -> GgufHeader:
    """The layers of an 8B model, but eight of them only: 2.2 GiB."""
    return dense(
        "few-layers", layers=8, width=4096, heads=32, kv_heads=8, ffn=12288, vocabulary=64000, kind="Q8_0",
        context=32768,
    )  # fmt: skip


def few_experts() -> GgufHeader:
    """2.2 GiB, nine tenths of them routed experts."""
    return experts(
        "few-experts", layers=6, width=2048, heads=32, kv_heads=4, head_width=128, count=64, used=4, ffn=768,
        vocabulary=64000, kind="Q8_0",
    )  # fmt: skip


# ---- published figures


def test_a_six_billion_model_at_four_bits_fits_a_card_of_6_gb() -> None:
    answer = plan(six_b(), machine(card(free=6 - 0.3), ram=16))
    assert answer.verdict in ("fits", "tight") and answer.plan.placement.gpu_layers == 29


def test_llama_2_7b_in_16_bits_needs_one_card_of_24_gb() -> None:
    whole = plan(llama2_7b(), machine(card(free=23.5, gb_per_second=900), ram=64))
    assert whole.verdict in ("fits", "tight") and len(whole.plan.placement.devices) == 1
    partly = plan(llama2_7b(), machine(card(free=11.7, gb_per_second=900), ram=64))
    assert partly.verdict == "partly_on_cpu"


def test_llama_2_70b_in_16_bits_needs_several_cards_of_80_gb() -> None:
    one = plan(llama2_70b(), machine(card(free=79, gb_per_second=2000), ram=200))
    assert one.verdict == "partly_on_cpu"
    two = plan(
        llama2_70b(),
        machine(card(free=79, gb_per_second=2000), card("CUDA1", free=79, gb_per_second=2000), ram=200),
    )
    assert two.verdict in ("fits", "tight") and two.plan.placement.devices == ("CUDA0", "CUDA1")


def test_sixteen_conversations_of_llama_2_70b_take_5_gib() -> None:
    answer = plan(llama2_70b("Q4_0"), machine(ram=128), Wish(context_tokens=1024, parallel=16))
    assert answer.plan.context_tokens == 16384 and answer.plan.sequences == 16
    assert answer.bill.devices[0].state_bytes == 5 * GIB


# ---- the processor


def test_a_model_with_room_is_copied_and_attends_without_flash() -> None:
    answer = plan(qwen3_8b(), machine(ram=16))
    assert answer.verdict == "fits" and answer.plan.placement.devices == ()
    assert not answer.plan.memory_map and answer.plan.repack and not answer.plan.flash_attention
    # Some 30 tokens of a prompt in a second: twice the context would take five minutes to fill.
    assert answer.plan.context_tokens == 4096
    assert "slow_reading" in [choice.reason for choice in answer.plan.choices if choice.field == "context_tokens"]
    assert plan(qwen3_8b(), machine(ram=16), Wish(context_tokens=8192)).plan.context_tokens == 8192


def test_attention_without_flash_is_no_burden_beside_the_weights() -> None:
    answer = plan(six_b(), machine(ram=64), Wish(context_tokens=65536))
    assert answer.plan.flash_attention
    assert answer.bill.devices[0].compute_bytes < 0.25 * answer.bill.devices[0].weights_bytes


def test_plenty_of_memory_gives_a_longer_context() -> None:
    assert plan(six_b(), machine(card(free=24), ram=64)).plan.context_tokens == 32768
    for free, context in ((8, 8192), (12, 16384), (24, 32768)):
        assert plan(qwen3_8b(), machine(card(free=free), ram=64)).plan.context_tokens == context
    assert plan(llama2_7b(), machine(ram=64)).plan.context_tokens == 4096


def test_a_model_larger_than_memory_is_mapped_and_slow() -> None:
    answer = plan(qwen3_32b(), machine(ram=8))
    assert answer.plan.memory_map and not answer.plan.repack and answer.verdict == "larger_than_memory"
    assert answer.speed.decode.likely < 1
    assert not shortages(answer.bill, machine(ram=8))


def test_a_cpu_only_plan_measures_little() -> None:
    header = qwen3_8b()
    oracle = Counting(header)
    plan(header, machine(ram=16), oracle=oracle)
    assert len(oracle.measured) <= 4


# ---- cards


def test_the_fastest_card_that_holds_all_is_taken_alone() -> None:
    fast, large = card(free=12, gb_per_second=900), card("CUDA1", free=24, gb_per_second=300)
    assert plan(qwen3_8b(), machine(fast, large, ram=32)).plan.placement.devices == ("CUDA0",)
    assert plan(qwen3_32b(), machine(large, ram=32)).plan.placement.devices == ("CUDA1",)


def test_two_cards_share_what_one_cannot_hold() -> None:
    cards = (card(free=12, gb_per_second=400), card("CUDA1", free=12, gb_per_second=400))
    answer = plan(qwen3_32b(), machine(*cards, ram=32))
    placement = answer.plan.placement
    assert placement.gpu_layers == 65 and not placement.overrides
    assert sum(placement.tensor_split) == 65 and max(placement.tensor_split) - min(placement.tensor_split) <= 3


def test_experts_go_to_the_host_before_attention() -> None:
    answer = plan(qwen3_30b_a3b(), machine(card(free=8), ram=32))
    assert answer.plan.placement.gpu_layers == 49 and answer.bill.devices[0].state_bytes == 0
    assert 1 <= len(answer.plan.placement.overrides) <= 2
    assert "exps" in answer.plan.placement.overrides[0].pattern
    # Experts of the host travel to the card for each batch: larger ones are worth their memory.
    assert answer.plan.batch_tokens == 2048


def test_a_card_plan_measures_at_most_fifteen_times() -> None:
    for header in (qwen3_32b(), qwen3_30b_a3b(), llama2_70b()):
        for on in (machine(card(free=8), ram=32), machine(card(free=24), card("CUDA1", free=12), ram=64)):
            oracle = Counting(header)
            bare_plan(header, on, oracle=oracle)
            assert len(oracle.measured) <= 15


def test_figures_that_are_kept_change_no_plan() -> None:
    header = few_experts()
    oracle = Counting(header)
    figures = ModelFigures(header, oracle)
    wish = Wish(parallel=2)
    for on in (machine(card(free=2), ram=8), machine(card(free=1), ram=4), machine(ram=4)):
        planner = ModelPlanner("m.gguf", header, oracle, Limits(), Residuals(), figures)
        assert planner.plan(wish, on) == bare_plan(header, on, wish)


def test_a_plan_that_leans_on_the_processor_comes_with_advice() -> None:
    answer = plan(few_experts(), machine(card(free=1), ram=8), Wish(parallel=2))
    assert answer.advice and answer.verdict == "partly_on_cpu"


def test_a_card_is_filled_to_its_budget() -> None:
    for header in (qwen3_32b(), qwen3_30b_a3b()):
        bar = plan(header, machine(card(free=8), ram=64)).bill.devices[1]
        part = 150 * 1024**2 if header.architecture == "llama" else 130 * 1024**2
        assert bar.budget_bytes - part < bar.hard_bytes <= bar.budget_bytes


def test_a_cache_that_the_engine_refuses_is_no_lever() -> None:
    header = qwen3_32b()
    oracle = Counting(header)
    oracle.refused = ("q8_0",)
    assert plan(header, machine(card(free=8), ram=32), oracle=oracle).plan.kv_type_k == "f16"
    with pytest.raises(MeasureFailed):
        plan(header, machine(ram=64), Wish(kv_type_k="q8_0"), oracle=oracle)


# ---- wishes and limits


def test_every_wish_is_kept() -> None:
    wish = Wish(
        context_tokens=12000, parallel=3, kv_type_k="q8_0", kv_type_v="q8_0", flash_attention=True, swa_full=False,
        batch_tokens=128, gpu_layers=20, decode_threads=3, memory_map=True,
    )  # fmt: skip
    for on in (machine(card(free=8), ram=32), machine(card(free=1), ram=2)):
        answer = plan(qwen3_8b(), on, wish)
        made = answer.plan
        assert made.context_tokens == 36096 and made.parallel == 3 and made.sequences >= 3
        assert (made.kv_type_k, made.kv_type_v, made.flash_attention, made.swa_full) == ("q8_0", "q8_0", True, False)
        assert (made.batch_tokens, made.decode_threads, made.memory_map) == (128, 3, True)
        assert made.placement.gpu_layers == 20
        users = {choice.field for choice in made.choices if choice.chosen_by == "user"}
        assert users == {
            "context_tokens", "parallel", "kv_type_k", "kv_type_v", "flash_attention", "swa_full", "batch_tokens",
            "gpu_layers", "decode_threads", "memory_map",
        }  # fmt: skip
    assert answer.verdict == "does_not_fit"


def test_the_processor_only_is_a_wish_too() -> None:
    answer = plan(qwen3_8b(), machine(card(free=24, gb_per_second=900), ram=32), Wish(gpu_layers=0))
    assert answer.plan.placement.devices == () and answer.bill.devices[0].name == HOST


def test_what_a_failure_taught_is_obeyed() -> None:
    limits = Limits(batch_tokens=256, kv_type="q8_0", context_tokens=4096, device_bytes={"CUDA0": 2 * GIB})
    on = machine(card(free=8), ram=32)
    answer = plan(qwen3_8b(), on, limits=limits)
    made = answer.plan
    assert (made.batch_tokens, made.kv_type_k, made.kv_type_v, made.context_tokens) == (256, "q8_0", "q8_0", 4096)
    assert answer.bill.devices[1].hard_bytes <= 5.4 * GIB and answer.limits == limits
    fixed = plan(qwen3_8b(), on, Wish(context_tokens=8192, kv_type_k="f16", kv_type_v="f16"), limits=limits).plan
    assert (fixed.context_tokens, fixed.kv_type_k) == (8192, "f16")


def test_the_fence_leaves_room_for_everything_but_a_runaway() -> None:
    answer = plan(qwen3_8b(), machine(ram=16))
    assert answer.plan.memory_limit_bytes is not None
    assert answer.plan.memory_limit_bytes > answer.bill.devices[0].hard_bytes + 2 * GIB


def test_every_reason_has_its_words() -> None:
    words = tomllib.loads(resources.path("texts", "plan.toml").read_text(encoding="utf-8"))
    for header in (qwen3_8b(), qwen3_30b_a3b(), llama2_70b()):
        for on in (machine(ram=3), machine(ram=64), machine(card(free=8), ram=32)):
            for choice in bare_plan(header, on).plan.choices:
                assert choice.reason in words, choice


# ---- properties

MACHINES = st.builds(
    lambda ram, cards: machine(
        *(card(f"CUDA{number}", free=free, reserve=0.1, gb_per_second=speed)
          for number, (free, speed) in enumerate(sorted(cards, key=lambda one: -one[1]))),
        ram=ram,
    ),
    st.floats(0.5, 16),
    st.lists(st.tuples(st.floats(0.1, 4), st.sampled_from([100.0, 300.0, 900.0])), max_size=3),
)  # fmt: skip
HEADERS = {"dense": few_layers(), "experts": few_experts()}
MODELS = st.sampled_from(sorted(HEADERS))
WISHES = st.builds(
    Wish,
    context_tokens=st.sampled_from([None, 1000, 8192, 32768]),
    parallel=st.sampled_from([None, 1, 4, 20]),
    kv_type_k=st.sampled_from([None, "f16", "q8_0"]),
    kv_type_v=st.sampled_from([None, "f16"]),
    flash_attention=st.sampled_from([None, True]),
    batch_tokens=st.sampled_from([None, 64, 1024]),
    gpu_layers=st.sampled_from([None, 0, 3, 99]),
    memory_map=st.sampled_from([None, True, False]),
)


@settings(deadline=None, max_examples=40)
@given(MODELS, MACHINES, WISHES)
def test_budgets_are_kept_wishes_are_kept_and_plans_repeat(model: str, on: Machine, wish: Wish) -> None:
    header = HEADERS[model]
    answer = bare_plan(header, on, wish)
    assert answer == bare_plan(header, on, wish)
    if answer.verdict in ("fits", "tight", "partly_on_cpu", "larger_than_memory"):
        assert not shortages(answer.bill, on)
    made = answer.plan
    assert made.sequences >= made.parallel == (wish.parallel or 1) and made.outputs_max == made.sequences
    if wish.context_tokens is not None:
        assert 0 <= made.context_tokens - wish.context_tokens * made.parallel < 256
    if wish.gpu_layers is not None and on.devices:
        assert made.placement.gpu_layers == min(wish.gpu_layers, (header.layers or 0) + 1)
    for field in ("kv_type_k", "kv_type_v", "flash_attention", "batch_tokens", "memory_map"):
        assert getattr(wish, field) in (None, getattr(made, field))
    assert not (made.memory_map and made.repack)


@settings(deadline=None, max_examples=40)
@given(MODELS, MACHINES, st.integers(0, 2))
def test_more_memory_never_makes_it_slower(model: str, on: Machine, which: int) -> None:
    header = HEADERS[model]
    wish = Wish(
        context_tokens=8192, kv_type_k="f16", kv_type_v="f16", flash_attention=True, batch_tokens=512, swa_full=True
    )
    if which < len(on.devices):
        devices = list(on.devices)
        devices[which] = replace(devices[which], free_bytes=devices[which].free_bytes * 2)
        roomier = replace(on, devices=tuple(devices))
    else:
        roomier = replace(on, host=replace(on.host, free_bytes=on.host.free_bytes * 2))
    before, after = bare_plan(header, on, wish), bare_plan(header, roomier, wish)
    if not shortages(before.bill, on):
        assert not shortages(after.bill, roomier)
        # What is a little faster is not measured; layers of one part in nine do not pack well on two cards.
        tolerance = 1.04 if len(on.devices) <= 1 else 1.15
        assert typical_seconds(after.speed) <= tolerance * typical_seconds(before.speed)
