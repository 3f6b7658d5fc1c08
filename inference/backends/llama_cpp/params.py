"""The one place where a LoadPlan becomes llama.cpp's parameters; every field that matters is set explicitly."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from inference.backends.llama_cpp.library import base, ggml, lib
from inference.errors import DeviceMissing
from inference.values import KvType, LoadPlan

_KV_TYPES: dict[KvType, int] = {
    "f16": lib.GGML_TYPE_F16,
    "bf16": 30,
    "q8_0": lib.GGML_TYPE_Q8_0,
    "q5_1": lib.GGML_TYPE_Q5_1,
    "q5_0": lib.GGML_TYPE_Q5_0,
    "q4_1": lib.GGML_TYPE_Q4_1,
    "q4_0": lib.GGML_TYPE_Q4_0,
}
_LOAD_NONE, _LOAD_MMAP = 0, 1


@contextmanager
def model_params(plan: LoadPlan, progress: Any = None) -> Iterator[Any]:
    """llama_model_params, valid while the block lasts: they point to arrays that must live until the model is loaded.

    progress: a llama_progress_callback. Raises DeviceMissing for a device of the placement that is not there.
    """
    placement = plan.placement
    params = lib.llama_model_default_params()
    devices = (ctypes.c_void_p * (len(placement.devices) + 1))(
        *(_device(name, plan.model_path) for name in placement.devices), None
    )
    shares = (ctypes.c_float * int(lib.llama_max_devices()))(*placement.tensor_split)
    overrides = (_Override * (len(placement.overrides) + 1))(
        *(_Override(item.pattern.encode(), _buffer_type(item.device, plan.model_path)) for item in placement.overrides)
    )
    # An empty list, not NULL: NULL would stand for every device there is, also for large batches of a CPU-only plan.
    params.devices = ctypes.cast(devices, ctypes.c_void_p)
    params.n_gpu_layers = placement.gpu_layers
    params.split_mode = lib.LLAMA_SPLIT_MODE_LAYER
    if placement.tensor_split:
        params.tensor_split = ctypes.cast(shares, ctypes.POINTER(ctypes.c_float))
    if placement.overrides:
        params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p)
    params.load_mode = _LOAD_MMAP if plan.memory_map else _LOAD_NONE
    params.use_extra_bufts = plan.repack
    params.check_tensors = False
    if progress is not None:
        params.progress_callback = progress
    yield params


def output_rows(plan: LoadPlan) -> int:
    """Most output rows of one call: with more llama.cpp aborts the process, and so it does when a context is made with
    fewer rows than sequences (llama-context.cpp: output_reserve)."""
    return max(plan.outputs_max, plan.sequences)


def free_device_bytes(plan: LoadPlan) -> dict[str, int]:
    """Free memory of each device of the placement now. Raises DeviceMissing."""
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    result: dict[str, int] = {}
    for name in plan.placement.devices:
        base.ggml_backend_dev_memory(
            ctypes.c_void_p(_device(name, plan.model_path)), ctypes.byref(free), ctypes.byref(total)
        )
        result[name] = free.value
    return result


class _Override(ctypes.Structure):
    """llama_model_tensor_buft_override; the list ends with a NULL pattern."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


def _device(name: str, model_path: str) -> int:
    """ggml_backend_dev_t of a device by its name."""
    handle = ggml.ggml_backend_dev_by_name(name.encode())
    if not handle:
        raise DeviceMissing(path=model_path, device=name)
    return int(handle)


def _buffer_type(device: str, model_path: str) -> int:
    """ggml_backend_buffer_type_t of a device's own memory."""
    return int(base.ggml_backend_dev_buffer_type(_device(device, model_path)))


def context_params(plan: LoadPlan) -> Any:
    """llama_context_params. One call is one micro-batch, so that every call is a scheduling decision."""
    params = lib.llama_context_default_params()
    params.n_ctx = plan.context_tokens
    params.n_batch = plan.batch_tokens
    params.n_ubatch = plan.batch_tokens
    params.n_seq_max = plan.sequences
    # The default (n_batch) reserves ten times the compute buffer.
    params.n_outputs_max = output_rows(plan)
    params.n_threads = plan.decode_threads
    params.n_threads_batch = plan.batch_threads
    params.flash_attn_type = 1 if plan.flash_attention else 0
    params.type_k = _KV_TYPES[plan.kv_type_k]
    params.type_v = _KV_TYPES[plan.kv_type_v]
    params.kv_unified = True
    # A full-size window cache keeps old prefixes of sliding-window models usable.
    params.swa_full = plan.swa_full
    params.offload_kqv = True
    params.op_offload = True
    params.embeddings = False
    params.no_perf = True
    return params
