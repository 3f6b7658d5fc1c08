"""Seconds that the operations of a graph take on one device, added up by layer and part."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from inference.planning.values import DeviceSpeed, GraphCost, Operation

# Beside a device's spread: routed experts depend on what is asked, scans were not measured by themselves.
_EXPERTS_DOUBT, _ATTENTION_DOUBT, _SCAN_DOUBT = 1.6, 1.3, 2.0
# Recurrent scans do not run at the speed of large products.
_SCAN_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Work:
    """What some operations take. doubt: seconds by which it may be off; read_bytes: of weights."""

    seconds: float = 0.0
    doubt: float = 0.0
    read_bytes: float = 0.0

    def plus(self, seconds: float, doubt: float, read_bytes: float = 0.0) -> Work:
        """With more of it."""
        return Work(self.seconds + seconds, self.doubt + doubt, self.read_bytes + read_bytes)


_NOTHING = Work()


class DeviceTime:
    """What the operations of a graph take on one device: weights by (layer, part), everything else by layer.

    slopes: by layer, by how much one more cell makes it longer. Sums over runs of layers cost nothing.
    """

    def __init__(self, layers: int) -> None:
        self.weights: dict[tuple[int, str], Work] = {}
        self._layers = layers
        self._weights, self._rest = [_NOTHING] * (layers + 2), [_NOTHING] * (layers + 2)
        self._slopes = [0.0] * (layers + 2)
        self._sums: tuple[list[Work], list[Work], list[float]] | None = None

    def add_weights(self, layer: int, part: str, seconds: float, doubt: float, read_bytes: float) -> None:
        """A product with weights."""
        place = (layer, part)
        self.weights[place] = self.weights.get(place, _NOTHING).plus(seconds, doubt, read_bytes)
        number = self._number(layer)
        self._weights[number] = self._weights[number].plus(seconds, doubt, read_bytes)

    def add_rest(self, layer: int, seconds: float, doubt: float, slope: float = 0.0) -> None:
        """Anything else."""
        number = self._number(layer)
        self._rest[number] = self._rest[number].plus(seconds, doubt)
        self._slopes[number] += slope

    def weights_of(self, first: int, end: int) -> Work:
        """Of layers `first` up to `end` - 1; -1 is before the first block."""
        return _between(self._summed()[0], first + 1, end + 1)

    def rest_of(self, first: int, end: int) -> Work:
        """As `weights_of`."""
        return _between(self._summed()[1], first + 1, end + 1)

    def slope_of(self, first: int, end: int) -> float:
        """As `weights_of`."""
        slopes = self._summed()[2]
        return slopes[end + 1] - slopes[first + 1]

    def _number(self, layer: int) -> int:
        return max(-1, min(layer, self._layers)) + 1

    def _summed(self) -> tuple[list[Work], list[Work], list[float]]:
        if self._sums is None:
            self._sums = (_running(self._weights), _running(self._rest), [0.0, *accumulate(self._slopes)])
        return self._sums


def _running(works: list[Work]) -> list[Work]:
    return list(
        accumulate(works, lambda sum_, work: sum_.plus(work.seconds, work.doubt, work.read_bytes), initial=_NOTHING)
    )


def _between(sums: list[Work], first: int, end: int) -> Work:
    before, after = sums[first], sums[end]
    return Work(after.seconds - before.seconds, after.doubt - before.doubt, after.read_bytes - before.read_bytes)


def device_time(cost: GraphCost, speed: DeviceSpeed, *, layers: int, attention: str, cells: int) -> DeviceTime:
    """On a device that has all of it. attention: key of kv_read_bytes_per_second; cells: that are looked at."""
    time = DeviceTime(layers)
    for operation in cost.operations:
        nodes = operation.nodes * speed.node_seconds
        if operation.kind in ("weights", "experts"):
            seconds = max(_read(operation, speed), operation.flops / _compute(operation, speed)) + nodes
            _add_weights(time, operation, seconds, speed.spread)
        elif operation.kind == "attention":
            # A window keeps fewer cells than there are.
            most = operation.cells or cost.context_tokens
            slope = _attend(operation, cost.tokens, speed, attention) / most
            seconds = slope * min(most, cells)
            doubt = seconds * speed.spread * _ATTENTION_DOUBT + nodes * speed.spread
            time.add_rest(operation.layer, seconds + nodes, doubt, slope if most >= cells else 0.0)
        else:
            seconds = max(
                operation.read_bytes / speed.read_bytes_per_second[""],
                operation.flops / (_SCAN_SHARE * speed.flops_per_second[""]),
            )
            doubt = seconds * speed.spread * _SCAN_DOUBT + nodes * speed.spread
            time.add_rest(operation.layer, seconds + nodes, doubt)
    return time


def streamed_time(cost: GraphCost, speed: DeviceSpeed, host: DeviceSpeed, *, layers: int) -> DeviceTime:
    """Weights only: they are copied from the host to the device for this call and multiplied there."""
    time = DeviceTime(layers)
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
    doubt = seconds * spread * (_EXPERTS_DOUBT if operation.kind == "experts" else 1.0)
    time.add_weights(operation.layer, operation.part, seconds, doubt, operation.read_bytes)
