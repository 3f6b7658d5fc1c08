"""Allocation failures are read from the lines that llama.cpp 0c1e57098 prints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.backends.shortage import find_shortage, tells_shortage, with_shortage
from inference.worker.black_box import RECORD_MARK
from inference.worker.death import Ending, cause_of_death

MIB = 1024**2
CUDA_WEIGHTS = (
    "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4096.50 MiB on device 0: cudaMalloc failed: out of memory",
    "alloc_tensor_range: failed to allocate CUDA0 buffer of size 4295491584",
    "llama_model_load: error loading model: unable to allocate CUDA0 buffer",
    "llama_model_load_from_file_impl: failed to load model",
)
CUDA_COMPUTE = (
    "ggml_backend_cuda_buffer_type_alloc_buffer: allocating 512.00 MiB on device 1: cudaMalloc failed: out of memory",
    "ggml_gallocr_reserve_n_impl: failed to allocate CUDA1 buffer of size 536870912",
    "graph_reserve: failed to allocate compute buffers",
    "llama_init_from_model: failed to initialize the context: failed to allocate compute pp buffers",
)
CPU_KV = (
    "ggml_aligned_malloc: insufficient memory (attempted to allocate 896.00 MB)",
    "ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 939524096",
    "alloc_tensor_range: failed to allocate CPU buffer of size 939524096",
    "llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache",
)
VULKAN = (
    "ggml_vulkan: Device memory allocation of size 1073741824 failed.",
    "ggml_vulkan: vk::Device::allocateMemory: ErrorOutOfDeviceMemory",
    "alloc_tensor_range: failed to allocate Vulkan0 buffer of size 1073741824",
)
ONE_LINE = {
    "CUDA error: out of memory": (None, None),
    "ggml_metal_buffer_init: error: failed to allocate buffer, size =   512.00 MiB": (None, 512 * MIB),
    "ggml_backend_metal_buffer_type_alloc_buffer: failed to allocate Metal buffer of 77 bytes (out of memory)": (
        None,
        77,
    ),
    "ggml_backend_sycl_buffer_type_alloc_buffer: can't allocate 99 Bytes of memory on device": (None, 99),
    "ggml_sycl_malloc: can't allocate 55 Bytes of memory on host": ("CPU", 55),
    "ggml_backend_opencl_buffer_type_alloc_buffer: failed to allocate 256.00 MiB (err=-4). Consider reducing -ngl": (
        None,
        256 * MIB,
    ),
    "output_reserve: failed to allocate output buffer of size 9.50 MiB": ("CPU", int(9.5 * MIB)),
    "alloc_tensor_range: failed to allocate CPU_REPACK buffer of size 12": ("CPU", 12),
    "alloc_tensor_range: failed to allocate CUDA_Host buffer of size 12": ("CPU", 12),
    "alloc_tensor_range: failed to allocate MTL0_Private buffer of size 12": ("MTL0", 12),
    "what():  std::bad_alloc": ("CPU", None),
    "llama_init_from_model: failed to initialize the context: std::bad_alloc": ("CPU", None),
    "GGML status: error (failed to allocate memory)": (None, None),
}


@pytest.mark.parametrize(
    ("lines", "device", "needed_bytes"),
    [
        (CUDA_WEIGHTS, "CUDA0", 4295491584),
        (CUDA_COMPUTE, "CUDA1", 536870912),
        (CPU_KV, "CPU", 939524096),
        (VULKAN, "Vulkan0", 1073741824),
    ],
)
def test_one_failure_in_several_lines(lines: tuple[str, ...], device: str, needed_bytes: int) -> None:
    shortage = find_shortage(("llama_kv_cache: warning: something else", *lines))
    assert shortage is not None
    assert (shortage.device, shortage.needed_bytes, shortage.line) == (device, needed_bytes, lines[0])


@pytest.mark.parametrize("line", ONE_LINE)
def test_one_line(line: str) -> None:
    shortage = find_shortage([line + "\n"])
    assert shortage is not None and (shortage.device, shortage.needed_bytes) == ONE_LINE[line]


@pytest.mark.parametrize(
    "line",
    [
        "ggml_cuda_host_malloc: failed to allocate 64.00 MiB of pinned memory: out of memory",
        "reorder_qw: failed to allocate 4096 bytes for reorder temp buffer, skipping reorder",
        "llama_model_load: error loading model: unknown model architecture: 'x'",
        "done_getting_tensors: wrong number of tensors; expected 3, got 2",
        "",
    ],
)
def test_what_is_no_shortage(line: str) -> None:
    assert not tells_shortage(line) and find_shortage([line]) is None


def test_an_abort_is_recorded_with_the_shortage_before_it() -> None:
    log = [
        "ggml_cuda_compute_forward: something",
        "CUDA error: out of memory",
        "  current device: 0, in function alloc",
    ]
    words = with_shortage(b"ggml-cuda.cu:109: CUDA error", log)
    assert words == b"ggml-cuda.cu:109: CUDA error: CUDA error: out of memory"
    death = cause_of_death(Ending(return_code=-6, black_box=RECORD_MARK + words + b"\n"))
    assert death.cause == "out_of_memory"
    assert with_shortage(b"GGML_ASSERT(x)", log[:1]) == b"GGML_ASSERT(x)"


@given(st.lists(st.text() | st.sampled_from([*CUDA_WEIGHTS, *CPU_KV, *ONE_LINE]), max_size=8))
def test_never_fails(lines: list[str]) -> None:
    shortage = find_shortage(lines)
    assert (shortage is not None) == any(map(tells_shortage, lines))
