"""Which part of a layer a weight belongs to, and what the weights of a part are called: the two ways between names and
the parts that a placement can move."""

from __future__ import annotations

import re

_BLOCK = re.compile(r"blk\.(\d+)\.(.*)")
_ROUTED = re.compile(r"ffn_\w+_(?:ch)?exps\.")
_SHARED = re.compile(r"ffn_\w+_shexp\.")
_FEED_FORWARD = re.compile(r"(?:ffn|channel_mix)_")
_EMBEDDINGS = ("token_embd", "position_embd", "token_types", "per_layer_token_embd")
# What llama.cpp's architectures call the large weights of a part; enough to see what a pattern would catch.
_NAMES: dict[str, tuple[str, ...]] = {
    "attention": ("attn_q", "attn_k", "attn_v", "attn_output"),
    "ffn": ("ffn_gate", "ffn_up", "ffn_down"),
    "experts": ("ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"),
    "shared": ("ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp"),
}


def place_of(weight: str, layers: int) -> tuple[int, str]:
    """(layer, part) of a weight by its name; as in `Operation`."""
    if (found := _BLOCK.search(weight)) is None:
        return (-1, "embedding") if weight.startswith(_EMBEDDINGS) else (layers, "output")
    layer, name = int(found[1]), found[2]
    if _ROUTED.match(name):
        return layer, "experts"
    if _SHARED.match(name):
        return layer, "shared"
    return layer, "ffn" if _FEED_FORWARD.match(name) else "attention"


def names_of(layer: int, part: str) -> tuple[str, ...]:
    """Names of the large weights of a part of a layer; () for what no pattern moves."""
    if part == "output":
        return ("output.weight",)
    return tuple(f"blk.{layer}.{name}.weight" for name in _NAMES.get(part, ()))
