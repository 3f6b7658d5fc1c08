"""What a placement can move: a model's bytes by layer, from its header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from inference.planning.layer_memory import ModelMemory, model_memory, trunk_layers
from inference.planning.values import Settings
from inference.planning.weight_placement import layer_of
from models_catalog.gguf.header import GgufHeader

Movable = Literal["experts", "ffn"]

# Parts of a feed-forward network in the order in which they are kept on a device when there is room for some only.
PARTS = ("up", "gate", "down")
_DENSE = re.compile(r"\.ffn_(gate_up|up|gate|down)\.")
_EXPERTS = re.compile(r"\.ffn_(gate_up|up|gate|down)_(?:ch)?exps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One layer. fixed_bytes: weights that go wherever the layer goes. parts_bytes: of PARTS, weights that may lie on
    the host while the layer is on a device; state_bytes: keys, values and states, which lie where the layer lies."""

    fixed_bytes: int
    parts_bytes: tuple[int, int, int]
    state_bytes: int

    @property
    def movable_bytes(self) -> int:
        """Of all parts."""
        return sum(self.parts_bytes)

    @property
    def lean_bytes(self) -> int:
        """What the layer takes on a device when its parts lie on the host."""
        return self.fixed_bytes + self.state_bytes

    @property
    def full_bytes(self) -> int:
        """What the layer takes on a device with all its parts."""
        return self.lean_bytes + self.movable_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """blocks: all layers, those that are not loaded with nothing in them. output_bytes: of the output layer.

    movable: what the blocks' parts are: routed experts, or dense feed-forward networks where there are no experts.
    """

    blocks: tuple[Block, ...]
    output_bytes: int
    movable: Movable

    @property
    def layers(self) -> int:
        """As n_gpu_layers counts them: all blocks and the output layer."""
        return len(self.blocks) + 1


class Shapes:
    """The shape of one model under any settings; the header is walked through once."""

    def __init__(self, header: GgufHeader) -> None:
        self._memory: ModelMemory = model_memory(header)
        blocks, trunk = header.layers or 0, trunk_layers(header)
        self.movable: Movable = "experts" if any(map(_EXPERTS.search, header.tensors)) else "ffn"
        parts = _EXPERTS if self.movable == "experts" else _DENSE
        self._fixed = [0] * blocks
        self._parts = [[0, 0, 0] for _ in range(blocks)]
        self._output_bytes = 0
        self.weight_bytes = header.weight_bytes
        for name, tensor in header.tensors.items():
            layer = layer_of(name, blocks)
            if 0 <= layer < trunk and (match := parts.search(name)):
                self._parts[layer][PARTS.index(match[1].removeprefix("gate_"))] += tensor.size_bytes
            elif 0 <= layer < trunk:
                self._fixed[layer] += tensor.size_bytes
            elif layer == blocks:
                self._output_bytes += tensor.size_bytes
        if "output.weight" not in header.tensors and "token_embd.weight" in header.tensors:
            # The embedding serves as output matrix too, and is copied to the device of the output layer.
            self._output_bytes += header.tensors["token_embd.weight"].size_bytes

    @property
    def layers(self) -> int:
        """As n_gpu_layers counts them."""
        return len(self._fixed) + 1

    def shape(self, settings: Settings) -> ModelShape:
        """The shape with the state that these settings keep."""
        states = [0] * len(self._fixed)
        for layer in self._memory.layers:
            states[layer.layer] = self._memory.bytes_of(layer, settings)
        return ModelShape(
            blocks=tuple(
                Block(fixed_bytes=fixed, parts_bytes=(parts[0], parts[1], parts[2]), state_bytes=state)
                for fixed, parts, state in zip(self._fixed, self._parts, states, strict=True)
            ),
            output_bytes=self._output_bytes,
            movable=self.movable,
        )
