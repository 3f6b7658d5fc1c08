"""The table of tensor types is ggml's own."""

from __future__ import annotations

import ctypes
from pathlib import Path

import gguf
import llama_cpp

from models_catalog.gguf.tensor_types import FILE_TYPES, TENSOR_TYPES


def test_block_sizes_are_those_of_the_engine() -> None:
    folder = Path(llama_cpp.__file__).parent / "lib"
    library = ctypes.CDLL(str(next(path for path in folder.glob("*ggml-base*") if path.suffix != ".lib")))
    library.ggml_type_size.restype = ctypes.c_size_t
    library.ggml_blck_size.restype = ctypes.c_int64
    for number, tensor_type in TENSOR_TYPES.items():
        assert library.ggml_blck_size(number) == tensor_type.block_elements, tensor_type
        assert library.ggml_type_size(number) == tensor_type.block_bytes, tensor_type


def test_names_are_those_of_the_gguf_package() -> None:
    for quantization in gguf.GGMLQuantizationType:
        assert TENSOR_TYPES[int(quantization)].name == quantization.name
    for file_type in gguf.LlamaFileType:
        label = file_type.name.removeprefix("MOSTLY_").removeprefix("ALL_").removesuffix("_MOE")
        if label != "GUESSED":
            assert FILE_TYPES[int(file_type)] == label
