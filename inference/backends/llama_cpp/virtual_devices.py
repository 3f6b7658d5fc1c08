"""Accelerators that exist only for dry runs: ggml devices that take every operation and allocate nothing.

A `no_alloc` model never computes, so a device needs no driver to be planned for: it is enough that it answers ggml's
questions (names, alignments, sizes, which operations) as the real back end would. With these devices any machine can be
planned on any other one. The answers follow ggml-cuda, ggml-vulkan and ggml-metal of the llama.cpp that
llama-cpp-python 0.3.36 carries; the structures are those of its ggml-backend-impl.h (API version 2).
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from inference.backends.llama_cpp.library import base, ggml

MAX_DEVICES = 8
# What each claims to have: the planner, not the device, knows the budget.
MEMORY_BYTES = 1 << 50
_API_VERSION = 2
_DEVICE_TYPE_GPU = 1
# The beginning of ggml_tensor: type, (buffer), ne[4], (nb[4]), op; after op_params[16] and flags come the sources.
_TENSOR = struct.Struct("<i12x4q32xi")
_TENSOR_SOURCES_OFFSET = 152
# ggml_backend_buffer: eleven functions, of which `clear` is the tenth, then its type.
_CLEAR_OFFSET, _BUFFER_TYPE_OFFSET = 9 * 8, 11 * 8
_F16_TYPE, _FIRST_QUANTIZED = 1, 2
_QUANTIZED_BUT = frozenset({24, 25, 26, 27, 28, 30})  # I8 … F64 and BF16 are numbered above the first quantized type
# ggml-cuda: MATRIX_ROW_PADDING, GGML_OP_OFFLOAD_MIN_BATCH.
_ROW_PADDING = 512
_OFFLOAD_TOKENS = 32

_P, _SIZE, _BOOL, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_bool, ctypes.c_int


def _table(name: str, functions: str) -> type[ctypes.Structure]:
    return type(name, (ctypes.Structure,), {"_fields_": [(function, _P) for function in functions.split()]})


_BufferTypeFunctions = _table(
    "_BufferTypeFunctions", "get_name alloc_buffer get_alignment get_max_size get_alloc_size is_host"
)
_BackendFunctions = _table(
    "_BackendFunctions",
    "get_name free set_tensor_async get_tensor_async set_tensor_2d_async get_tensor_2d_async cpy_tensor_async"
    " synchronize graph_plan_create graph_plan_free graph_plan_update graph_plan_compute graph_compute event_record"
    " event_wait graph_optimize",
)
_DeviceFunctions = _table(
    "_DeviceFunctions",
    "get_name get_description get_memory get_type get_props init_backend get_buffer_type get_host_buffer_type"
    " buffer_from_host_ptr supports_op supports_buft offload_op event_new event_free event_synchronize",
)
_RegistryFunctions = _table("_RegistryFunctions", "get_name get_device_count get_device get_proc_address")


class _BufferType(ctypes.Structure):
    _fields_ = (("functions", _BufferTypeFunctions), ("device", _P), ("context", _P))


class _Backend(ctypes.Structure):
    _fields_ = (("guid", _P), ("functions", _BackendFunctions), ("device", _P), ("context", _P))


class _Device(ctypes.Structure):
    _fields_ = (("functions", _DeviceFunctions), ("registry", _P), ("context", _P))


class _Registry(ctypes.Structure):
    _fields_ = (("api_version", _INT), ("functions", _RegistryFunctions), ("context", _P))


class DeviceProperties(ctypes.Structure):
    """ggml_backend_dev_props."""

    _fields_ = (
        ("name", _P),
        ("description", _P),
        ("memory_free", _SIZE),
        ("memory_total", _SIZE),
        ("type", _INT),
        ("device_id", _P),
        ("can_async", _BOOL),
        ("can_host_buffer", _BOOL),
        ("can_buffer_from_host_ptr", _BOOL),
        ("can_events", _BOOL),
        ("can_mmap", _BOOL),
        ("reserved", _BOOL * 2),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """How a back end sizes its buffers. pads_rows, converts_kv: see ggml-cuda's get_alloc_size."""

    alignment: int
    has_host_buffers: bool
    pads_rows: bool
    converts_kv: bool
    offloads: bool


