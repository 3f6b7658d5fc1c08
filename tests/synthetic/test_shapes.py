"""Published shapes: files of the size that publishers' files have, and plan data that can be made anew."""

from __future__ import annotations

import pytest

from inference.backends.llama_cpp.breakdown import readable
from models_catalog.plan_library import published_models, published_plan_data
from tests.inference.backends.virtual import CALLBACKS
from tests.synthetic.header import plan_data_of
from tests.synthetic.shapes import SHAPES

_KNOWN = [(shape.id, name, size) for shape in SHAPES.values() for name, size in shape.published_bytes.items()]


@pytest.mark.parametrize(("model", "quantization", "published_bytes"), _KNOWN)
def test_files_are_as_large_as_published_ones(model: str, quantization: str, published_bytes: float) -> None:
    assert published_models()[model][quantization] == pytest.approx(published_bytes, rel=0.01)


def test_all_shapes_are_shipped() -> None:
    assert {shape.id: tuple(shape.quantizations) for shape in SHAPES.values()} == {
        model: tuple(sizes) for model, sizes in published_models().items()
    }


@pytest.mark.skipif(not readable(), reason="tensors cannot be asked for on this platform")
@pytest.mark.parametrize(
    ("model", "quantization"),
    [("qwen2.5-0.5b-instruct", "Q4_K_M"), ("deepseek-v3", "Q2_K"), ("qwen3.5-4b", "Q8_0"), ("glm-4.5-air", "Q3_K_M")],
)
def test_shipped_plan_data_can_be_made_anew(model: str, quantization: str) -> None:
    CALLBACKS.log.clear()
    assert plan_data_of(SHAPES[model].blueprint, quantization) == published_plan_data(model, quantization)
