"""Seconds that the operations of a graph take on one device, added up by layer and part."""

from __future__ import annotations

from dataclasses import dataclass, field

from inference.planning.values import DeviceSpeed, GraphCost, Operation

# Beside a device's spread: routed experts depend on what is asked, scans were not measured by themselves.
_EXPERTS_DOUBT, _ATTENTION_DOUBT, _SCAN_DOUBT = 1.6, 1.3, 2.0
# Recurrent scans do not run at the speed of large products.
_SCAN_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class DeviceTime:
    """(seconds, seconds of doubt): weights by (layer, part), everything else by layer. weight_bytes: read for them."""

    weights: dict[tuple[int, str], tuple[float, float]] = field(default_factory=dict)
    rest: dict[int, tuple[float, float]] = field(default_factory=dict)
    weight_bytes: dict[tuple[int, str], float] = field(default_factory=dict)


def device_time(cost: GraphCost, speed: DeviceSpeed, *, attention: str, cells: int) -> DeviceTime:
    """On a device that has all of it. attention: key of kv_read_bytes_per_second; cells: that are looked at."""
    time = DeviceTime()
    for operation in cost.operations:
        nodes = operation.nodes * speed.node_seconds
        if operation.kind in ("weights", "experts"):
            seconds = max(_read(operation, speed), operation.flops / _compute(operation, speed)) + nodes
            _add_weights(time, operation, seconds, speed.spread)
        elif operation.kind == "attention":
            # A window keeps fewer cells than there are.
            looked_at = operation.cells or cost.context_tokens
            share = min(looked_at, cells) / looked_at
            seconds = share * _attend(operation, cost.tokens, speed, attention) + nodes
            _add_rest(time, operation.layer, seconds, speed.spread * _ATTENTION_DOUBT)
        else:
            seconds = max(
                operation.read_bytes / speed.read_bytes_per_second[""],
                operation.flops / (_SCAN_SHARE * speed.flops_per_second[""]),
            )
            _add_rest(time, operation.layer, seconds, speed.spread * _SCAN_DOUBT)
            _add_rest(time, operation.layer, nodes, speed.spread)
    return time


def streamed_time(cost: GraphCost, speed: DeviceSpeed, host: DeviceSpeed) -> DeviceTime:
    """Weights only: they are copied from the host to the device for this call and multiplied there."""
    time = DeviceTime()
    link = speed.link_bytes_per_second or host.read_bytes_per_second[""]
    for operation in cost.operations:
        if operation.kind in ("weights", "experts"):
            seconds = operation.read_bytes / link + operation.flops / _compute(operation, speed)
            _add_weights(time, operation, seconds + operation.nodes * speed.node_seconds, speed.spread)
    return time


def _read(operation: Operation, speed: DeviceSpeed) -> float:
    return operation.read_bytes / _by_type(speed.read_bytes_per_second, operation)


def _compute(operation: Operation, speed: DeviceSpeed) -> float:
    return _by_type(speed.flops_per_second, operation)


def _by_type(figures: dict[str, float], operation: Operation) -> float:
    plain = figures.get(operation.weight_type) or figures[""]
    if operation.kind == "experts":
        return figures.get(f"{operation.weight_type}|experts") or figures.get("|experts") or plain
    return plain


def _attend(operation: Operation, tokens: int, speed: DeviceSpeed, attention: str) -> float:
    figures = speed.kv_read_bytes_per_second
    reading = operation.read_bytes / (figures.get(attention) or figures[""])
    key = f"{attention}|one" if tokens == 1 else attention
    flops = speed.flops_per_second.get(key)
    if flops is None and tokens > 1:
        flops = speed.flops_per_second[""]
    return max(reading, operation.flops / flops) if flops else reading


def _add_weights(time: DeviceTime, operation: Operation, seconds: float, spread: float) -> None:
    place = (operation.layer, operation.part)
    doubt = seconds * spread * (_EXPERTS_DOUBT if operation.kind == "experts" else 1.0)
    before, doubted = time.weights.get(place, (0.0, 0.0))
    time.weights[place] = (before + seconds, doubted + doubt)
    time.weight_bytes[place] = time.weight_bytes.get(place, 0.0) + operation.read_bytes


def _add_rest(time: DeviceTime, layer: int, seconds: float, spread: float) -> None:
    before, doubted = time.rest.get(layer, (0.0, 0.0))
    time.rest[layer] = (before + seconds, doubted + seconds * spread)
