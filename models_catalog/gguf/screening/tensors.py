"""Do the weights have types that the computation can use, and do they fit the model's numbers?

Shapes of single weights are compared by llama.cpp itself, with polite errors; types are not: an operation that does not
know its operand's type ends the process.
"""

from __future__ import annotations

import re

from models_catalog.errors import TensorRefused
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import TensorInfo

_NO_WEIGHTS = ("Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64")
# Lookup tables of integers that some architectures carry (hash-routed experts of DeepSeek V4).
_INTEGER_TABLES = re.compile(r"blk\.\d+\.ffn_gate_tid2eid(\.weight)?|.*\.(ids|indices)")
_BLOCK = re.compile(r"blk\.(\d+)\.")
# Matrices that are read as floats whatever the rest is; converters and quantizers keep them so.
_ALWAYS_F32 = re.compile(
    r".*_norm(_\d)?\.weight|.*(conv1d(_[qkv])?|shortconv\.conv|time_mix_(first|lerp_\w+))\.weight|(?!.*\.weight$).*"
)


def check_tensors(header: GgufHeader) -> None:
    """Raises TensorRefused."""
    for tensor in header.tensors.values():
        problem = _type_problem(tensor)
        if problem:
            raise TensorRefused(header.path, tensor.name, problem)
    _check_blocks(header)
    _check_embedding(header)


def _type_problem(tensor: TensorInfo) -> str | None:
    name = tensor.type.name
    if name in _NO_WEIGHTS:
        return None if name in ("I32", "I64") and _INTEGER_TABLES.fullmatch(tensor.name) else f"is of type {name}"
    if name != "F32" and (len(tensor.shape) == 1 or _ALWAYS_F32.fullmatch(tensor.name)):
        return f"is of type {name}, not F32"
    return None


def _check_blocks(header: GgufHeader) -> None:
    layers = header.layers or 0
    for name in header.tensors:
        match = _BLOCK.match(name)
        if match and int(match[1]) >= layers:
            raise TensorRefused(header.path, name, f"belongs to a layer beyond the {layers} there are")


def _check_embedding(header: GgufHeader) -> None:
    embedding = header.tensors.get("token_embd.weight")
    if embedding is None:
        raise TensorRefused(header.path, "token_embd.weight", "is missing")
    if embedding.shape != (header.embedding_length, header.vocabulary_size):
        shape = "x".join(map(str, embedding.shape))
        wanted = f"{header.embedding_length}x{header.vocabulary_size}"
        raise TensorRefused(header.path, embedding.name, f"is {shape}, not {wanted}")
