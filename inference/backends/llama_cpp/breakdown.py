"""How many bytes a context holds in which buffers, read from the C++ map that llama.cpp returns.

`llama_get_memory_breakdown` (llama-ext.h, a staging header) returns a `std::map` by value: buffer type → bytes of
weights, state and compute. ctypes can call it where the C++ library's layout is known and was tried: libstdc++ on
64-bit Linux. Elsewhere `read_breakdown` answers None and an estimate takes its place.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from typing import Any

from inference.backends.llama_cpp.library import base, lib
from inference.values import HOST, BufferBytes

_SYMBOL = "_Z26llama_get_memory_breakdownPK13llama_context"
_CPU_DEVICE = 0


class Map(ctypes.Structure):
    """libstdc++'s std::map: the comparator, then the header node of a red-black tree and the count. 48 bytes."""

    _fields_ = (
        ("compare", ctypes.c_uint64),
        ("colour", ctypes.c_int),
        ("root", ctypes.c_void_p),
        ("leftmost", ctypes.c_void_p),
        ("rightmost", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
    )


class _Node(ctypes.Structure):
    """_Rb_tree_node<pair<ggml_backend_buffer_type_t, llama_memory_breakdown_data>>."""

    _fields_ = (
        ("colour", ctypes.c_int),
        ("parent", ctypes.c_void_p),
        ("left", ctypes.c_void_p),
        ("right", ctypes.c_void_p),
        ("buffer_type", ctypes.c_void_p),
        ("weights", ctypes.c_size_t),
        ("state", ctypes.c_size_t),
        ("compute", ctypes.c_size_t),
    )


def read_breakdown(context: Any) -> tuple[BufferBytes, ...] | None:
    """Bytes by buffer type, as allocated or, for a `no_alloc` model, as they would be; None where unreadable."""
    function = _function()
    if function is None:
        return None
    tree = function(context)
    buffers = [_buffer(node) for node in nodes_of(tree, _Node)]
    return tuple(sorted(buffers, key=lambda buffer: buffer.buffer_type)) if len(buffers) == tree.count else None


def nodes_of(tree: Any, node_type: Any) -> Iterator[Any]:
    """The entries of a `Map`, in any order; at most one more than it counts, should its layout be another.

    The temporary map is never destroyed: some hundred bytes for each call, and no C++ destructor is needed.
    """
    found, pending = 0, [tree.root]
    while pending and found <= tree.count:
        if address := pending.pop():
            node = node_type.from_address(address)
            found += 1
            yield node
            pending += [node.left, node.right]


def device_name(device: int) -> str:
    """HOST for the processor's devices, else the device's own name."""
    if base.ggml_backend_dev_type(device) == _CPU_DEVICE:
        return HOST
    return str(base.ggml_backend_dev_name(device).decode())


def readable() -> bool:
    """Whether this platform's breakdown can be read."""
    return _function() is not None


def _function() -> Any:
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    function = getattr(lib._lib, _SYMBOL, None)
    if function is not None:
        function.restype, function.argtypes = Map, (ctypes.c_void_p,)
    return function


def _buffer(node: _Node) -> BufferBytes:
    device = base.ggml_backend_buft_get_device(node.buffer_type)
    on_host = base.ggml_backend_buft_is_host(node.buffer_type) or not device
    return BufferBytes(
        buffer_type=base.ggml_backend_buft_name(node.buffer_type).decode(),
        device=HOST if on_host else device_name(device),
        weights_bytes=node.weights,
        state_bytes=node.state,
        compute_bytes=node.compute,
    )