_CUDA = _Manner(alignment=128, has_host_buffers=True, pads_rows=True, converts_kv=True, offloads=True)
_VULKAN = _Manner(alignment=64, has_host_buffers=True, pads_rows=False, converts_kv=False, offloads=True)
_METAL = _Manner(alignment=32, has_host_buffers=False, pads_rows=False, converts_kv=False, offloads=True)
_PLAIN = _Manner(alignment=128, has_host_buffers=False, pads_rows=False, converts_kv=False, offloads=False)
_MANNERS = {"CUDA": _CUDA, "ROCm": _CUDA, "MUSA": _CUDA, "Vulkan": _VULKAN, "Metal": _METAL, "MTL": _METAL}


def _op_number(name: bytes) -> int:
    return next(number for number in range(_OPS_LOOKED_AT) if base.ggml_op_name(number) == name)


# The wanted operations are among the first of ggml's enumeration, which has no end that could be asked for.
_OPS_LOOKED_AT = 80
_GET_ROWS, _MUL_MAT, _MUL_MAT_ID, _ROPE, _FLASH_ATTENTION = map(
    _op_number, (b"GET_ROWS", b"MUL_MAT", b"MUL_MAT_ID", b"ROPE", b"FLASH_ATTN_EXT")
)


def _manner(name: str) -> _Manner:
    return next((manner for prefix, manner in _MANNERS.items() if name.startswith(prefix)), _PLAIN)


class VirtualDevices:
    """The process's virtual devices; made once (ggml cannot forget a device). One thread uses them.

    `call_them` gives the first devices the names of the next dry runs; their handles are found by these names.
    """

    def __init__(self) -> None:
        # ggml calls into all of these until the process ends.
        self._kept: list[Any] = []
        self._slots = [_Slot(self._keep) for _ in range(MAX_DEVICES)]
        self._register()

    def call_them(self, names: Sequence[str]) -> tuple[int, ...]:
        """Handles (`ggml_backend_dev_t`) of devices that are from now on called so, in order."""
        if len(names) > MAX_DEVICES:
            raise ValueError(f"{len(names)} devices")
        for number, slot in enumerate(self._slots):
            slot.rename(names[number] if number < len(names) else f"unused{number}")
        return tuple(slot.handle for slot in self._slots[: len(names)])

    def _keep(self, thing: Any) -> Any:
        self._kept.append(thing)
        return thing

    def _register(self) -> None:
        registry = self._keep(_Registry())
        name = self._keep(ctypes.create_string_buffer(b"Virtual"))
        registry.api_version = _API_VERSION
        functions = registry.functions
        functions.get_name = _pointer(self._keep(_GET(lambda _: ctypes.addressof(name))))
        functions.get_device_count = _pointer(self._keep(_GET_SIZE(lambda _: MAX_DEVICES)))
        functions.get_device = _pointer(
            self._keep(ctypes.CFUNCTYPE(_P, _P, _SIZE)(lambda _, index: self._slots[index].handle))
        )
        functions.get_proc_address = _pointer(self._keep(ctypes.CFUNCTYPE(_P, _P, _P)(lambda _, name: None)))
        for slot in self._slots:
            slot.device.registry = ctypes.addressof(registry)
        ggml.ggml_backend_register(ctypes.addressof(registry))


