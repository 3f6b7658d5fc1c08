"""Candidates of placement: which layers lie on which devices, and whose feed-forward weights stay on the host.

The engine counts layers from the end (the output layer is the last one) and gives each device a contiguous run of them;
keys and values lie where their layer lies, whatever overrides do to its weights. Routed experts are read in part only,
and feed-forward weights cost the host less time per byte than attention does, so these go to the host first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from inference.planning.shape import PARTS, ModelShape, Movable
from inference.planning.values import HOST
from inference.values import ALL_ON_CPU, Override, Placement

# whole: only whole layers move to the host. spill: the movable weights of as many layers as needed go there first.
Style = Literal["whole", "spill"]
# even: devices are filled in proportion to their room. greedy: the last device is filled first.
Sharing = Literal["even", "greedy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Bytes of a device that weights and state may take."""

    device: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A device's contiguous run of layers: `first` up to `first + layers`, which may include the output layer.

    spilled: blocks of the run whose movable weights lie on the host, lowest first. kept_parts: how many of PARTS the
    `partial` one of these blocks keeps on the device.
    """

    device: str
    first: int
    layers: int
    spilled: tuple[int, ...] = ()
    partial: int | None = None
    kept_parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where all layers lie; those before the first share lie on the host."""

    shares: tuple[Share, ...]
    movable: Movable

    @property
    def gpu_layers(self) -> int:
        """Layers on devices, the output layer counted as one."""
        return sum(share.layers for share in self.shares)

    @property
    def spills(self) -> bool:
        """Whether weights of layers on a device lie on the host."""
        return any(share.spilled for share in self.shares)


def fill(
    shape: ModelShape, rooms: Sequence[Room], *, style: Style, sharing: Sharing, fixed_layers: int | None = None
) -> Layout:
    """The layout that uses the rooms (in the order of layers) best in this style; what does not fit is on the host.

    fixed_layers: so many layers lie on the devices, even if they do not fit.
    """
    rooms = [room for room in rooms if room.bytes > 0] or list(rooms[-1:])
    wanted = min(shape.layers if fixed_layers is None else fixed_layers, shape.layers)
    first = shape.layers - wanted
    full = _costs(shape, first, lean=False)
    counts = _counts(full, rooms, sharing)
    if sum(counts) == wanted:
        return _layout(shape, rooms, counts, spill=False)
    if style == "whole":
        if fixed_layers is not None:
            counts = _forced(full, rooms)
        return _layout(shape, rooms, counts, spill=False)
    lean = _costs(shape, first, lean=True)
    counts = next(
        (counts for counts in (_even(full, rooms), _even(lean, rooms)) if _holds(counts, lean, rooms)),
        _greedy(lean, rooms),
    )
    if fixed_layers is not None and sum(counts) < wanted:
        counts = _forced(lean, rooms)
    return _layout(shape, rooms, counts, spill=True)


def placement(layout: Layout) -> Placement:
    """In the engine's terms."""
    shares = [share for share in layout.shares if share.layers]
    if not shares:
        return ALL_ON_CPU
    return Placement(
        devices=tuple(share.device for share in shares),
        gpu_layers=layout.gpu_layers,
        tensor_split=tuple(float(share.layers) for share in shares) if len(shares) > 1 else (),
        overrides=_overrides(layout),
    )


def share_bytes(shape: ModelShape, share: Share) -> int:
    """Weights and state that a share puts on its device."""
    total = 0
    for layer in range(share.first, share.first + share.layers):
        if layer == len(shape.blocks):
            total += shape.output_bytes
            continue
        block = shape.blocks[layer]
        kept = 0 if layer in share.spilled else len(PARTS)
        if layer == share.partial:
            kept = share.kept_parts
        total += block.lean_bytes + sum(block.parts_bytes[:kept])
    return total


def _costs(shape: ModelShape, first: int, *, lean: bool) -> list[int]:
    blocks = shape.blocks[first:]
    return [*(block.lean_bytes if lean else block.full_bytes for block in blocks), shape.output_bytes][
        : shape.layers - first
    ]


def _counts(costs: list[int], rooms: Sequence[Room], sharing: Sharing) -> list[int]:
    if sharing == "even" and _holds(counts := _even(costs, rooms), costs, rooms):
        return counts
    return _greedy(costs, rooms)


def _greedy(costs: list[int], rooms: Sequence[Room]) -> list[int]:
    """Layers for each room, from the last layer and the last room backwards, as many as fit."""
    counts = [0] * len(rooms)
    layer = len(costs)
    for number in range(len(rooms) - 1, -1, -1):
        left = rooms[number].bytes
        while layer > 0 and costs[layer - 1] <= left:
            layer -= 1
            left -= costs[layer]
            counts[number] += 1
    return counts


