"""What layers keep: numbers that llama.cpp's own dry runs and loads gave for the same shapes."""

from __future__ import annotations

from typing import Any

import pytest

from inference.planning.layer_memory import model_memory, padded_context, row_bytes
from inference.planning.values import Settings
from models_catalog.gguf.header import GgufHeader
from tests.inference.planning.headers import header, llama2_70b, qwen3_0_6b

_MIB = 1024**2


def _settings(context_tokens: int = 8192, **changes: Any) -> Settings:
    return Settings(
        **{"context_tokens": context_tokens, "sequences": 1, "batch_tokens": 512, "outputs_max": 1, **changes}
    )


def _mib(model: GgufHeader, settings: Settings) -> float:
    memory = model_memory(model)
    return sum(memory.bytes_of(layer, settings) for layer in memory.layers) / _MIB


def _attention(**values: Any) -> dict[str, Any]:
    return {"embedding_length": 1024, "attention.head_count": 16, "attention.head_count_kv": 4} | {
        key.replace("__", "."): value for key, value in values.items()
    }


def test_plain_attention() -> None:
    assert _mib(qwen3_0_6b(), _settings(8192)) == 896
    assert _mib(qwen3_0_6b(), _settings(32768)) == 3584
    assert _mib(qwen3_0_6b(), _settings(8192, kv_type_k="q8_0", kv_type_v="q8_0")) == 476


@pytest.mark.parametrize(("sequences", "gib"), [(1, 0.3125), (16, 5), (32, 10), (64, 20)])
def test_published_figures_of_llama_2_70b(sequences: int, gib: float) -> None:
    """1,024 tokens for each of some sequences; half of it at 8 bits, but for the scales."""
    cells = 1024 * sequences
    assert _mib(llama2_70b(), _settings(cells, sequences=sequences)) == gib * 1024
    eight_bits = _mib(llama2_70b(), _settings(cells, sequences=sequences, kv_type_k="q8_0", kv_type_v="q8_0"))
    assert eight_bits == gib * 1024 * 34 / 64


def test_latent_attention_keeps_one_compressed_key() -> None:
    model = header(
        "deepseek2",
        {
            "block_count": 10,
            "embedding_length": 1024,
            "attention.head_count": 16,
            "attention.head_count_kv": 1,
            "attention.key_length": 576,
            "attention.value_length": 512,
            "attention.key_length_mla": 192,
            "attention.value_length_mla": 128,
            "attention.kv_lora_rank": 512,
        },
        {},
    )
    assert _mib(model, _settings(8192)) == 90
    assert _mib(model, _settings(32768)) == 360


def test_sliding_windows() -> None:
    model = header(
        "gemma3",
        {
            "block_count": 26,
            "embedding_length": 1152,
            "attention.head_count": 4,
            "attention.head_count_kv": 1,
            "attention.key_length": 256,
            "attention.value_length": 256,
            "attention.sliding_window": 512,
        },
        {},
    )
    assert _mib(model, _settings(32768)) == 832
    assert _mib(model, _settings(32768, swa_full=False)) == 150
    # The window counts for each sequence, the batch once, and the sum is rounded up to 256.
    memory = model_memory(model)
    assert memory.cells(memory.layers[0], _settings(32768, swa_full=False, sequences=4)) == 4 * 512 + 512
    assert memory.cells(memory.layers[5], _settings(32768, swa_full=False, sequences=4)) == 32768


def test_the_window_of_gemma2_need_not_be_named() -> None:
    model = header("gemma2", {"block_count": 4, **_attention()}, {})
    assert [layer.windowed for layer in model_memory(model).layers] == [True, False, True, False]
    assert model_memory(model).window_tokens == 4096


def test_a_pattern_in_the_file_goes_before_the_usual_one() -> None:
    listed: dict[str, Any] = {"attention.sliding_window": 128, "attention.sliding_window_pattern": [0, 1, 1, 0]}
    model = header("gemma3", {"block_count": 4, **_attention(), **listed}, {})
    assert [layer.windowed for layer in model_memory(model).layers] == [False, True, True, False]
    period: dict[str, Any] = {"attention.sliding_window": 128, "attention.sliding_window_pattern": 2}
    model = header("gemma3", {"block_count": 4, **_attention(), **period}, {})
    assert [layer.windowed for layer in model_memory(model).layers] == [True, False, True, False]


def test_a_hybrid_keeps_keys_in_each_fourth_layer_and_states_in_the_others() -> None:
    model = header(
        "qwen35",
        {
            "block_count": 16,
            "embedding_length": 1024,
            "attention.head_count": 8,
            "attention.head_count_kv": 2,
            "attention.key_length": 256,
            "attention.value_length": 256,
            "ssm.conv_kernel": 4,
            "ssm.inner_size": 2048,
            "ssm.state_size": 128,
            "ssm.group_count": 8,
            "full_attention_interval": 4,
        },
        {},
    )
    assert _mib(model, _settings(8192)) == pytest.approx(76.56, abs=0.01)
    assert _mib(model, _settings(8192, sequences=16)) == pytest.approx(265.0, abs=0.01)


def test_recurrent_models_do_not_grow_with_the_context() -> None:
    model = header("rwkv7", {"block_count": 12, "embedding_length": 1024, "wkv.head_size": 64}, {})
    assert _mib(model, _settings(8192)) == _mib(model, _settings(32768)) == pytest.approx(3.09, abs=0.01)


def test_layers_without_key_value_heads() -> None:
    kv_heads = [0, 0, 4, 0, 0, 4]
    values: dict[str, Any] = {
        "embedding_length": 1024,
        "attention.head_count": 16,
        "attention.head_count_kv": kv_heads,
    }
    lfm2 = model_memory(header("lfm2", {"block_count": 6, **values, "shortconv.l_cache": 3}, {}))
    assert [layer.key_width for layer in lfm2.layers] == [0, 0, 256, 0, 0, 256]
    assert [layer.state_elements for layer in lfm2.layers] == [2048, 2048, 0, 2048, 2048, 0]
    deci = model_memory(header("deci", {"block_count": 6, **values}, {}))
    assert [layer.state_elements for layer in deci.layers] == [0] * 6


def test_blocks_that_predict_further_tokens_keep_nothing() -> None:
    model = header("glm4moe", {"block_count": 5, "nextn_predict_layers": 1, **_attention()}, {})
    assert len(model_memory(model).layers) == 4


def test_encoders_keep_nothing() -> None:
    assert model_memory(header("bert", {"block_count": 5, **_attention()}, {})).layers == ()


def test_without_flash_attention_values_are_as_wide_as_the_widest() -> None:
    values: dict[str, Any] = {
        "embedding_length": 1024,
        "attention.head_count": 16,
        "attention.head_count_kv": [4, 8],
    }
    memory = model_memory(header("deci", {"block_count": 2, **values}, {}))
    flash, plain = (
        [memory.bytes_of(layer, _settings(256, flash_attention=on)) for layer in memory.layers] for on in (True, False)
    )
    assert flash == [256 * 2 * (256 + 256), 256 * 2 * (512 + 512)]
    assert plain == [256 * 2 * (256 + 512), 256 * 2 * (512 + 512)]


def test_rounding() -> None:
    assert [padded_context(tokens) for tokens in (1, 256, 257)] == [256, 256, 512]
    assert row_bytes(64, "q4_0") == 36
    assert row_bytes(64, "f16") == 128
