"""What a call of llama.cpp would compute: its graph, walked through ctypes, added up into operations of the planner.

`llama_graph_reserve` (llama-ext.h, a staging header) builds the graph without computing it. The graph's tensors are
read as raw bytes, by the layout of `struct ggml_tensor` in ggml.h of llama-cpp-python 0.3.36 on 64-bit platforms: a
thousand of them take two milliseconds, ctypes structures several times as much.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Literal

from inference.backends.llama_cpp.library import base, lib, processor_library
from inference.planning.oracle import MeasureFailed
from inference.planning.parts import place_of
from inference.planning.values import GraphCost, Operation
from models_catalog.gguf.tensor_types import TENSOR_TYPES, TensorType

_SYMBOL = "_Z19llama_graph_reserveP13llama_contextjjj"

_Kind = Literal["weights", "experts", "attention", "other"]
_P = ctypes.c_void_p
_cpu = processor_library()


class _Plan(ctypes.Structure):
    """ggml_cplan."""

    _fields_ = (
        ("work_size", ctypes.c_size_t),
        ("work_data", _P),
        ("n_threads", ctypes.c_int),
        ("threadpool", _P),
        ("abort_callback", _P),
        ("abort_callback_data", _P),
        ("use_ref", ctypes.c_bool),
    )


# ggml_tensor: type, buffer, ne[4], nb[4], op, op_params[16], flags, src[10], view_src, view_offs, data, name[64].
_TENSOR = struct.Struct("<i4x8x4q32xi64xi10QQ8x8x64s")
# Where the operation stands: its first byte, for there are fewer than 256 of them (GGML_OP_COUNT).
_OP, OPERATIONS = 80, 101
FREE, COUNTED, WORKING = 0, 1, 2
_MOST_BYTES_OF_A_NODE = 4096
_F32_BYTES = 4
# Views and the like: nothing is computed.
_FREE = frozenset({"NONE", "RESHAPE", "VIEW", "PERMUTE", "TRANSPOSE"})
# Operations over a recurrent state: (which source is the state, which one has a row for each token).
_SCANS = {
    "SSM_SCAN": (0, 1),
    "RWKV_WKV6": (5, 0),
    "RWKV_WKV7": (6, 0),
    "GATED_LINEAR_ATTN": (4, 0),
    "GATED_DELTA_NET": (5, 0),
}
# Operations whose shapes tell of work; all others count as nodes only.
_WORKING = frozenset({"MUL_MAT", "MUL_MAT_ID", "FLASH_ATTN_EXT", "LIGHTNING_INDEXER", "GET_ROWS", *_SCANS})
# Decay, update and query: multiply-adds for each element of a state and each token.
_SCAN_FLOPS = 6.0
_LOOKED_UP = (b"token_embd", b"position_embd", b"token_types", b"per_layer_token_embd")


class Tensor:
    """The fields of one ggml_tensor that matter. shape: row length first. root: where a view's bytes really lie."""

    __slots__ = ("name", "op", "root", "shape", "sources", "type")

    def __init__(self, fields: tuple[Any, ...]) -> None:
        self.type: int = fields[0]
        self.shape: tuple[int, int, int, int] = fields[1:5]
        self.op: int = fields[5]
        self.sources: tuple[int, ...] = fields[7:17]
        self.root: int = fields[17]
        self.name: bytes = fields[18]

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        first, second, third, fourth = self.shape
        return first * second * third * fourth

    @property
    def size_bytes(self) -> int:
        """Bytes of its elements, without gaps."""
        kind = _type(self.type)
        return self.elements // kind.block_elements * kind.block_bytes


def readable() -> bool:
    """Whether this platform's graphs can be read."""
    return hasattr(lib._lib, _SYMBOL) and hasattr(_cpu, "ggml_graph_plan") and ctypes.sizeof(_P) == 8


def read_graph(context: Any, *, tokens: int, outputs: int = 1) -> GraphCost:
    """The work of one call of `tokens` tokens of one sequence that wants `outputs` rows, with a full context.

    context: computed by the processor alone (the shapes do not depend on the placement); its compute buffer is really
    reserved. Raises MeasureFailed when llama.cpp cannot build the graph.
    """
    graph = _reserve(context, tokens, outputs)
    base.ggml_graph_n_nodes.argtypes = base.ggml_graph_nodes.argtypes = (_P,)
    base.ggml_graph_nodes.restype = _P
    count = base.ggml_graph_n_nodes(graph)
    nodes = list((_P * count).from_address(base.ggml_graph_nodes(graph)))
    walk = _Walk(nodes, layers=int(lib.llama_model_n_layer(lib.llama_get_model(context))))
    walk.add(nodes)
    return GraphCost(tokens=tokens, context_tokens=int(lib.llama_n_ctx(context)), operations=walk.operations())


