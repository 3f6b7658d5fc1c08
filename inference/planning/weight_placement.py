"""Where each weight of a model lies under a placement, by the rules of llama.cpp.

Source: `load_tensors` in llama-model.cpp, `create_tensor` in llama-model-loader.cpp and the layer table in
llama-arch.cpp of the llama.cpp that llama-cpp-python 0.3.36 carries.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from inference.planning.layer_memory import trunk_layers
from inference.planning.values import HOST
from inference.values import Placement
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import TensorInfo

_BLOCK = re.compile(r"(?:[a-z]+\.)?blk\.(\d+)\.")
# Looked up row by row; they stay on the host whatever the placement says.
_INPUT = ("token_embd", "position_embd", "token_types", "per_layer_token_embd")
# Devices without host buffers of their own keep the processor's re-ordered weights beside them.
_WITHOUT_HOST_BUFFERS = ("Metal", "MTL")
_PADDING_ROWS = ("CUDA", "ROCm", "MUSA")
_CUDA_ROW, _CUDA_ALIGNMENT = 512, 128
# Three-dimensional weights are re-ordered when experts are picked from them; MLA's products per head are not.
_ROUTED = re.compile(r"\.ffn_\w+_exps\.")
_ROWS_REPACKED_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedWeight:
    """A weight and where it lies. layer: -1 for the input, the number of blocks for the output."""

    tensor: TensorInfo
    layer: int
    device: str
    repacked: bool

    @property
    def stored_bytes(self) -> int:
        """Its bytes there: ggml-cuda fills rows of quantized weights up to 512 elements, and aligns to 128 bytes."""
        size, kind, spare = self.tensor.size_bytes, self.tensor.type, -self.tensor.shape[0] % _CUDA_ROW
        if not self.device.startswith(_PADDING_ROWS):
            return size
        if kind.block_elements > 1:
            size += spare // kind.block_elements * kind.block_bytes
        return -(-size // _CUDA_ALIGNMENT) * _CUDA_ALIGNMENT


def layer_of(name: str, blocks: int) -> int:
    """The block of a weight, -1 for the input tables, `blocks` for what comes after the last block."""
    if match := _BLOCK.match(name):
        return int(match[1])
    return -1 if name.startswith(_INPUT) else blocks


def layer_devices(placement: Placement, blocks: int) -> tuple[str, ...]:
    """The device of each block and, last, of the output layer."""
    layers = blocks + 1
    on_devices = min(placement.gpu_layers, layers) if placement.devices else 0
    shares = placement.tensor_split or (1.0,) * len(placement.devices)
    total = sum(shares) or 1.0
    ends = [share / total for share in accumulate(shares)]
    first = layers - on_devices
    chosen = [HOST] * first
    for layer in range(on_devices):
        number = bisect.bisect_right(ends, layer / on_devices)
        chosen.append(placement.devices[min(number, len(placement.devices) - 1)])
    return tuple(chosen)


def place_weights(
    header: GgufHeader, placement: Placement, *, repack: bool, repack_types: frozenset[str]
) -> Iterator[PlacedWeight]:
    """Every weight that is loaded; a tied output matrix twice, where its second use cannot share the first's bytes."""
    blocks, trunk = header.layers or 0, trunk_layers(header)
    devices = layer_devices(placement, blocks)
    overrides = [(re.compile(override.pattern), override.device) for override in placement.overrides]
    repack = repack and all(device.startswith(_WITHOUT_HOST_BUFFERS) for device in placement.devices)

    def place(tensor: TensorInfo, layer: int) -> PlacedWeight:
        device = HOST if layer < 0 else devices[min(layer, blocks)]
        device = next((target for pattern, target in overrides if pattern.search(tensor.name)), device)
        repacked = repack and device == HOST and layer >= 0 and _can_be_repacked(tensor, repack_types)
        return PlacedWeight(tensor=tensor, layer=layer, device=device, repacked=repacked)

    for tensor in header.tensors.values():
        layer = layer_of(tensor.name, blocks)
        if not trunk <= layer < blocks:
            yield place(tensor, layer)
    if "output.weight" not in header.tensors and "token_embd.weight" in header.tensors:
        tied = place(header.tensors["token_embd.weight"], blocks)
        if tied.device != HOST or tied.repacked:
            yield tied


def _can_be_repacked(tensor: TensorInfo, repack_types: frozenset[str]) -> bool:
    shape = tensor.shape
    return (
        tensor.type.name in repack_types
        and len(shape) == (3 if _ROUTED.search(tensor.name) else 2)
        and shape[1] % _ROWS_REPACKED_AT_ONCE == 0
        and tensor.name.endswith(".weight")
    )