@contextmanager
def untouched_memory() -> Iterator[None]:
    """Inside, buffers of main memory are allocated but never filled with zeros, so that they take no memory.

    For dry runs only: llama.cpp really allocates recurrent states in them, which can be gigabytes.
    """
    functions = _BufferType.from_address(base.ggml_backend_dev_buffer_type(ggml.ggml_backend_dev_by_type(0))).functions
    own = functions.alloc_buffer
    allocate = _ALLOCATE(own)

    def without_clearing(buffer_type: int, size: int) -> int | None:
        buffer = allocate(buffer_type, size)
        if buffer:
            ctypes.c_void_p.from_address(buffer + _CLEAR_OFFSET).value = _NOT_CLEARED
        return int(buffer) if buffer else None

    replacement = _ALLOCATE(without_clearing)
    functions.alloc_buffer = _pointer(replacement)
    try:
        yield
    finally:
        functions.alloc_buffer = own


_GET = ctypes.CFUNCTYPE(_P, _P)
_ALLOCATE = ctypes.CFUNCTYPE(_P, _P, _SIZE)
_GET_SIZE = ctypes.CFUNCTYPE(_SIZE, _P)
_ASK_OP = ctypes.CFUNCTYPE(_BOOL, _P, _P)


def _pointer(function: Any) -> int | None:
    return ctypes.cast(function, _P).value