def _even(costs: list[int], rooms: Sequence[Room]) -> list[int]:
    """All layers, shared out in proportion to the rooms."""
    total, whole = sum(costs), sum(max(0, room.bytes) for room in rooms) or 1
    counts = [0] * len(rooms)
    number, done, target = 0, 0.0, total * max(0, rooms[0].bytes) / whole
    for cost in costs:
        # A layer belongs where its middle falls.
        while number < len(rooms) - 1 and done + cost / 2 > target:
            number += 1
            target += total * max(0, rooms[number].bytes) / whole
        counts[number] += 1
        done += cost
    return counts


def _forced(costs: list[int], rooms: Sequence[Room]) -> list[int]:
    """All layers, though there is no room: what is too much is shared out too."""
    return _even(costs, rooms)


def _holds(counts: list[int], costs: list[int], rooms: Sequence[Room]) -> bool:
    layer = 0
    for count, room in zip(counts, rooms, strict=True):
        if sum(costs[layer : layer + count]) > room.bytes:
            return False
        layer += count
    return True


def _layout(shape: ModelShape, rooms: Sequence[Room], counts: list[int], *, spill: bool) -> Layout:
    first = shape.layers - sum(counts)
    shares = []
    for room, count in zip(rooms, counts, strict=True):
        share = Share(device=room.device, first=first, layers=count)
        shares.append(_spill(shape, share, room.bytes) if spill else share)
        first += count
    return Layout(shares=tuple(share for share in shares if share.layers), movable=shape.movable)


def _spill(shape: ModelShape, share: Share, room_bytes: int) -> Share:
    """Movable weights stay on the device as long as there is room: of the last blocks first for dense networks, of the
    first blocks first for experts (the order of llama.cpp's own fitter)."""
    run = range(share.first, min(share.first + share.layers, len(shape.blocks)))
    blocks = [layer for layer in run if shape.blocks[layer].movable_bytes]
    left = room_bytes - share_bytes(shape, Share(device=share.device, first=share.first, layers=share.layers))
    left += sum(shape.blocks[layer].movable_bytes for layer in blocks)
    keep_order = blocks if shape.movable == "experts" else blocks[::-1]
    kept = 0
    for layer in keep_order:
        if shape.blocks[layer].movable_bytes > left:
            break
        left -= shape.blocks[layer].movable_bytes
        kept += 1
    spilled = keep_order[kept:]
    partial, kept_parts = None, 0
    if spilled:
        parts = shape.blocks[spilled[0]].parts_bytes
        kept_parts = max(number for number in range(len(PARTS)) if sum(parts[:number]) <= max(0, left))
        partial = spilled[0] if sum(parts[:kept_parts]) else None
    return Share(
        device=share.device,
        first=share.first,
        layers=share.layers,
        spilled=tuple(sorted(spilled)),
        partial=partial,
        kept_parts=kept_parts if partial is not None else 0,
    )


def _overrides(layout: Layout) -> tuple[Override, ...]:
    """Few merged patterns: the engine searches every tensor's name for each of them."""
    suffix = "_(?:ch)?exps" if layout.movable == "experts" else r"\."
    whole = sorted(layer for share in layout.shares for layer in share.spilled if layer != share.partial)
    patterns = []
    if whole:
        patterns.append(rf"^blk\.(?:{numbers_pattern(whole)})\.ffn_(?:gate_up|up|gate|down){suffix}")
    for share in layout.shares:
        if share.partial is not None:
            parts = "|".join(PARTS[share.kept_parts :])
            patterns.append(rf"^blk\.{share.partial}\.ffn_(?:{parts}){suffix}")
    return tuple(Override(pattern=pattern, device=HOST) for pattern in patterns)


def numbers_pattern(numbers: Sequence[int]) -> str:
    """Alternatives of a regular expression (ECMAScript as well as Python) for these numbers, tens merged."""
    tens: dict[int, list[int]] = {}
    for number in sorted(set(numbers)):
        tens.setdefault(number // 10, []).append(number % 10)
    return "|".join(f"{ten or ''}{_digits(digits)}" for ten, digits in tens.items())


def _digits(digits: list[int]) -> str:
    if len(digits) == 1:
        return str(digits[0])
    if digits == list(range(digits[0], digits[-1] + 1)):
        return r"\d" if len(digits) == 10 else f"[{digits[0]}-{digits[-1]}]"
    return f"[{''.join(map(str, digits))}]"
