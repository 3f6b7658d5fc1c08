"""Which type each tensor gets when a model is quantized: llama.cpp's own rule, asked through its test interface.

`llama_quant_compute_types` and its neighbours (llama-ext.h) decide as `llama-quantize` without an importance matrix.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

from inference.backends.llama_cpp.library import base, lib
from models_catalog.gguf.parsing import TensorInfo
from models_catalog.gguf.tensor_types import FILE_TYPES, TENSOR_TYPES, TensorType
from tests.synthetic.blueprint import Blueprint
from tests.synthetic.discovery import Shape

FILE_TYPE_NUMBERS = {name: number for number, name in FILE_TYPES.items()}
_NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
_BY_NAME = {kind.name: kind for kind in TENSOR_TYPES.values()}
_UNQUANTIZED = ("F32", "F16", "BF16")
# The converter's rule (conversion/base.py: prepare_tensors): these stay F32 whatever is asked for.
_ALWAYS_F32 = (
    "ffn_gate_inp",
    "position_embd",
    "token_types",
    "ssm_conv1d",
    "shortconv.conv",
    "time_mix_first",
    "time_mix_w1",
    "time_mix_w2",
    "time_mix_decay_w1",
    "time_mix_decay_w2",
    "time_mix_lerp_fused",
)

_P = ctypes.c_void_p


class _InitParams(ctypes.Structure):
    """ggml_init_params."""

    _fields_ = (("bytes", ctypes.c_size_t), ("memory", _P), ("no_alloc", ctypes.c_bool))


class _ModelDescription(ctypes.Structure):
    """llama_quant_model_desc."""

    _fields_ = (
        ("architecture", ctypes.c_char_p),
        *(
            (name, ctypes.c_uint32)
            for name in (
                "n_embd",
                "n_ff",
                "n_layer",
                "n_head",
                "n_head_kv",
                "n_expert",
                "n_embd_head_k",
                "n_embd_head_v",
            )
        ),
    )


def quantized(blueprint: Blueprint, shapes: Mapping[str, Shape], quantization: str) -> list[TensorInfo]:
    """The tensors of the quantized file one after the other. quantization: a name of FILE_TYPES, "Q4_K_M"."""
    types = {name: _source_type(name, shape) for name, shape in shapes.items()}
    if quantization in _UNQUANTIZED:
        types = {name: quantization if kind == "F16" else kind for name, kind in types.items()}
    else:
        types |= _chosen(blueprint, shapes, types, quantization)
    infos: list[TensorInfo] = []
    offset = 0
    for name, shape in shapes.items():
        info = _info(name, shape, _BY_NAME[types[name]], offset)
        infos.append(info)
        offset += info.size_bytes + -info.size_bytes % 32
    return infos


def _info(name: str, shape: Shape, kind: TensorType, offset: int) -> TensorInfo:
    info = TensorInfo(name=name, shape=shape, type=kind, offset_bytes=offset, size_bytes=0)
    size = info.elements // kind.block_elements * kind.block_bytes
    return TensorInfo(name=name, shape=shape, type=kind, offset_bytes=offset, size_bytes=size)


def _source_type(name: str, shape: Shape) -> str:
    plain = len(shape) < 2 or name.endswith("_norm.weight") or not name.endswith(".weight")
    return "F32" if plain or any(part in name for part in _ALWAYS_F32) else "F16"


def _chosen(
    blueprint: Blueprint, shapes: Mapping[str, Shape], sources: Mapping[str, str], quantization: str
) -> dict[str, str]:
    init, free, allows, compute, describe = _functions()
    model = describe(ctypes.byref(_description(blueprint)))
    params = lib.llama_model_quantize_default_params()
    state = init(model, ctypes.byref(params))
    context = base.ggml_init(_InitParams(bytes=512 * (len(shapes) + 8), memory=None, no_alloc=True))
    try:
        tensors = {name: _tensor(context, name, shape, sources[name]) for name, shape in shapes.items()}
        names = [name for name, tensor in tensors.items() if allows(state, tensor)]
        pointers = (_P * len(names))(*(tensors[name] for name in names))
        result = (ctypes.c_int * len(names))()
        compute(state, FILE_TYPE_NUMBERS[quantization], pointers, result, len(names))
    finally:
        base.ggml_free(context)
        free(state)
        lib.llama_model_free(model)
    return {name: TENSOR_TYPES[number].name for name, number in zip(names, result, strict=True)}


def _description(blueprint: Blueprint) -> _ModelDescription:
    def key(name: str, default: int = 0) -> int:
        value = blueprint.keys.get(name, default)
        number = value[-1] if isinstance(value, list) else value
        return number if isinstance(number, int) else default

    heads = key("attention.head_count")
    head = key("embedding_length") // heads if heads else 0
    return _ModelDescription(
        architecture=blueprint.architecture.encode(),
        n_embd=key("embedding_length"),
        n_ff=key("feed_forward_length"),
        n_layer=key("block_count"),
        n_head=heads,
        n_head_kv=key("attention.head_count_kv", heads),
        n_expert=key("expert_count"),
        n_embd_head_k=key("attention.key_length", head),
        n_embd_head_v=key("attention.value_length", head),
    )


def _tensor(context: int, name: str, shape: Shape, kind: str) -> int:
    tensor = base.ggml_new_tensor(context, _NUMBERS[kind], len(shape), (ctypes.c_int64 * len(shape))(*shape))
    base.ggml_set_name(tensor, name.encode())
    return int(tensor)


def _functions() -> tuple[Any, ...]:
    library = lib._lib
    init = library._Z16llama_quant_initPK11llama_modelPK27llama_model_quantize_params
    free = library._Z16llama_quant_freeP19quantize_state_impl
    allows = library._Z38llama_quant_tensor_allows_quantizationPK19quantize_state_implPK11ggml_tensor
    compute = library._Z25llama_quant_compute_typesP19quantize_state_impl11llama_ftypePP11ggml_tensorP9ggml_typem
    describe = library._Z31llama_quant_model_from_metadataPK22llama_quant_model_desc
    init.restype, init.argtypes = _P, (_P, _P)
    free.restype, free.argtypes = None, (_P,)
    allows.restype, allows.argtypes = ctypes.c_bool, (_P, _P)
    compute.restype, compute.argtypes = None, (_P, ctypes.c_int, _P, _P, ctypes.c_size_t)
    describe.restype, describe.argtypes = _P, (_P,)
    base.ggml_init.restype, base.ggml_init.argtypes = _P, (_InitParams,)
    base.ggml_free.restype, base.ggml_free.argtypes = None, (_P,)
    base.ggml_new_tensor.restype = _P
    base.ggml_new_tensor.argtypes = (_P, ctypes.c_int, ctypes.c_int, _P)
    base.ggml_set_name.restype, base.ggml_set_name.argtypes = _P, (_P, ctypes.c_char_p)
    return init, free, allows, compute, describe
