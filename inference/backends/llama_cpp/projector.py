"""How many bytes a projector (the part of a vision or audio model in an `mmproj` file) would hold on which device.

`mtmd_get_memory_usage` (mtmd.h) reads the header of the file only and returns a `std::map` by value, like
llama.cpp's memory breakdown; the same C++ layout is needed.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from inference.backends.llama_cpp.breakdown import Map, device_name, nodes_of, readable
from inference.backends.llama_cpp.library import open_library
from inference.planning.oracle import MeasureFailed

_SYMBOL = "_Z21mtmd_get_memory_usagePKc19mtmd_context_params"


class _Params(ctypes.Structure):
    """mtmd_context_params."""

    _fields_ = (
        ("use_gpu", ctypes.c_bool),
        ("device", ctypes.c_void_p),
        ("print_timings", ctypes.c_bool),
        ("n_threads", ctypes.c_int),
        ("image_marker", ctypes.c_void_p),
        ("media_marker", ctypes.c_void_p),
        ("flash_attn_type", ctypes.c_int),
        ("warmup", ctypes.c_bool),
        ("image_min_tokens", ctypes.c_int),
        ("image_max_tokens", ctypes.c_int),
        ("cb_eval", ctypes.c_void_p),
        ("cb_eval_user_data", ctypes.c_void_p),
        ("batch_max_tokens", ctypes.c_int32),
        ("progress_callback", ctypes.c_void_p),
        ("progress_callback_user_data", ctypes.c_void_p),
    )


class _Node(ctypes.Structure):
    """_Rb_tree_node<pair<ggml_backend_dev_t, size_t>>."""

    _fields_ = (
        ("colour", ctypes.c_int),
        ("parent", ctypes.c_void_p),
        ("left", ctypes.c_void_p),
        ("right", ctypes.c_void_p),
        ("device", ctypes.c_void_p),
        ("bytes", ctypes.c_size_t),
    )


def projector_bytes(path: Path, *, device: int | None) -> dict[str, int]:
    """Weights and working memory, by device name, for an image of the size that llama.cpp warms up with.

    device: handle (`ggml_backend_dev_t`) of the accelerator that shall hold it, None for the processor.
    Raises MeasureFailed when the file is none that can be read, or where the layout is not known.
    """
    library = open_library("mtmd") if readable() else None
    function = getattr(library, _SYMBOL, None)
    if library is None or function is None:
        raise MeasureFailed("the projector's memory cannot be read")
    library.mtmd_context_params_default.restype = _Params
    function.restype, function.argtypes = Map, (ctypes.c_char_p, _Params)
    params = library.mtmd_context_params_default()
    params.use_gpu, params.device = device is not None, device
    # Warming up is where the graph is measured; nothing is computed.
    params.warmup = True
    tree = function(str(path).encode(), params)
    found = {device_name(node.device): node.bytes for node in nodes_of(tree, _Node)}
    if not found:
        raise MeasureFailed(f"{path.name} is no projector that could be read")
    return found
