"""Tiny GGUF models with random weights, written in milliseconds, that llama.cpp loads and generates with.

Nothing is shipped: every test writes the model it needs. The text they produce is noise, but it is the same noise for
the same seed, it depends on the whole context, and greedy decoding never ends by itself (control tokens have zero
output rows), so a test decides how long an answer is; a logit bias on `token_id("<|im_end|>")` ends one.

The vocabulary is byte-level BPE like Qwen's: 256 bytes, some merges, then the control tokens. `tiny_llama` and friends
return a `TinyModel`, whose metadata and tensors a test may change before `write`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np
from numpy.typing import NDArray

Weights = Literal["f32", "f16", "q8_0"]

CHATML = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
# Like CHATML, with the switch of thinking models: `enable_thinking` false closes the thinking block at once.
CHATML_THINKING = (
    CHATML.removesuffix("{%- endif %}") + "{%- if enable_thinking is defined and not enable_thinking %}"
    "{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}"
)

_MERGES = (
    ("t", "h"), ("th", "e"), ("i", "n"), ("a", "n"), ("e", "r"), ("o", "n"), ("r", "e"), ("Ġ", "a"), ("Ġ", "the"),
    ("in", "g"), ("an", "d"), ("Ġ", "and"), ("o", "u"), ("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("u", "s"),
    ("us", "er"), ("Ċ", "Ċ"), ("ä", "½"), ("ä½", "ł"), ("å", "¥"), ("å¥", "½"), ("ä½ł", "å¥½"),
)  # fmt: skip
_CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_USER_DEFINED = ("<think>", "</think>", "<tool_call>", "</tool_call>")
_NORMAL_TYPE, _CONTROL_TYPE, _USER_DEFINED_TYPE = 1, 3, 4


def _byte_characters() -> list[str]:
    """GPT-2's printable stand-in for each byte, in byte order."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    stand_ins = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(stand_ins)) for byte in range(256)]


TOKENS: tuple[str, ...] = (*_byte_characters(), *(left + right for left, right in _MERGES), *_CONTROL, *_USER_DEFINED)
_TOKEN_TYPES = [
    _CONTROL_TYPE if token in _CONTROL else _USER_DEFINED_TYPE if token in _USER_DEFINED else _NORMAL_TYPE
    for token in TOKENS
]


def token_id(token: str) -> int:
    """Id of a token by its text in the vocabulary (byte-level spelling), for example "<|im_end|>"."""
    return TOKENS.index(token)


@dataclass(slots=True)
class TinyModel:
    """A model still to be written: key-values without the architecture's own key, and float32 tensors (rows last)."""

    architecture: str
    metadata: dict[str, Any]
    tensors: dict[str, NDArray[np.float32]]
    weights: Weights = "f32"
    # Tensors kept in F32 whatever `weights` says, besides all one-dimensional ones.
    keep_f32: tuple[str, ...] = field(default=("norm", "ssm_conv1d", "ssm_a", "ssm_d", "ssm_dt"))

    def write(self, path: Path) -> Path:
        """Writes the file and returns its path."""
        writer = gguf.GGUFWriter(path, self.architecture)
        for key, value in self.metadata.items():
            _add(writer, key, value)
        for name, values in self.tensors.items():
            if values.ndim == 1 or self.weights == "f32" or any(part in name for part in self.keep_f32):
                writer.add_tensor(name, values)
            elif self.weights == "f16":
                writer.add_tensor(name, values.astype(np.float16))
            else:
                packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
                writer.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    match value:
        case bool():
            writer.add_bool(key, value)
        case int():
            writer.add_uint32(key, value)
        case float():
            writer.add_float32(key, value)
        case str():
            writer.add_string(key, value)
        case _:
            writer.add_array(key, value)


