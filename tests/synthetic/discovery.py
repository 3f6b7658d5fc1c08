"""Asks llama.cpp which tensors a model of given hyper-parameters has.

`llama_model_init_from_user` builds a model from key-values alone; with `no_alloc` nothing is allocated, so that shapes
of any size can be asked for. The names are read from the C++ vector that llama.cpp keeps of them; libstdc++ on 64-bit
Linux, as in `inference.backends.llama_cpp.breakdown`. May abort the process when hyper-parameters do not fit together.
"""

from __future__ import annotations

import ctypes
import re
from typing import Any

from inference.backends.llama_cpp.dry_run import SparseFile
from inference.backends.llama_cpp.library import base, lib
from models_catalog.gguf.encoding import encode_header
from tests.synthetic.blueprint import Blueprint

Shape = tuple[int, ...]

_P = ctypes.c_void_p


class _GgufParams(ctypes.Structure):
    _fields_ = (("no_alloc", ctypes.c_bool), ("context", _P))


class _Vector(ctypes.Structure):
    """std::vector<std::pair<std::string, ggml_tensor *>>."""

    _fields_ = (("begin", _P), ("end", _P), ("capacity", _P))


class _Named(ctypes.Structure):
    """std::pair<std::string, ggml_tensor *>."""

    _fields_ = (
        ("text", ctypes.c_char_p),
        ("length", ctypes.c_size_t),
        ("short_text", ctypes.c_uint8 * 16),
        ("tensor", _P),
    )


class _Tensor(ctypes.Structure):
    """The beginning of ggml_tensor."""

    _fields_ = (("type", ctypes.c_int), ("buffer", _P), ("ne", ctypes.c_int64 * 4))


_SetTensor = ctypes.CFUNCTYPE(None, _P, _P)
_ignore_tensor = _SetTensor(lambda tensor, user_data: None)


def _functions() -> tuple[Any, Any, Any, Any]:
    read, free = base.gguf_init_from_file, base.gguf_free
    read.restype, read.argtypes = _P, (ctypes.c_char_p, _GgufParams)
    free.restype, free.argtypes = None, (_P,)
    init = lib._lib.llama_model_init_from_user
    init.restype, init.argtypes = _P, (_P, _SetTensor, _P, lib.llama_model_params)
    tensors = lib._lib._Z29llama_internal_get_tensor_mapB5cxx11PK11llama_model
    tensors.restype, tensors.argtypes = ctypes.POINTER(_Vector), (_P,)
    return read, free, init, tensors


def tensors_of(blueprint: Blueprint) -> dict[str, Shape]:
    """Name → shape (row length first) of all tensors that the model's file has, in llama.cpp's order of writing."""
    read, free, init, tensors = _functions()
    values, types = blueprint.metadata()
    head = encode_header(values, types, (), alignment=32)
    file = SparseFile(head, len(head))
    try:
        metadata = read(file.path.encode(), _GgufParams(no_alloc=True, context=None))
    finally:
        file.close()
    params = lib.llama_model_default_params()
    params.no_alloc = True
    params.load_mode = 0
    params.load_mtp = True
    model = init(metadata, _ignore_tensor, None, params)
    free(metadata)
    if not model:
        raise ValueError(f"llama.cpp refuses {blueprint.name}")
    try:
        vector = tensors(model).contents
        count = (vector.end - vector.begin) // ctypes.sizeof(_Named)
        entries = (_Named * count).from_address(vector.begin)
        found = {entry.text.decode(): _shape(entry.tensor) for entry in entries}
    finally:
        lib.llama_model_free(model)
    stored = _as_published(found, blueprint.fused_qkv)
    return {name: stored[name] for name in sorted(stored, key=_file_order) if blueprint.has(name)}


def _as_published(found: dict[str, Shape], fused_qkv: bool) -> dict[str, Shape]:
    """llama.cpp asks for some weights in one form of two; files have the other."""
    stored: dict[str, Shape] = {}
    for name, shape in found.items():
        if "ffn_gate_up_exps" in name:
            half = (shape[0], shape[1] // 2, *shape[2:])
            stored |= {name.replace("gate_up", part): half for part in ("gate", "up")}
        elif fused_qkv and (part := re.search(r"attn_[qkv]\.", name)):
            fused = name.replace(part[0], "attn_qkv.")
            stored[fused] = (*shape[:-1], stored.get(fused, (0,))[-1] + shape[-1])
        else:
            stored[name] = shape
    return stored


def _shape(address: int) -> Shape:
    shape = list(_Tensor.from_address(address).ne)
    while len(shape) > 1 and shape[-1] == 1:
        shape.pop()
    return tuple(shape)


def _file_order(name: str) -> tuple[int, str]:
    """llama-model-loader.h: weight_name_comparer."""
    parts = name.split(".")
    layer = int(parts[1]) if parts[0] == "blk" and parts[1].isdecimal() else -1
    return layer, name
