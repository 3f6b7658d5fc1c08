"""The one place where a LoadPlan becomes llama.cpp's parameters; every field that matters is set explicitly."""

from __future__ import annotations

from typing import Any

from inference.backends.llama_cpp.library import lib
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


def model_params(plan: LoadPlan, progress: Any) -> Any:
    """llama_model_params; `progress` is a llama_progress_callback that the caller keeps alive."""
    params = lib.llama_model_default_params()
    params.n_gpu_layers = plan.placement.gpu_layers
    params.load_mode = _LOAD_MMAP if plan.memory_map else _LOAD_NONE
    params.use_extra_bufts = plan.repack
    params.check_tensors = False
    params.progress_callback = progress
    return params


def context_params(plan: LoadPlan) -> Any:
    """llama_context_params. One call is one micro-batch, so that every call is a scheduling decision."""
    params = lib.llama_context_default_params()
    params.n_ctx = plan.context_tokens
    params.n_batch = plan.batch_tokens
    params.n_ubatch = plan.batch_tokens
    params.n_seq_max = plan.sequences
    # One output row per sequence at most; the default (n_batch) reserves ten times the compute buffer. More rows abort.
    params.n_outputs_max = plan.outputs_max or plan.sequences
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