def _vocabulary(template: str | None) -> dict[str, Any]:
    vocabulary: dict[str, Any] = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": list(TOKENS),
        "tokenizer.ggml.token_type": _TOKEN_TYPES,
        "tokenizer.ggml.merges": [f"{left} {right}" for left, right in _MERGES],
        "tokenizer.ggml.eos_token_id": token_id("<|im_end|>"),
        "tokenizer.ggml.bos_token_id": token_id("<|endoftext|>"),
        "tokenizer.ggml.padding_token_id": token_id("<|endoftext|>"),
        "tokenizer.ggml.add_bos_token": False,
    }
    if template is not None:
        vocabulary["tokenizer.chat_template"] = template
    return vocabulary


class _Random:
    """Random tensors scaled so that activations keep their size through the layers."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def matrix(self, outputs: int, inputs: int) -> NDArray[np.float32]:
        return self._generator.standard_normal((outputs, inputs), np.float32) / np.float32(np.sqrt(inputs))

    def vector(self, size: int, scale: float = 0.1) -> NDArray[np.float32]:
        return (self._generator.standard_normal(size) * scale).astype(np.float32)

    def embedding(self, width: int) -> NDArray[np.float32]:
        return self._generator.standard_normal((len(TOKENS), width)).astype(np.float32)

    def output(self, width: int) -> NDArray[np.float32]:
        rows = self.matrix(len(TOKENS), width) * np.float32(4)
        rows[[token_id(token) for token in (*_CONTROL, *_USER_DEFINED)]] = 0
        return rows


def _ones(size: int) -> NDArray[np.float32]:
    return np.ones(size, np.float32)


def _dense(
    architecture: str, *, seed: int, context: int, template: str | None, weights: Weights, layers: int, width: int
) -> TinyModel:
    heads, kv_heads, feed_forward = 4, 2, 2 * width
    head_width = width // heads
    random = _Random(seed)
    tensors = {"token_embd.weight": random.embedding(width)}
    for block in (f"blk.{index}." for index in range(layers)):
        tensors |= {
            f"{block}attn_norm.weight": _ones(width),
            f"{block}attn_q.weight": random.matrix(width, width),
            f"{block}attn_k.weight": random.matrix(kv_heads * head_width, width),
            f"{block}attn_v.weight": random.matrix(kv_heads * head_width, width),
            f"{block}attn_output.weight": random.matrix(width, width),
            f"{block}ffn_norm.weight": _ones(width),
            f"{block}ffn_gate.weight": random.matrix(feed_forward, width),
            f"{block}ffn_up.weight": random.matrix(feed_forward, width),
            f"{block}ffn_down.weight": random.matrix(width, feed_forward),
        }
        if architecture == "qwen2":
            tensors |= {
                f"{block}attn_q.bias": random.vector(width),
                f"{block}attn_k.bias": random.vector(kv_heads * head_width),
                f"{block}attn_v.bias": random.vector(kv_heads * head_width),
            }
    tensors |= {"output_norm.weight": _ones(width), "output.weight": random.output(width)}
    return TinyModel(
        architecture=architecture,
        metadata={
            "general.name": f"Tiny {architecture} {seed}",
            "general.file_type": {"f32": 0, "f16": 1, "q8_0": 7}[weights],
            f"{architecture}.block_count": layers,
            f"{architecture}.context_length": context,
            f"{architecture}.embedding_length": width,
            f"{architecture}.feed_forward_length": feed_forward,
            f"{architecture}.attention.head_count": heads,
            f"{architecture}.attention.head_count_kv": kv_heads,
            f"{architecture}.attention.layer_norm_rms_epsilon": 1e-6,
            f"{architecture}.rope.dimension_count": head_width,
            f"{architecture}.rope.freq_base": 10000.0,
            f"{architecture}.vocab_size": len(TOKENS),
            **_vocabulary(template),
        },
        tensors=tensors,
        weights=weights,
    )


def tiny_llama(
    *,
    seed: int = 0,
    context: int = 2048,
    template: str | None = CHATML,
    weights: Weights = "f32",
    layers: int = 2,
    width: int = 64,
) -> TinyModel:
    """A dense model of the llama architecture. `width` is a multiple of 8, for weights "q8_0" of 32."""
    return _dense("llama", seed=seed, context=context, template=template, weights=weights, layers=layers, width=width)


def tiny_qwen2(
    *,
    seed: int = 0,
    context: int = 2048,
    template: str | None = CHATML,
    weights: Weights = "f32",
    layers: int = 2,
    width: int = 64,
) -> TinyModel:
    """A dense model of the qwen2 architecture (biases on query, key and value)."""
    return _dense("qwen2", seed=seed, context=context, template=template, weights=weights, layers=layers, width=width)


def tiny_windowed(*, seed: int = 0, context: int = 2048, window: int = 32, template: str | None = CHATML) -> TinyModel:
    """A dense model of the gemma3 architecture: five of six layers attend to the last `window` tokens only."""
    model = _dense("gemma3", seed=seed, context=context, template=template, weights="f32", layers=6, width=64)
    head_width = model.metadata["gemma3.rope.dimension_count"]
    model.metadata |= {
        "gemma3.attention.sliding_window": window,
        "gemma3.attention.key_length": head_width,
        "gemma3.attention.value_length": head_width,
    }
    for block in (f"blk.{index}." for index in range(6)):
        model.tensors |= {
            f"{block}attn_q_norm.weight": _ones(head_width),
            f"{block}attn_k_norm.weight": _ones(head_width),
            f"{block}post_attention_norm.weight": _ones(64),
            f"{block}post_ffw_norm.weight": _ones(64),
        }
    return model


def tiny_hybrid(*, seed: int = 0, context: int = 2048, template: str | None = CHATML) -> TinyModel:
    """A qwen35 model: gated delta net and attention layers by turns; no part of a sequence can be removed."""
    layers, width, heads, kv_heads, head_width, feed_forward = 4, 64, 4, 2, 32, 128
    state, groups, value_heads, kernel = 32, 2, 4, 4
    inner = state * value_heads
    convolved = 2 * state * groups + inner
    random = _Random(seed)
    tensors = {"token_embd.weight": random.embedding(width)}
    for index in range(layers):
        block = f"blk.{index}."
        tensors |= {
            f"{block}attn_norm.weight": _ones(width),
            f"{block}post_attention_norm.weight": _ones(width),
            f"{block}ffn_gate.weight": random.matrix(feed_forward, width),
            f"{block}ffn_up.weight": random.matrix(feed_forward, width),
            f"{block}ffn_down.weight": random.matrix(width, feed_forward),
        }
        if index % 2:
            tensors |= {
                f"{block}attn_q.weight": random.matrix(2 * heads * head_width, width),
                f"{block}attn_k.weight": random.matrix(kv_heads * head_width, width),
                f"{block}attn_v.weight": random.matrix(kv_heads * head_width, width),
                f"{block}attn_output.weight": random.matrix(width, heads * head_width),
                f"{block}attn_q_norm.weight": _ones(head_width),
                f"{block}attn_k_norm.weight": _ones(head_width),
            }
        else:
            tensors |= {
                f"{block}attn_qkv.weight": random.matrix(convolved, width),
                f"{block}attn_gate.weight": random.matrix(inner, width),
                f"{block}ssm_conv1d.weight": random.matrix(convolved, kernel),
                f"{block}ssm_dt.bias": random.vector(value_heads),
                f"{block}ssm_a": -np.abs(random.vector(value_heads, 1.0)),
                f"{block}ssm_beta.weight": random.matrix(value_heads, width),
                f"{block}ssm_alpha.weight": random.matrix(value_heads, width),
                f"{block}ssm_norm.weight": _ones(state),
                f"{block}ssm_out.weight": random.matrix(width, inner),
            }
    tensors |= {"output_norm.weight": _ones(width), "output.weight": random.output(width)}
    return TinyModel(
        architecture="qwen35",
        metadata={
            "general.name": f"Tiny hybrid {seed}",
            "general.file_type": 0,
            "qwen35.block_count": layers,
            "qwen35.context_length": context,
            "qwen35.embedding_length": width,
            "qwen35.feed_forward_length": feed_forward,
            "qwen35.attention.head_count": heads,
            "qwen35.attention.head_count_kv": kv_heads,
            "qwen35.attention.key_length": head_width,
            "qwen35.attention.value_length": head_width,
            "qwen35.attention.layer_norm_rms_epsilon": 1e-6,
            "qwen35.rope.dimension_count": 16,
            "qwen35.rope.dimension_sections": [3, 3, 2, 0],
            "qwen35.rope.freq_base": 10000.0,
            "qwen35.ssm.conv_kernel": kernel,
            "qwen35.ssm.inner_size": inner,
            "qwen35.ssm.state_size": state,
            "qwen35.ssm.time_step_rank": value_heads,
            "qwen35.ssm.group_count": groups,
            "qwen35.full_attention_interval": 2,
            **_vocabulary(template),
        },
        tensors=tensors,
    )


def tiny_mamba(*, seed: int = 0, context: int = 2048, template: str | None = CHATML) -> TinyModel:
    """A mamba model: purely recurrent, without any KV cache."""
    layers, width, state, rank, kernel = 2, 64, 16, 4, 4
    inner = 2 * width
    random = _Random(seed)
    tensors = {"token_embd.weight": random.embedding(width)}
    for block in (f"blk.{index}." for index in range(layers)):
        tensors |= {
            f"{block}attn_norm.weight": _ones(width),
            f"{block}ssm_in.weight": random.matrix(2 * inner, width),
            f"{block}ssm_conv1d.weight": random.matrix(inner, kernel),
            f"{block}ssm_conv1d.bias": random.vector(inner),
            f"{block}ssm_x.weight": random.matrix(rank + 2 * state, inner),
            f"{block}ssm_dt.weight": random.matrix(inner, rank),
            f"{block}ssm_dt.bias": random.vector(inner),
            f"{block}ssm_a": -np.abs(random.matrix(inner, state)),
            f"{block}ssm_d": _ones(inner),
            f"{block}ssm_out.weight": random.matrix(width, inner),
        }
    tensors |= {"output_norm.weight": _ones(width), "output.weight": random.output(width)}
    return TinyModel(
        architecture="mamba",
        metadata={
            "general.name": f"Tiny mamba {seed}",
            "general.file_type": 0,
            "mamba.block_count": layers,
            "mamba.context_length": context,
            "mamba.embedding_length": width,
            "mamba.feed_forward_length": 0,
            "mamba.attention.head_count": 0,
            "mamba.attention.layer_norm_rms_epsilon": 1e-6,
            "mamba.ssm.conv_kernel": kernel,
            "mamba.ssm.inner_size": inner,
            "mamba.ssm.state_size": state,
            "mamba.ssm.time_step_rank": rank,
            **_vocabulary(template),
        },
        tensors=tensors,
    )


def write_tiny_llama(
    path: Path,
    *,
    seed: int = 0,
    context: int = 2048,
    template: str | None = CHATML,
    weights: Weights = "f32",
    layers: int = 2,
    width: int = 64,
) -> Path:
    """Writes a `tiny_llama` (a few hundred KB) and returns its path."""
    return tiny_llama(seed=seed, context=context, template=template, weights=weights, layers=layers, width=width).write(
        path
    )


def write_tiny_qwen2(
    path: Path, *, seed: int = 0, context: int = 2048, template: str | None = CHATML, weights: Weights = "f32"
) -> Path:
    """Writes a `tiny_qwen2` and returns its path."""
    return tiny_qwen2(seed=seed, context=context, template=template, weights=weights).write(path)


def write_tiny_hybrid(path: Path, *, seed: int = 0, context: int = 2048, template: str | None = CHATML) -> Path:
    """Writes a `tiny_hybrid` and returns its path."""
    return tiny_hybrid(seed=seed, context=context, template=template).write(path)


def write_tiny_mamba(path: Path, *, seed: int = 0, context: int = 2048, template: str | None = CHATML) -> Path:
    """Writes a `tiny_mamba` and returns its path."""
    return tiny_mamba(seed=seed, context=context, template=template).write(path)


def write_tiny_windowed(path: Path, *, seed: int = 0, context: int = 2048, template: str | None = CHATML) -> Path:
    """`tiny_windowed` as a file."""
    return tiny_windowed(seed=seed, context=context, template=template).write(path)
