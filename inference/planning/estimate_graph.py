"""About how much work one call is, from the shapes of a model's weights alone."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from inference.planning.layer_memory import ModelMemory, padded_context, row_bytes, trunk_layers
from inference.planning.values import GraphCost, Operation, Settings
from inference.planning.weight_placement import layer_of
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import TensorInfo

Kind = Literal["weights", "experts", "attention", "other"]

_F32_BYTES = 4
# Nodes that compute, beside the products, counted in llama.cpp's graphs (views and reshapes are none): rotations,
# activation, sums and copies into the cache; a norm is two, a bias one; choosing experts; a recurrent step.
_NODES_OF_A_BLOCK, _NODES_OF_EXPERTS, _NODES_OF_A_STATE = 7, 14, 18
_ROUTED = re.compile(r"\.ffn_(?:gate|up|down|gate_up)_exps\.")
_SHARED = re.compile(r"\.ffn_\w+_(?:shexp|chexps)\.|\.ffn_gate_inp_shexp\.")
_FEED_FORWARD = re.compile(r"\.(?:ffn|channel_mix)_")


@dataclass(slots=True)
class _Sum:
    read_bytes: float = 0.0
    flops: float = 0.0
    nodes: int = 0

    def add(self, read_bytes: float, flops: float, nodes: int = 1) -> None:
        self.read_bytes += read_bytes
        self.flops += flops
        self.nodes += nodes


def estimate_graph(header: GgufHeader, memory: ModelMemory, settings: Settings, tokens: int) -> GraphCost:
    """The work of one call of `tokens` tokens of one sequence that asks for one output row.

    Of routed experts, the expected number of distinct ones is read: E·(1 - (1 - k/E)^tokens).
    """
    blocks, trunk = header.layers or 0, trunk_layers(header)
    sums: dict[tuple[int, Kind, str, str], _Sum] = defaultdict(_Sum)
    for tensor in header.tensors.values():
        layer = layer_of(tensor.name, blocks)
        if not trunk <= layer < blocks and len(tensor.shape) > 1 and tensor.name.endswith(".weight"):
            _add_weight(sums, header, tensor, layer, tokens)
    if "output.weight" not in header.tensors and "token_embd.weight" in header.tensors:
        tied = header.tensors["token_embd.weight"]
        sums[blocks, "weights", "output", tied.type.name].add(tied.size_bytes, 2.0 * tied.elements)
    _add_memory(sums, header, memory, settings, tokens)
    operations = tuple(
        Operation(
            layer=layer,
            kind=kind,
            part=part,
            weight_type=weight_type,
            read_bytes=total.read_bytes,
            flops=total.flops,
            nodes=total.nodes,
        )
        for (layer, kind, part, weight_type), total in sorted(sums.items())
    )
    return GraphCost(tokens=tokens, context_tokens=padded_context(settings.context_tokens), operations=operations)


def _add_weight(
    sums: dict[tuple[int, Kind, str, str], _Sum], header: GgufHeader, tensor: TensorInfo, layer: int, tokens: int
) -> None:
    weight_type = tensor.type.name
    if layer < 0:
        rows = tokens * tensor.size_bytes / max(1, tensor.shape[-1])
        sums[layer, "other", "embedding", weight_type].add(rows, 0.0)
    elif layer >= (header.layers or 0):
        # One output row is asked for, whatever the call's length.
        sums[layer, "weights", "output", weight_type].add(tensor.size_bytes, 2.0 * tensor.elements)
    elif _ROUTED.search(tensor.name):
        experts = max(1, tensor.shape[-1])
        used = min(experts, max(header.per_layer("expert_used_count") or (1,)))
        touched = 1 - (1 - used / experts) ** tokens
        flops = 2.0 * tensor.elements * used / experts * tokens
        sums[layer, "experts", "experts", weight_type].add(tensor.size_bytes * touched, flops)
    else:
        part = "attention"
        if _SHARED.search(tensor.name):
            part = "shared"
        elif _FEED_FORWARD.search(tensor.name):
            part = "ffn"
        sums[layer, "weights", part, weight_type].add(tensor.size_bytes, 2.0 * tensor.elements * tokens)


def _add_memory(
    sums: dict[tuple[int, Kind, str, str], _Sum],
    header: GgufHeader,
    memory: ModelMemory,
    settings: Settings,
    tokens: int,
) -> None:
    """Reading keys, values and states, and the small operations of each block."""
    heads = header.per_layer("attention.head_count") or ()
    kv_heads = header.per_layer("attention.head_count_kv") or heads
    with_experts = {layer_of(name, header.layers or 0) for name in header.tensors if _ROUTED.search(name)}
    small = _nodes_of_vectors(header)
    for layer in memory.layers:
        nodes = _NODES_OF_A_BLOCK + _NODES_OF_EXPERTS * (layer.layer in with_experts) + small[layer.layer]
        if layer.key_width:
            cells = memory.cells(layer, settings)
            read = (
                row_bytes(layer.key_width, settings.kv_type_k) + row_bytes(layer.value_width, settings.kv_type_v)
            ) * cells
            # Latent attention uses the compressed key once more as its value.
            latent_width = header.own_integer("attention.kv_lora_rank") or layer.key_width
            widths = layer.key_width + (layer.value_width or latent_width)
            groups = heads[layer.layer] / max(1, kv_heads[layer.layer])
            flops = 2.0 * tokens * cells * widths * groups
            sums[layer.layer, "attention", "attention", ""].add(read, flops)
        if layer.state_elements:
            nodes += _NODES_OF_A_STATE
            sums[layer.layer, "other", "attention", ""].add(
                2.0 * layer.state_elements * _F32_BYTES, 6.0 * layer.state_elements * tokens
            )
        sums[layer.layer, "other", "other", ""].add(0.0, 0.0, nodes)


def _nodes_of_vectors(header: GgufHeader) -> dict[int, int]:
    """By layer: two for each norm's weights, one for each bias."""
    blocks = header.layers or 0
    nodes: dict[int, int] = defaultdict(int)
    for name, tensor in header.tensors.items():
        if len(tensor.shape) == 1:
            nodes[layer_of(name, blocks)] += 2 if "norm" in name else 1
    return nodes