def work_bytes(context: Any, *, tokens: int, outputs: int, threads: int) -> int:
    """Scratch memory that the processor takes for such a call. As `read_graph`."""
    graph = _reserve(context, tokens, outputs)
    assert _cpu is not None  # _reserve has seen to it
    _cpu.ggml_graph_plan.restype, _cpu.ggml_graph_plan.argtypes = _Plan, (_P, ctypes.c_int, _P)
    return int(_cpu.ggml_graph_plan(graph, threads, None).work_size)


def _reserve(context: Any, tokens: int, outputs: int) -> Any:
    if not readable():
        raise MeasureFailed("the graph cannot be read on this platform")
    function = getattr(lib._lib, _SYMBOL)
    function.restype, function.argtypes = _P, (_P, *(ctypes.c_uint32,) * 3)
    graph = function(context, tokens, 1, outputs)
    if not graph:
        raise MeasureFailed("the graph cannot be reserved")
    return graph


class _Walk:
    """Goes through the nodes in their order; the layer is that of the last weights that were multiplied by."""

    def __init__(self, nodes: Sequence[int], *, layers: int) -> None:
        self._layers = layers
        self._layer = -1
        self._others = 0
        self._tensors: dict[int, Tensor] = {}
        # (layer, kind, part, weight type, cells) → [bytes, flops, nodes]
        self._sums: dict[tuple[int, _Kind, str, str, int], list[float]] = {}
        # All tensors that a graph creates lie in one piece of memory (ggml_context.mem_buffer).
        self._lowest = min(nodes)
        span = max(nodes) - self._lowest + _TENSOR.size
        if span > _MOST_BYTES_OF_A_NODE * len(nodes):
            raise MeasureFailed("the graph does not lie in memory as expected")
        self._memory = memoryview((ctypes.c_char * span).from_address(self._lowest)).cast("B")

    def operations(self) -> tuple[Operation, ...]:
        """What was found so far."""
        return tuple(
            Operation(
                layer=layer,
                kind=kind,
                part=part,
                weight_type=weight_type,
                read_bytes=read_bytes,
                flops=flops,
                nodes=int(nodes),
                cells=cells,
            )
            for (layer, kind, part, weight_type, cells), (read_bytes, flops, nodes) in self._sums.items()
        )

    def add(self, nodes: Sequence[int]) -> None:
        """These nodes, in the order in which they are computed."""
        memory, lowest, kinds = self._memory, self._lowest, operation_kinds()
        for address in nodes:
            start = address - lowest
            kind = kinds[memory[start + _OP]]
            if kind == WORKING:
                node = Tensor(_TENSOR.unpack_from(memory, start))
                self._read(_operation(node.op), node)
            elif kind == COUNTED:
                self._others += 1
        self._flush()

    def _read(self, operation: str, node: Tensor) -> None:
        if operation == "MUL_MAT":
            self._product(node)
        elif operation == "MUL_MAT_ID":
            self._experts(node)
        elif operation == "FLASH_ATTN_EXT":
            self._flash(node)
        elif operation == "LIGHTNING_INDEXER":
            self._indexer(node)
        elif operation == "GET_ROWS":
            self._rows(node)
        else:
            self._scan(node, *_SCANS[operation])

    def _at(self, address: int) -> Tensor:
        tensor = self._tensors.get(address)
        if tensor is None:
            start = address - self._lowest
            if 0 <= start <= len(self._memory) - _TENSOR.size:
                tensor = Tensor(_TENSOR.unpack_from(self._memory, start))
            else:
                tensor = Tensor(_TENSOR.unpack(ctypes.string_at(address, _TENSOR.size)))
            self._tensors[address] = tensor
        return tensor

    def _enter(self, layer: int) -> None:
        if layer != self._layer:
            self._flush()
            self._layer = layer

    def _flush(self) -> None:
        """Nodes without work of their own belong to the layer of the weights before them."""
        if self._others:
            self._count("other", "other", "", 0.0, 0.0, nodes=self._others)
            self._others = 0

    def _source(self, node: Tensor, number: int) -> Tensor:
        return self._at(node.sources[number])

    def _root(self, tensor: Tensor) -> Tensor:
        return self._at(tensor.root) if tensor.root else tensor

    def _count(
        self,
        kind: _Kind,
        part: str,
        weight_type: str,
        read_bytes: float,
        flops: float,
        cells: int = 0,
        nodes: int = 1,
    ) -> None:
        key = (self._layer, kind, part, weight_type, cells)
        total = self._sums.get(key)
        if total is None:
            total = self._sums[key] = [0.0, 0.0, 0]
        total[0] += read_bytes
        total[1] += flops
        total[2] += nodes

    def _product(self, node: Tensor) -> None:
        matrix = self._source(node, 0)
        root = self._root(matrix)
        flops = 2.0 * matrix.shape[0] * node.elements
        if _operation(root.op) == "NONE" and not root.name.startswith(b"cache_"):
            self._weights("weights", root, root.size_bytes, flops)
        elif node.name.startswith(b"kq"):
            # Queries times keys, a cell in each row, then their weights times the values, a cell in each column.
            cells = matrix.shape[0] if node.name.startswith(b"kqv") else matrix.shape[1]
            self._count("attention", "attention", "", matrix.size_bytes, flops, cells)
        else:
            self._count("other", "other", "", 0.0, flops)

    def _weights(self, kind: _Kind, matrix: Tensor, read_bytes: float, flops: float) -> None:
        layer, part = _place_of(matrix.name, self._layers)
        self._enter(layer)
        self._count(kind, part, _type(matrix.type).name, read_bytes, flops)

    def _experts(self, node: Tensor) -> None:
        matrices, chosen = self._source(node, 0), self._source(node, 2)
        experts, used, tokens = matrices.shape[2], chosen.shape[0], chosen.shape[1]
        # Expected number of distinct experts, each token choosing `used` of them alike.
        hit = experts * (1.0 - (1.0 - used / experts) ** tokens)
        flops = 2.0 * matrices.shape[0] * matrices.shape[1] * used * tokens
        self._weights("experts", self._root(matrices), matrices.size_bytes * hit / experts, flops)

    def _flash(self, node: Tensor) -> None:
        queries, keys, values = (self._source(node, number) for number in range(3))
        read = keys.size_bytes
        # Latent attention reads its values out of the keys.
        if self._root(values) is not self._root(keys):
            read += values.size_bytes
        flops = 2.0 * queries.shape[1] * queries.shape[2] * keys.shape[1] * (keys.shape[0] + values.shape[0])
        self._count("attention", "attention", "", read, flops, keys.shape[1])

    def _indexer(self, node: Tensor) -> None:
        queries, keys = self._source(node, 0), self._source(node, 1)
        flops = 2.0 * queries.elements * keys.shape[2]
        self._count("attention", "attention", "", keys.size_bytes, flops, keys.shape[2])

    def _rows(self, node: Tensor) -> None:
        table = self._source(node, 0)
        name = self._root(table).name
        if name.startswith(_LOOKED_UP):
            kind = _type(table.type)
            read = node.elements / kind.block_elements * kind.block_bytes
            self._count("other", "embedding", kind.name, read, 0.0)
        else:
            read = node.elements * _F32_BYTES if name.startswith(b"cache_") else 0
            self._count("other", "other", "", read, 0.0)

    def _scan(self, node: Tensor, state: int, rows: int) -> None:
        states, tokens = self._source(node, state), self._source(node, rows).shape[2]
        first, second, third, _ = states.shape
        elements = first * second * third
        # The state of the one sequence is read and written once for a call.
        self._count("other", "attention", "", 2.0 * elements * _F32_BYTES, _SCAN_FLOPS * elements * tokens)


@cache
def _type(number: int) -> TensorType:
    return TENSOR_TYPES[number]


@cache
def _operation(number: int) -> str:
    return str(base.ggml_op_name(number).decode())


@lru_cache(maxsize=16384)
def _place_of(name: bytes, layers: int) -> tuple[int, str]:
    layer, part = place_of(name.split(b"\0", 1)[0].decode("utf-8", "replace"), layers)
    # The embedding, multiplied by instead of looked up, serves as the output.
    return (layers, "output") if layer < 0 else (layer, part)


@cache
def operation_kinds() -> tuple[int, ...]:
    """By number of the operation: FREE, COUNTED as a node, or WORKING, which is looked into."""
    names = [_operation(number) if number < OPERATIONS else "NONE" for number in range(256)]
    return tuple(FREE if name in _FREE else WORKING if name in _WORKING else COUNTED for name in names)
