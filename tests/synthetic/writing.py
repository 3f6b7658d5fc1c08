"""Writes synthetic models as GGUF files: with random weights, or hollow, their weights a hole of zeros in the file."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.backends.llama_cpp.library import base
from models_catalog.gguf.encoding import encode_header
from models_catalog.gguf.parsing import TensorInfo
from models_catalog.gguf.tensor_types import TENSOR_TYPES
from tests.synthetic.blueprint import Blueprint
from tests.synthetic.header import header_of
from tests.synthetic.vocabulary import byte_level

_NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
_PATTERN_ROW, _PATTERN_ROWS = 1024, 256


def write_hollow(path: Path, blueprint: Blueprint, quantization: str, *, vocabulary: bool = True) -> Path:
    """Header and a hole of the weights' size: takes no disk, loads like a real file, computes zeros.

    vocabulary False: the model knows numbers of tokens only, its file is small enough for thousands of them.
    """
    head, tensors = _head(blueprint, quantization, vocabulary)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + tensors[-1].offset_bytes + tensors[-1].size_bytes)
    return path


def write_random(
    path: Path, blueprint: Blueprint, quantization: str, *, seed: int = 0, vocabulary: bool = True
) -> Path:
    """With valid random weights: the noise that it says depends on every token of the context."""
    head, tensors = _head(blueprint, quantization, vocabulary)
    random = np.random.default_rng(seed)
    patterns: dict[str, NDArray[np.uint8]] = {}
    with path.open("wb") as file:
        file.write(head)
        for tensor in tensors:
            file.seek(len(head) + tensor.offset_bytes)
            if tensor.type.name == "F32":
                file.write(_plain(tensor, random).tobytes())
                continue
            if tensor.type.name not in patterns:
                patterns[tensor.type.name] = _pattern(tensor.type.name, random)
            # Turned by another number of blocks for each tensor, so that no two are alike.
            turn = int(random.integers(1, 997)) * tensor.type.block_bytes
            turned = np.roll(patterns[tensor.type.name], turn)
            file.write(np.resize(turned, tensor.size_bytes).tobytes())
    return path


def _head(blueprint: Blueprint, quantization: str, vocabulary: bool) -> tuple[bytes, list[TensorInfo]]:
    header = header_of(blueprint, quantization)
    tensors = list(header.tensors.values())
    values = {key: value for key, value in header.values.items() if not key.startswith("liangli.")}
    types = {key: header.value_types[key] for key in values}
    if vocabulary:
        own_values, own_types = byte_level(blueprint.vocabulary)
        values, types = values | own_values, types | own_types
    return encode_header(values, types, tensors, alignment=32), tensors


def _plain(tensor: TensorInfo, random: np.random.Generator) -> NDArray[np.float32]:
    values = random.standard_normal(tensor.elements).astype(np.float32)
    if "norm" in tensor.name and tensor.name.endswith("weight"):
        return np.ones(tensor.elements, np.float32)
    if "ssm_a" in tensor.name:
        return -np.abs(values)
    return values / np.float32(np.sqrt(max(tensor.shape[0], 1)) if len(tensor.shape) > 1 else 10)


def _pattern(kind: str, random: np.random.Generator) -> NDArray[np.uint8]:
    """Quantized normal numbers, a megabyte or less."""
    values = (random.standard_normal(_PATTERN_ROW * _PATTERN_ROWS) / 32).astype(np.float32)
    if kind == "F16":
        return values.astype(np.float16).view(np.uint8)
    number = _NUMBERS[kind]
    base.ggml_quantize_chunk.restype = ctypes.c_size_t
    base.ggml_quantize_chunk.argtypes = (
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_void_p,
        *(ctypes.c_int64,) * 3,
        ctypes.c_void_p,
    )
    packed = np.empty(_PATTERN_ROWS * int(base.ggml_row_size(number, _PATTERN_ROW)), np.uint8)
    importance = np.ones(_PATTERN_ROW, np.float32)
    base.ggml_quantize_chunk(
        number, values.ctypes.data, packed.ctypes.data, 0, _PATTERN_ROWS, _PATTERN_ROW, importance.ctypes.data
    )
    return packed
