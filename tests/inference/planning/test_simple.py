from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import resources
from hardware_probe.values import Cpu, HardwareProfile, Memory
from inference.planning.simple import DEFAULT_CONTEXT_TOKENS, SMALLEST_CONTEXT_TOKENS, plan_load
from models_catalog.gguf.header import GgufHeader, read_header
from tests.tiny_models import write_tiny_hybrid, write_tiny_llama

GIB = 1024**3


def profile(*, cores: int = 8, quota: float | None = None, free_bytes: int = 16 * GIB) -> HardwareProfile:
    return HardwareProfile(
        cpu=Cpu(
            name="cpu",
            physical_cores=cores,
            logical_cores=2 * cores,
            usable_cores=cores,
            usable_threads=2 * cores,
            quota_cores=quota,
            performance_cores=cores,
        ),
        memory=Memory(total_bytes=16 * GIB, available_bytes=free_bytes, limited_by_group=False),
        disk=None,
        accelerators=(),
        issues=(),
    )


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> GgufHeader:
    return read_header(write_tiny_llama(tmp_path_factory.mktemp("m") / "m.gguf", context=32768))


def test_the_default_leaves_a_core_free_and_copies_the_weights(header: GgufHeader) -> None:
    plan = plan_load(model_path="m", header=header, profile=profile())
    assert (plan.context_tokens, plan.decode_threads, plan.batch_threads) == (DEFAULT_CONTEXT_TOKENS, 7, 8)
    assert not plan.memory_map and plan.flash_attention
    assert plan.memory_limit_bytes is not None and plan.memory_limit_bytes > header.weight_bytes


@pytest.mark.parametrize(
    ("cores", "quota", "threads"), [(1, None, (1, 1)), (2, None, (1, 2)), (8, 2.5, (1, 2)), (8, 0.5, (1, 1))]
)
def test_threads(header: GgufHeader, cores: int, quota: float | None, threads: tuple[int, int]) -> None:
    plan = plan_load(model_path="m", header=header, profile=profile(cores=cores, quota=quota))
    assert (plan.decode_threads, plan.batch_threads) == threads


def test_a_model_larger_than_memory_is_mapped_with_a_small_context(header: GgufHeader) -> None:
    plan = plan_load(model_path="m", header=header, profile=profile(free_bytes=GIB))
    assert plan.memory_map and plan.context_tokens == SMALLEST_CONTEXT_TOKENS


def test_the_wish_is_kept_and_said_to_be_the_users(header: GgufHeader) -> None:
    plan = plan_load(model_path="m", header=header, profile=profile(), context_tokens=1000)
    assert plan.context_tokens == 1024
    assert (plan.choices[0].field, plan.choices[0].chosen_by) == ("context_tokens", "user")


def test_a_short_trained_context_is_not_exceeded(tmp_path: Path) -> None:
    header = read_header(write_tiny_llama(tmp_path / "m.gguf", context=1024))
    assert plan_load(model_path="m", header=header, profile=profile()).context_tokens == 1024


def test_recurrent_models_keep_few_sequences(tmp_path: Path) -> None:
    header = read_header(write_tiny_hybrid(tmp_path / "m.gguf"))
    assert plan_load(model_path="m", header=header, profile=profile()).sequences == 4


def test_nothing_known_about_the_machine_is_survived(header: GgufHeader) -> None:
    unknown = replace(profile(), cpu=None, memory=None)
    plan = plan_load(model_path="m", header=header, profile=unknown)
    assert plan.decode_threads == 1 and plan.memory_map


@pytest.mark.parametrize("free_bytes", [GIB, 16 * GIB])
def test_every_reason_has_its_words(header: GgufHeader, free_bytes: int) -> None:
    words = resources.path("texts", "plan.toml").read_text(encoding="utf-8")
    for wish in (None, 512):
        for choice in plan_load(
            model_path="m", header=header, profile=profile(free_bytes=free_bytes), context_tokens=wish
        ).choices:
            assert f"[{choice.reason}]" in words
