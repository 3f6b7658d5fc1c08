"""Shipped plan data: complete, readable, screened, and in agreement with real files."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import resources
from models_catalog.gguf.header import parse_header
from models_catalog.gguf.plan_data import ORIGIN, model_file_bytes, plan_data, read_plan_data, vocabulary_size
from models_catalog.gguf.screen import screen_plan_data
from models_catalog.plan_library import pack, published_models, published_plan_data, unpack

_HEADERS = Path(__file__).parents[3] / "shared" / "headers"


@pytest.mark.parametrize("model", sorted(published_models()))
def test_every_model_is_whole(model: str) -> None:
    sizes = published_models()[model]
    assert list(sizes.values()) == sorted(sizes.values())
    packed = unpack(resources.path("plan_data", f"{model}.xz").read_bytes())
    assert list(packed) == list(sizes)
    for quantization, raw in packed.items():
        header = screen_plan_data(read_plan_data(raw, model))
        assert plan_data(header) == raw
        assert header.quantization == quantization
        assert model_file_bytes(header) == sizes[quantization] > header.weight_bytes
        assert header.text(ORIGIN) == "published configuration"


def test_one_is_found_by_its_name() -> None:
    raw = published_plan_data("qwen3-8b", "Q4_K_M")
    assert raw is not None
    assert read_plan_data(raw, "").parameters == 8_190_735_360


def test_what_is_not_there_is_none() -> None:
    assert published_plan_data("qwen3-8b", "IQ1_S") is None
    assert published_plan_data("../index", "Q4_K_M") is None


def test_the_whole_library_is_small() -> None:
    assert sum(file.stat().st_size for file in resources.path("plan_data").iterdir()) < 1_000_000


def test_packing_is_reversible() -> None:
    data = {"Q2_K": b"", "Q8_0": b"\n\n" * 9, "F16": b"x"}
    assert unpack(pack(data)) == data


@pytest.mark.parametrize(
    ("file", "model"),
    [
        ("DeepSeek-R1-Distill-Qwen-7B-Q4_K_M.gguf.head", "deepseek-r1-distill-qwen-7b"),
        ("gemma-3-270m-Q4_K_M.gguf.head", "gemma-3-270m"),
    ],
)
def test_it_is_the_plan_data_of_the_real_file(file: str, model: str) -> None:
    path = _HEADERS / file
    if not path.exists():
        pytest.skip("the real headers are not beside this checkout")
    with path.open("rb") as stream:
        real = parse_header(stream.read1, size_bytes=1 << 40, path=file)
    raw = published_plan_data(model, "Q4_K_M")
    assert raw is not None
    ours = read_plan_data(raw, model)
    assert {name: (tensor.shape, tensor.type) for name, tensor in ours.tensors.items()} == {
        name: (tensor.shape, tensor.type) for name, tensor in real.tensors.items()
    }
    assert vocabulary_size(ours) == vocabulary_size(real)
    for key, value in real.values.items():
        if key.startswith(f"{real.architecture}."):
            assert key in ours.values
            assert ours.values[key] == value or math.isclose(float(str(ours.values[key])), float(str(value)))
