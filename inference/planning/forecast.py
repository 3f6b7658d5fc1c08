"""How fast a model will answer: the work of its graphs, laid on the devices of a placement, in tokens per second.

t = Σ over operations max(bytes / bandwidth, flops / compute) + nodes · c + hand-overs · s, where bandwidth and compute
are those of the device that an operation runs on. Devices wait for one another, so their times add up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inference.planning.operation_time import DeviceTime, Work, device_time, streamed_time
from inference.planning.parts import names_of
from inference.planning.values import (
    HOST,
    Device,
    DeviceSpeed,
    GraphCost,
    Machine,
    Range,
    Settings,
    SpeedForecast,
    SpeedOrigin,
)
from inference.planning.weight_placement import layer_devices
from inference.values import Placement

# GGML_OP_OFFLOAD_MIN_BATCH: from so many tokens on a back end computes with weights that lie on the host, copying them.
STREAMED_FROM_TOKENS = 32
_F32_BYTES = 4
_CELL_STEP = 256
_STREAM = " stream"
_ORIGINS: tuple[SpeedOrigin, ...] = ("learned", "calibrated", "table")
# A page cache that is too small throws away what is needed next: more is read than the part that has no room.
_THRASHING = 1.5
# Disks that are read at random and prompts, which depend on batch shapes, are foretold less well.
_DISK_SPREAD, _PREFILL_SPREAD = 0.6, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """Weights that are mapped from a file into less memory than they need: bytes of them, and bytes of memory."""

    weight_bytes: int
    memory_bytes: int

    @property
    def missing(self) -> float:
        """Share of the weights that has no room."""
        return max(0.0, 1.0 - self.memory_bytes / self.weight_bytes) if self.weight_bytes > 0 else 0.0


class SpeedModel:
    """The two graphs of one model on one machine, ready to be asked about many placements.

    decode: of one token; prefill: of a batch. layers: blocks of the header. width: embedding length, for what is handed
    over between devices. Graphs of a large context also serve smaller ones. Asking again costs some 0.1 ms: all work by
    operation is added up once for each device, KV type and depth. For one thread.
    """

    def __init__(self, *, decode: GraphCost, prefill: GraphCost, machine: Machine, layers: int, width: int = 0) -> None:
        self._graphs = {"decode": decode, "prefill": prefill}
        self._machine, self._layers, self._width = machine, layers, width
        self._devices: dict[str, Device] = {device.name: device for device in machine.devices}
        self._times: dict[tuple[str, str, str, int], DeviceTime] = {}
        self._moved: dict[str, dict[tuple[int, str], float]] = {}

    def forecast(self, settings: Settings, *, depth_tokens: int, mapped: Mapped | None = None) -> SpeedForecast:
        """Tokens per second with `depth_tokens` in the context; prefill: while a prompt of that length is read.

        The range comes from the devices' spread; wider where experts and scans take the time and where a disk is read.
        Raises KeyError when the placement names a device that the machine does not have.
        """
        depth = max(1, min(depth_tokens, settings.context_tokens))
        decode = self._call("decode", settings, depth, mapped)
        batch = self._graphs["prefill"].tokens
        # Calls at 0, batch, 2·batch … see (depth + batch) / 2 cells on average.
        prefill = self._call("prefill", settings, (max(depth, batch) + batch) // 2, mapped)
        return SpeedForecast(
            decode=decode.range(1, 0.0),
            prefill=prefill.range(batch, _PREFILL_SPREAD),
            depth_tokens=depth_tokens,
            origin=max(
                (self._speed(name).origin for name, taken in decode.seconds.items() if taken > 0), key=_ORIGINS.index
            ),
            slowest=max(decode.seconds, key=lambda name: decode.seconds[name]),
            depth_seconds=decode.slope,
        )

    def _call(self, graph: str, settings: Settings, cells: int, mapped: Mapped | None) -> _Total:
        placement, cost = settings.placement, self._graphs[graph]
        devices = layer_devices(placement, self._layers)
        streams = bool(placement.devices) and cost.tokens >= STREAMED_FROM_TOKENS
        total = _Total()

        def time_on(name: str) -> DeviceTime:
            return self._time(graph, name, settings, cells)

        def add_weights(name: str, portion: float, place: tuple[int, str]) -> None:
            # One row is asked of the output, whatever the batch: too few to stream for.
            if name == HOST and streams and place[1] != "output":
                work = self._time(graph, _STREAM, settings, cells, placement.devices[0]).weights[place]
                total.add(placement.devices[0], portion, work)
            else:
                work = time_on(name).weights[place]
                total.add(name, portion, work)
            total.host_bytes += portion * work.read_bytes if name == HOST else 0.0

        for name, first, end in _runs(devices):
            time = time_on(name)
            total.add(name, 1.0, time.rest_of(first, end))
            total.slope += time.slope_of(first, end)
            if name == HOST and streams:
                streamed = self._time(graph, _STREAM, settings, cells, placement.devices[0])
                last = min(end, self._layers)
                total.add(placement.devices[0], 1.0, streamed.weights_of(first, last))
                total.add(HOST, 1.0, time.weights_of(last, end))
            else:
                total.add(name, 1.0, time.weights_of(first, end))
            total.host_bytes += time.weights_of(first, end).read_bytes if name == HOST else 0.0
        elsewhere = self._overridden(placement)
        for place, (share, target) in elsewhere.items():
            home = devices[min(place[0], self._layers)]
            if home != target:
                add_weights(home, -share, place)
                add_weights(target, share, place)
        self._hand_over(total, cost.tokens, devices, elsewhere)
        if mapped is not None and mapped.missing > 0.0:
            total.read_from_disk(mapped.missing, self._machine.host.disk_bytes_per_second)
        return total

    def _time(self, graph: str, name: str, settings: Settings, cells: int, through: str = "") -> DeviceTime:
        attention = attention_key(settings)
        # The processor's flash attention passes over cells that are masked; all others compute with padded ones.
        cells = cells if name == HOST and settings.flash_attention else _padded(cells)
        key = (graph, name + through, attention, cells)
        if key not in self._times:
            cost = self._graphs[graph]
            if name == _STREAM:
                self._times[key] = streamed_time(
                    cost, self._speed(through), self._machine.host.speed, layers=self._layers
                )
            else:
                self._times[key] = device_time(
                    cost, self._speed(name), layers=self._layers, attention=attention, cells=cells
                )
        return self._times[key]

    def _speed(self, name: str) -> DeviceSpeed:
        return self._machine.host.speed if name == HOST else self._devices[name].speed

    def _overridden(self, placement: Placement) -> dict[tuple[int, str], tuple[float, str]]:
        """(layer, part) → (share of its weights, device) of what does not lie where its layer lies."""
        result: dict[tuple[int, str], tuple[float, str]] = {}
        for override in reversed(placement.overrides):
            for place, share in self._caught(override.pattern).items():
                result[place] = (share, override.device)
        return result

    def _caught(self, pattern: str) -> dict[tuple[int, str], float]:
        if pattern not in self._moved:
            expression, caught = re.compile(pattern), {}
            for operation in self._graphs["decode"].operations:
                place = (operation.layer, operation.part)
                if operation.kind in ("weights", "experts") and place not in caught:
                    names = names_of(*place)
                    hits = sum(1 for name in names if expression.search(name))
                    caught[place] = hits / len(names) if hits else 0.0
            self._moved[pattern] = {place: share for place, share in caught.items() if share}
        return self._moved[pattern]

    def _hand_over(
        self,
        total: _Total,
        tokens: int,
        devices: Sequence[str],
        elsewhere: dict[tuple[int, str], tuple[float, str]],
    ) -> None:
        """Activations pass from device to device: into a layer, and out to weights that lie elsewhere and back."""
        before = HOST
        for layer, home in enumerate(devices):
            if home != before:
                self._pass(total, tokens, before, home)
            for part in ("ffn", "experts"):
                share, target = elsewhere.get((layer, part), (0.0, home))
                # Weights that are streamed come to the device instead.
                if share and target != home and not (target == HOST and tokens >= STREAMED_FROM_TOKENS):
                    self._pass(total, tokens, home, target)
                    self._pass(total, tokens, target, home)
            before = home

    def _pass(self, total: _Total, tokens: int, source: str, target: str) -> None:
        for name in (source, target):
            if name != HOST:
                speed = self._speed(name)
                seconds = speed.split_seconds + tokens * self._width * _F32_BYTES / (
                    speed.link_bytes_per_second or 1e10
                )
                total.add(name, 1.0, Work(seconds, seconds * speed.spread))


class _Total:
    """Of one call. seconds: by device; doubt: by which they may be off; worst: beyond that if the disk thrashes."""

    __slots__ = ("doubt", "host_bytes", "seconds", "slope", "worst")

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.doubt = self.host_bytes = self.slope = self.worst = 0.0

    def add(self, device: str, portion: float, work: Work) -> None:
        self.seconds[device] = self.seconds.get(device, 0.0) + portion * work.seconds
        self.doubt += portion * work.doubt

    def read_from_disk(self, missing: float, bytes_per_second: float) -> None:
        whole = self.host_bytes / bytes_per_second
        likely = whole * min(1.0, _THRASHING * missing)
        self.worst = whole - likely
        self.add(HOST, 1.0, Work(likely, likely * _DISK_SPREAD))

    @property
    def likely(self) -> float:
        return sum(self.seconds.values())

    def range(self, tokens: int, extra: float) -> Range:
        likely = self.likely
        factor = 1.0 + self.doubt / likely + extra
        return Range(low=tokens / (likely * factor + self.worst), likely=tokens / likely, high=tokens / likely * factor)


def forecast(
    *,
    decode: GraphCost,
    prefill: GraphCost,
    settings: Settings,
    layers: int,
    machine: Machine,
    depth_tokens: int,
    width: int = 0,
    mapped: Mapped | None = None,
) -> SpeedForecast:
    """`SpeedModel.forecast` for who asks once."""
    model = SpeedModel(decode=decode, prefill=prefill, machine=machine, layers=layers, width=width)
    return model.forecast(settings, depth_tokens=depth_tokens, mapped=mapped)


def attention_key(settings: Settings) -> str:
    """The key of `DeviceSpeed.kv_read_bytes_per_second` for these settings.

    Of two types the smaller one's; of rare types that of the one whose unpacking costs as much.
    """
    if not settings.flash_attention:
        return "f16|plain"
    kinds = {settings.kv_type_k, settings.kv_type_v} - {"f16", "bf16"}
    if not kinds:
        return "f16|flash"
    return "q8_0|flash" if kinds == {"q8_0"} else "q4_0|flash"


def _runs(devices: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """(device, first layer, layer behind the last one); what is before the first block is the host's."""
    yield HOST, -1, 0
    first = 0
    for layer in range(1, len(devices) + 1):
        if layer == len(devices) or devices[layer] != devices[first]:
            yield devices[first], first, layer
            first = layer


def _padded(tokens: int) -> int:
    return -(-tokens // _CELL_STEP) * _CELL_STEP
