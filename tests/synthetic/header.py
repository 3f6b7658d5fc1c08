"""The header of a synthetic model: as of a file without vocabulary, and as plan data."""

from __future__ import annotations

from types import MappingProxyType

from models_catalog.gguf.encoding import encode_header
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import TensorInfo, ValueType
from models_catalog.gguf.plan_data import (
    VOCABULARY_MERGES,
    VOCABULARY_TEXT_BYTES,
    VOCABULARY_TOKENS,
    VocabularySize,
    plan_data,
)
from tests.synthetic.blueprint import Blueprint
from tests.synthetic.discovery import tensors_of
from tests.synthetic.quantizing import FILE_TYPE_NUMBERS, quantized


def header_of(blueprint: Blueprint, quantization: str) -> GgufHeader:
    """As it would be read from a file without vocabulary, all weights behind it."""
    values, types = blueprint.metadata()
    tensors = quantized(blueprint, tensors_of(blueprint), quantization)
    size = blueprint.vocabulary
    values |= {
        "general.file_type": FILE_TYPE_NUMBERS[quantization],
        VOCABULARY_TOKENS: size.tokens,
        VOCABULARY_MERGES: size.merges,
        VOCABULARY_TEXT_BYTES: size.text_bytes,
    }
    types |= dict.fromkeys(("general.file_type", VOCABULARY_TOKENS, VOCABULARY_MERGES), ValueType.UINT32)
    types[VOCABULARY_TEXT_BYTES] = ValueType.UINT64
    data_offset = len(encode_header(values, types, tensors, alignment=32))
    end = data_offset + _end(tensors)
    return GgufHeader(
        path=f"{blueprint.name} {quantization}",
        version=3,
        values=MappingProxyType(values),
        value_types=MappingProxyType(types),
        tensors=MappingProxyType({tensor.name: tensor for tensor in tensors}),
        data_offset=data_offset,
        needed_bytes=end,
        size_bytes=end,
    )


def plan_data_of(blueprint: Blueprint, quantization: str) -> bytes:
    """Plan data, with the size that the published file has with its vocabulary."""
    header = header_of(blueprint, quantization)
    file_bytes = header.size_bytes + _vocabulary_bytes(blueprint.vocabulary)
    return plan_data(header, file_bytes=file_bytes, origin="published configuration")


def _end(tensors: list[TensorInfo]) -> int:
    return tensors[-1].offset_bytes + tensors[-1].size_bytes


def _vocabulary_bytes(size: VocabularySize) -> int:
    """Of a header: strings with their lengths, a type for each token, and a score where there are no merges."""
    return size.text_bytes + 8 * (size.tokens + size.merges) + 4 * size.tokens * (1 if size.merges else 2)
