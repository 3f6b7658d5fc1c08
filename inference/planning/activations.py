"""About how much memory the intermediate values of one call take, from the header alone.

llama.cpp's graph allocator re-uses memory, so its buffer is as large as the busiest moment. The formulas name what
lives at the busiest moments: the attention mask, then inside a block the widest of the feed-forward network, the
experts, the attention and a recurrent step, and after the last block the logits.

They were fitted to dry runs over batches of 128 to 2,048 tokens, contexts of 2,048 to 32,768, flash attention on and
off, 1 to 16 sequences. What remained, in percent:
llama 0..+6, qwen2 0..+4, qwen3 0..+1, qwen3moe 0..+1, chatglm 0..+6, glm4moe -3..0, minicpm3 -1..+7, deepseek2 -17..0,
gemma2 -4..0, gemma3 -5..0, gpt-oss -1..+5, qwen3next -1..+9, qwen35 -2..+16, mamba2 -2..0, rwkv6 -3..+2, rwkv7 0..+2.
Of 50 published models the worst is hunyuan-moe (+32 on a device); with parts on the host most are within 20.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inference.planning.layer_memory import LayerMemory, ModelMemory, padded_context
from inference.planning.values import Settings
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import TensorInfo

_F32_BYTES, _F16_BYTES = 4, 2
_MIB = 1024**2
# Activations are quantized for the products: 292 bytes for 256 values (Q8_K).
_QUANTIZED_BYTES_PER_VALUE = 292 / 256


class Activations:
    """The sizes of one model's intermediate values."""

    def __init__(self, header: GgufHeader, memory: ModelMemory) -> None:
        self._memory = memory
        self._width = header.embedding_length or 0
        self._heads = header.heads or 0
        self._vocabulary = _rows(header, ("output.weight", "token_embd.weight")) or header.vocabulary_size or 0
        self._feed_forward = max(_inputs(header, ("ffn_down.weight", "ffn_down_shexp.weight")), default=0)
        experts_used = max(header.per_layer("expert_used_count") or (), default=0)
        self._experts = 2 * experts_used * (self._width + max(_inputs(header, ("ffn_down_exps.weight",)), default=0))
        self._queries = max(_inputs(header, ("attn_output.weight",)), default=self._width)
        self._latent = _latent_values(header)
        self._recurrent = _recurrent_values(header)
        self._state = max((layer.state_elements for layer in memory.layers), default=0)
        self._state_copies = 2 if header.own_integer("wkv.head_size") else 1
        self._keys = max((layer.key_width for layer in memory.layers), default=0)
        self._values = max((layer.value_width for layer in memory.layers), default=0)

    def input_bytes(self, settings: Settings) -> int:
        """What the host prepares for every call: the masks and the looked-up rows of the embedding."""
        return self._mask_bytes(settings) + 2 * self.hidden_bytes(settings)

    def hidden_bytes(self, settings: Settings) -> int:
        """What one block hands to the next."""
        return self._width * settings.batch_tokens * _F32_BYTES

    def block_bytes(self, settings: Settings) -> int:
        """The busiest moment inside a block."""
        dense = 4 * self._width + 3 * self._feed_forward
        attention = 2 * self._width + 3 * self._queries + self._keys + self._values
        values = max(dense, self._experts, self._latent, self._recurrent)
        per_call = values * settings.batch_tokens * _F32_BYTES
        if not settings.flash_attention:
            scores = self._heads * self._widest_cells(settings)
            per_call = max(per_call, (attention + scores) * settings.batch_tokens * _F32_BYTES)
        states = self._state_copies * self._state * max(1, settings.sequences) * _F32_BYTES
        return per_call + states + self._mask_bytes(settings)

    def borrowed_bytes(self, settings: Settings, *, weights: Sequence[TensorInfo], caches: Sequence[int]) -> int:
        """What a device needs beside `block_bytes` for copies of weights, or of a layer's keys and values, on the host.

        A copy lives in one moment only, and the more of the block's own values live in that moment the more it adds.
        """
        feed_forward = self._feed_forward * settings.batch_tokens * _F32_BYTES
        added = [0]
        for weight in weights:
            spared = 0
            if weight.name.endswith(("ffn_gate.weight", "ffn_up.weight")):
                spared = feed_forward // 2
            elif weight.name.endswith("ffn_down.weight"):
                spared = feed_forward
            added.append(weight.size_bytes - spared)
        attending = 3 * (self._width + self._queries) * settings.batch_tokens * _F32_BYTES
        spared = self.block_bytes(settings) - attending - self._mask_bytes(settings)
        added += [cache - spared for cache in caches]
        return max(added)

    def output_bytes(self, settings: Settings) -> int:
        """The moment of the logits; the masks are no longer needed then."""
        outputs = settings.outputs_max or settings.sequences
        return outputs * self._vocabulary * _F32_BYTES + 3 * self._width * settings.batch_tokens * _F32_BYTES

    def work_bytes(self, settings: Settings) -> int:
        """The processor's scratch memory: quantized activations, and without flash attention the scores once more."""
        widest = max(self._width, self._feed_forward, self._queries)
        quantized = _MIB + int(widest * settings.batch_tokens * _QUANTIZED_BYTES_PER_VALUE)
        if settings.flash_attention:
            return quantized
        return max(quantized, self._heads * self._widest_cells(settings) * settings.batch_tokens * _F16_BYTES)

    def _mask_bytes(self, settings: Settings) -> int:
        """One mask for full and one for windowed layers; 16 bits wide with flash attention, 32 without."""
        cells = {layer.windowed: self._memory.cells(layer, settings) for layer in self._attending()}
        return sum(cells.values()) * settings.batch_tokens * (_F16_BYTES if settings.flash_attention else _F32_BYTES)

    def _widest_cells(self, settings: Settings) -> int:
        if not self._memory.layers:
            return padded_context(settings.batch_tokens)
        return max((self._memory.cells(layer, settings) for layer in self._attending()), default=0)

    def _attending(self) -> Iterable[LayerMemory]:
        return (layer for layer in self._memory.layers if layer.key_width)


def _inputs(header: GgufHeader, suffixes: tuple[str, ...]) -> list[int]:
    """Row lengths of the weights whose names end so."""
    return [tensor.shape[0] for name, tensor in header.tensors.items() if name.endswith(suffixes)]


def _rows(header: GgufHeader, names: tuple[str, ...]) -> int:
    return next((header.tensors[name].shape[-1] for name in names if name in header.tensors), 0)


def _latent_values(header: GgufHeader) -> int:
    """Latent attention (MLA): queries and answers in the compressed width, for every head."""
    key, plain_key = header.own_integer("attention.key_length"), header.own_integer("attention.key_length_mla")
    if not key or not plain_key:
        return 0
    rank = header.own_integer("attention.kv_lora_rank") or key
    return (header.heads or 0) * (rank + key + plain_key) + 4 * (header.embedding_length or 0)


def _recurrent_values(header: GgufHeader) -> int:
    """A recurrent step: RWKV's mixes, or the convolution and the scan of state-space and delta networks."""
    width = header.embedding_length or 0
    if header.own_integer("wkv.head_size"):
        return (19 if header.architecture in ("rwkv7", "arwkv7") else 14) * width
    inner = header.own_integer("ssm.inner_size") or 0
    if not inner:
        return 0
    convolved = inner + 2 * (header.own_integer("ssm.group_count") or 0) * (header.own_integer("ssm.state_size") or 0)
    projections = 3 if any(name.endswith("ssm_in.weight") for name in header.tensors) else 2
    return projections * convolved + 3 * inner + width
