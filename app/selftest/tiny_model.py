"""A whole language model of a quarter of a megabyte: random weights, the same on every computer."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.encoding import encode_header
from models_catalog.gguf.parsing import DEFAULT_ALIGNMENT, TensorInfo, Value, ValueType
from models_catalog.gguf.tensor_types import TENSOR_TYPES

_WIDTH, _HEADS, _FEED_FORWARD, _CONTEXT = 64, 4, 128, 256
_SEED = 20_260_101
_CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_NORMAL_TYPE, _CONTROL_TYPE = 1, 3
_MERGES = ("t h", "th e", "i n")
_TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
_F32 = next(kind for kind in TENSOR_TYPES.values() if kind.name == "F32")
_WHOLE, _NUMBER, _TEXT, _FLAG = ValueType.UINT32, ValueType.FLOAT32, ValueType.STRING, ValueType.BOOL


def _byte_characters() -> list[str]:
    """GPT-2's printable stand-in for each byte, in byte order."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    stand_ins = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(stand_ins)) for byte in range(256)]


_TOKENS: Final = (*_byte_characters(), *(merge.replace(" ", "") for merge in _MERGES), *_CONTROL)


def write_tiny_model(path: Path) -> None:
    """Write the file. What the model says is noise, but always the same, and it never ends by itself."""
    tensors, offset = [], 0
    for name, shape in _shapes():
        size = 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        tensors.append(TensorInfo(name=name, shape=shape, type=_F32, offset_bytes=offset, size_bytes=size))
        offset += -(-size // DEFAULT_ALIGNMENT) * DEFAULT_ALIGNMENT
    values = _metadata()
    header = encode_header(
        {key: value for key, (value, _) in values.items()},
        {key: kind for key, (_, kind) in values.items()},
        tensors,
        alignment=DEFAULT_ALIGNMENT,
    )
    numbers = random.Random(_SEED)
    with path.open("wb") as file:
        file.write(header)
        for tensor in tensors:
            content = _weights(tensor, numbers)
            file.write(content + bytes(-len(content) % DEFAULT_ALIGNMENT))


def _weights(tensor: TensorInfo, numbers: random.Random) -> bytes:
    if "norm" in tensor.name:
        return array("f", [1.0] * tensor.shape[0]).tobytes()
    inputs, outputs = tensor.shape
    # So that numbers keep their size through the layers; the output is sharper, else two tokens are nearly equal.
    scale = 1.0 if tensor.name.startswith("token") else (4.0 if tensor.name.startswith("output") else 1.0) / inputs**0.5
    content = array("f", [numbers.gauss(0.0, scale) for _ in range(inputs * outputs)])
    if tensor.name.startswith("output"):
        silent = len(_CONTROL) * inputs
        content[-silent:] = array("f", bytes(4 * silent))
    return content.tobytes()


def _shapes() -> list[tuple[str, tuple[int, ...]]]:
    square, vocabulary = (_WIDTH, _WIDTH), (_WIDTH, len(_TOKENS))
    block = [
        ("attn_norm", (_WIDTH,)),
        ("attn_q", square),
        ("attn_k", square),
        ("attn_v", square),
        ("attn_output", square),
        ("ffn_norm", (_WIDTH,)),
        ("ffn_gate", (_WIDTH, _FEED_FORWARD)),
        ("ffn_up", (_WIDTH, _FEED_FORWARD)),
        ("ffn_down", (_FEED_FORWARD, _WIDTH)),
    ]
    return [
        ("token_embd.weight", vocabulary),
        *((f"blk.0.{name}.weight", shape) for name, shape in block),
        ("output_norm.weight", (_WIDTH,)),
        ("output.weight", vocabulary),
    ]


def _metadata() -> dict[str, tuple[Value, ValueType]]:
    kinds = [_CONTROL_TYPE if token in _CONTROL else _NORMAL_TYPE for token in _TOKENS]
    end = _TOKENS.index("<|im_end|>")
    return {
        "general.architecture": ("llama", _TEXT),
        "general.name": ("Liangli self-test", _TEXT),
        "general.file_type": (0, _WHOLE),
        "llama.vocab_size": (len(_TOKENS), _WHOLE),
        "llama.block_count": (1, _WHOLE),
        "llama.context_length": (_CONTEXT, _WHOLE),
        "llama.embedding_length": (_WIDTH, _WHOLE),
        "llama.feed_forward_length": (_FEED_FORWARD, _WHOLE),
        "llama.attention.head_count": (_HEADS, _WHOLE),
        "llama.attention.head_count_kv": (_HEADS, _WHOLE),
        "llama.attention.layer_norm_rms_epsilon": (1e-6, _NUMBER),
        "llama.rope.dimension_count": (_WIDTH // _HEADS, _WHOLE),
        "tokenizer.ggml.model": ("gpt2", _TEXT),
        "tokenizer.ggml.pre": ("qwen2", _TEXT),
        "tokenizer.ggml.tokens": (_strings(_TOKENS), _TEXT),
        "tokenizer.ggml.token_type": (_numbers(kinds), ValueType.INT32),
        "tokenizer.ggml.merges": (_strings(_MERGES), _TEXT),
        "tokenizer.ggml.eos_token_id": (end, _WHOLE),
        "tokenizer.ggml.padding_token_id": (end - 2, _WHOLE),
        "tokenizer.ggml.add_bos_token": (False, _FLAG),
        "tokenizer.chat_template": (_TEMPLATE, _TEXT),
    }


def _strings(texts: Iterable[str]) -> StringArray:
    data, ends = bytearray(), array("Q")
    for text in texts:
        raw = text.encode()
        data += len(raw).to_bytes(8, "little") + raw
        ends.append(len(data))
    return StringArray(bytes(data), ends)


def _numbers(values: Sequence[int]) -> Sequence[int]:
    return array("i", values)