class _Slot:
    """One virtual device with its two buffer types."""

    def __init__(self, keep: Callable[[Any], Any]) -> None:
        self._keep = keep
        self._manner = _PLAIN
        self._name = ctypes.create_string_buffer(64)
        self._host_name = ctypes.create_string_buffer(64)
        self.device = _Device()
        self._own_type, self._host_type, self._guid = _BufferType(), _BufferType(), (ctypes.c_uint8 * 16)(7)
        self.handle = ctypes.addressof(self.device)
        self._cpu_type = base.ggml_backend_dev_buffer_type(ggml.ggml_backend_dev_by_type(0))
        self._fill_buffer_types()
        self._fill_device()
        # One for all contexts: it has nothing to lose when it is freed.
        self._backend = _Backend()
        self._backend.guid, self._backend.device = ctypes.addressof(self._guid), self.handle
        self._backend.functions.get_name = self.device.functions.get_name
        self._backend.functions.free = self._function(ctypes.CFUNCTYPE(None, _P), lambda _: None)
        self._backend.functions.synchronize = self._backend.functions.free

    def rename(self, name: str) -> None:
        """The device and its buffers are called so from now on, and behave as that back end's would."""
        self._manner = _manner(name)
        self._name.value = name.encode()
        self._host_name.value = name.rstrip("0123456789").encode() + b"_Host"

    def _function(self, kind: Any, function: Callable[..., Any]) -> int | None:
        return _pointer(self._keep(kind(function)))

    def _get_name(self, _: int) -> int:
        return ctypes.addressof(self._name)

    def _fill_buffer_types(self) -> None:
        own, host = self._own_type, self._host_type
        own.device = host.device = self.handle
        own.functions.get_name = self._function(_GET, self._get_name)
        own.functions.alloc_buffer = self._function(_ALLOCATE, self._allocate)
        own.functions.get_alignment = self._function(_GET_SIZE, lambda _: self._manner.alignment)
        own.functions.get_alloc_size = self._function(ctypes.CFUNCTYPE(_SIZE, _P, _P), self._alloc_size)
        # Pinned memory of the host differs from plain memory in its name only.
        host.functions = _BufferType.from_address(self._cpu_type).functions
        host.functions.get_name = self._function(_GET, lambda _: ctypes.addressof(self._host_name))

    def _fill_device(self) -> None:
        functions = self.device.functions
        own, host = ctypes.addressof(self._own_type), ctypes.addressof(self._host_type)
        functions.get_name = functions.get_description = self._function(_GET, self._get_name)
        functions.get_memory = self._function(ctypes.CFUNCTYPE(None, _P, _P, _P), _memory)
        functions.get_type = self._function(ctypes.CFUNCTYPE(_INT, _P), lambda _: _DEVICE_TYPE_GPU)
        functions.get_props = self._function(ctypes.CFUNCTYPE(None, _P, _P), self._properties)
        functions.init_backend = self._function(
            ctypes.CFUNCTYPE(_P, _P, _P), lambda _, __: ctypes.addressof(self._backend)
        )
        functions.get_buffer_type = self._function(_GET, lambda _: own)
        functions.get_host_buffer_type = self._function(_GET, lambda _: host if self._manner.has_host_buffers else None)
        functions.supports_op = self._function(_ASK_OP, lambda _, op: True)
        functions.supports_buft = self._function(_ASK_OP, lambda _, buffer_type: buffer_type == own)
        functions.offload_op = self._function(_ASK_OP, self._offloads)

    def _properties(self, _: int, address: int) -> None:
        properties = DeviceProperties.from_address(address)
        ctypes.memset(address, 0, ctypes.sizeof(properties))
        properties.name = properties.description = ctypes.addressof(self._name)
        properties.type = _DEVICE_TYPE_GPU
        # With asynchronous calls and events llama.cpp keeps several copies of inputs when layers are split.
        properties.can_async = properties.can_events = True
        properties.can_host_buffer = self._manner.has_host_buffers

    def _offloads(self, _: int, op: int) -> bool:
        """ggml-cuda's rule: a large batch is worth carrying the weights over for."""
        if not self._manner.offloads:
            return False
        _, _, rows, tokens, more, number = _TENSOR.unpack(ctypes.string_at(op, _TENSOR.size))
        if number == _GET_ROWS:
            return False
        if number == _MUL_MAT:
            return bool(rows >= _OFFLOAD_TOKENS)
        if number in (_MUL_MAT_ID, _ROPE):
            return bool(tokens >= _OFFLOAD_TOKENS)
        return bool(rows * tokens * more >= _OFFLOAD_TOKENS)

    def _allocate(self, _: int, size: int) -> int | None:
        """Only recurrent states are really allocated in a dry run: in main memory, but as a buffer of this device."""
        # Main memory may begin between two places that this device's alignment allows.
        buffer = base.ggml_backend_buft_alloc_buffer(self._cpu_type, size + self._manner.alignment)
        if buffer:
            ctypes.c_void_p.from_address(buffer + _BUFFER_TYPE_OFFSET).value = ctypes.addressof(self._own_type)
            ctypes.c_void_p.from_address(buffer + _CLEAR_OFFSET).value = _NOT_CLEARED
        return int(buffer) if buffer else None

    def _alloc_size(self, _: int, tensor: int) -> int:
        """ggml-cuda's rules: quantized rows are padded, quantized keys and values are unpacked beside the result."""
        size = int(base.ggml_nbytes(tensor))
        kind, row, _, _, _, number = _TENSOR.unpack(ctypes.string_at(tensor, _TENSOR.size))
        if self._manner.pads_rows and row % _ROW_PADDING and _is_quantized(kind):
            size += int(base.ggml_row_size(kind, _ROW_PADDING - row % _ROW_PADDING))
        if self._manner.converts_kv and number == _FLASH_ATTENTION:
            for source in struct.unpack("<2Q", ctypes.string_at(tensor + _TENSOR_SOURCES_OFFSET + 8, 16)):
                if ctypes.c_int.from_address(source).value != _F16_TYPE:
                    size = -(-size // 128) * 128 + 2 * int(base.ggml_nelements(source))
        return size


_not_cleared = ctypes.CFUNCTYPE(None, _P, ctypes.c_uint8)(lambda buffer, value: None)
_NOT_CLEARED = _pointer(_not_cleared)


def _memory(_: int, free: int, total: int) -> None:
    ctypes.c_size_t.from_address(free).value = ctypes.c_size_t.from_address(total).value = MEMORY_BYTES


def _is_quantized(kind: int) -> bool:
    return kind >= _FIRST_QUANTIZED and kind not in _QUANTIZED_BUT
