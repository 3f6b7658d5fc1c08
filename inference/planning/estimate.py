"""What a model needs, computed from its header alone, for platforms where the engine's own dry run cannot be read.

Weights and what is kept for the context follow llama.cpp's rules: equal to the dry run to the byte in 16 architectures
(but for a rounding of 48 bytes). The compute buffers are an approximation, see `activations`; with devices within
30 %. Not covered: caches of deepseek4, minimax-m3, dots3note and hy_v4. Every answer is labelled "estimate".
"""

from __future__ import annotations

from collections import defaultdict

from inference.planning.activations import Activations
from inference.planning.estimate_graph import estimate_graph
from inference.planning.layer_memory import model_memory, trunk_layers
from inference.planning.oracle import MeasureFailed
from inference.planning.values import HOST, BufferBytes, GraphCost, Measured, Settings
from inference.planning.weight_placement import PlacedWeight, layer_devices, place_weights
from inference.values import Placement
from models_catalog.gguf.header import GgufHeader

# ggml-cpu's `ggml_repack_get_optimal_repack_type`, by what the processor can do.
REPACKED_ON_X86 = frozenset({"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"})
REPACKED_ON_ARM = frozenset({"Q4_0", "Q4_K", "Q5_K", "Q6_K", "Q8_0", "IQ4_NL", "MXFP4"})
# Back ends that compute large batches of weights that lie on the host (`offload_op`).
_OFFLOADING = ("CUDA", "ROCm", "MUSA", "Vulkan", "Metal", "MTL")
# GGML_OP_OFFLOAD_MIN_BATCH.
_OFFLOADED_TOKENS = 32
# GGML_SCHED_MAX_COPIES.
_PIPELINED = 4


def repacked_on(processor: str) -> frozenset[str]:
    """The types for a processor as `platform.machine()` names it; none for those without vector kernels in ggml."""
    match processor.lower():
        case "x86_64" | "amd64":
            return REPACKED_ON_X86
        case "arm64" | "aarch64":
            return REPACKED_ON_ARM
        case _:
            return frozenset()


class EstimateOracle:
    """See inference.planning.oracle.Oracle. The same header and settings give the same answer; any thread may ask.

    repack_types: ggml types that the processor re-orders for its vector units, see `repacked_on`.
    """

    def __init__(self, header: GgufHeader, *, repack_types: frozenset[str] = REPACKED_ON_X86) -> None:
        self._header = header
        self._repack_types = repack_types
        self._memory = model_memory(header)
        self._placed_by: dict[tuple[Placement, bool], tuple[PlacedWeight, ...]] = {}
        self._activations = Activations(header, self._memory)

    def measure(self, settings: Settings) -> Measured:
        """Bytes by buffer. Raises MeasureFailed for a quantized V cache without flash attention, as the engine does."""
        if not settings.flash_attention and settings.kv_type_v not in ("f16", "bf16"):
            raise MeasureFailed("V cache quantization requires flash_attn")
        weights = self._weights(settings)
        state = self._state(settings)
        compute = self._compute(settings)
        buffers = [
            BufferBytes(
                buffer_type=device,
                device=device,
                weights_bytes=weights.get((device, False), 0),
                state_bytes=state.get(device, 0),
                compute_bytes=compute.get(device, 0),
            )
            for device in (HOST, *settings.placement.devices)
        ]
        if repacked := weights.get((HOST, True), 0):
            buffers.append(
                BufferBytes(
                    buffer_type="CPU_REPACK", device=HOST, weights_bytes=repacked, state_bytes=0, compute_bytes=0
                )
            )
        return Measured(buffers=tuple(buffers), work_bytes=self._activations.work_bytes(settings), basis="estimate")

    def graph(self, settings: Settings, tokens: int) -> GraphCost:
        """See Oracle.graph; flops and bytes of the products from the shapes of the weights, nodes approximated."""
        return estimate_graph(self._header, self._memory, settings, tokens)

    def close(self) -> None:
        """Nothing is held."""

    def _placed(self, settings: Settings) -> tuple[PlacedWeight, ...]:
        """Remembered: each override is a regular expression over all names."""
        key = (settings.placement, settings.repack)
        if key not in self._placed_by:
            self._placed_by[key] = tuple(
                place_weights(self._header, settings.placement, repack=settings.repack, repack_types=self._repack_types)
            )
        return self._placed_by[key]

    def _weights(self, settings: Settings) -> dict[tuple[str, bool], int]:
        """By (device, re-ordered)."""
        totals: dict[tuple[str, bool], int] = defaultdict(int)
        for weight in self._placed(settings):
            totals[weight.device, weight.repacked] += weight.stored_bytes
        return totals

    def _state(self, settings: Settings) -> dict[str, int]:
        totals: dict[str, int] = defaultdict(int)
        devices = layer_devices(settings.placement, self._header.layers or 0)
        for layer in self._memory.layers:
            totals[devices[layer.layer]] += self._memory.bytes_of(layer, settings)
        return totals

    def _compute(self, settings: Settings) -> dict[str, int]:
        placement, blocks = settings.placement, self._header.layers or 0
        devices = layer_devices(placement, blocks)
        sizes = self._activations
        totals = {HOST: sizes.input_bytes(settings)}
        for device in devices[: trunk_layers(self._header)]:
            totals[device] = sizes.block_bytes(settings)
        totals[devices[-1]] = max(totals.get(devices[-1], 0), sizes.output_bytes(settings))
        if placement.devices and placement.devices[0].startswith(_OFFLOADING):
            # Large batches of what lies on the host are computed on the first device, which copies it for that.
            borrowed = self._borrowed_bytes(settings, devices)
            if borrowed:
                totals[HOST] = sizes.input_bytes(settings)
                totals[placement.devices[0]] = sizes.block_bytes(settings) + borrowed
        if len(placement.devices) > 1 and placement.gpu_layers > blocks and not placement.overrides:
            self._add_pipeline(settings, totals)
        return totals

    def _borrowed_bytes(self, settings: Settings, devices: tuple[str, ...]) -> int:
        """What the first device copies from the host at its busiest moment; 0 when no layer has anything there."""
        # Few output rows are no large batch.
        blocks = range((self._header.layers or 0) + (settings.outputs_max >= _OFFLOADED_TOKENS))
        return self._activations.borrowed_bytes(
            settings,
            weights=[
                weight.tensor for weight in self._placed(settings) if weight.device == HOST and weight.layer in blocks
            ],
            caches=[
                self._memory.bytes_of(layer, settings) for layer in self._memory.layers if devices[layer.layer] == HOST
            ],
        )

    def _add_pipeline(self, settings: Settings, totals: dict[str, int]) -> None:
        """Several devices that hold all layers work on four batches at once, each with its own inputs."""
        inputs, handed_over = self._activations.input_bytes(settings), self._activations.hidden_bytes(settings)
        totals[HOST] = _PIPELINED * (inputs - handed_over) + handed_over
        for number, device in enumerate(settings.placement.devices):
            totals[device] = totals.get(device, 0) + (_PIPELINED - 1) * (inputs - handed_over)
            if number:
                totals[device] += _PIPELINED * handed_over
