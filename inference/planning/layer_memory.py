"""What each layer of a model keeps between two tokens, by the rules of llama.cpp.

Source: llama-hparams.cpp, llama-kv-cache*.cpp, llama-memory-recurrent.cpp, `llama_model::create_memory` and the
`load_arch_hparams` of src/models/*.cpp in the llama.cpp that llama-cpp-python 0.3.36 carries.
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.planning.values import Settings
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.tensor_types import TENSOR_TYPES, TensorType

_CONTEXT_STEP = 256
_F32_BYTES = 4
_TYPES: dict[str, TensorType] = {kind.name: kind for kind in TENSOR_TYPES.values()}

# ---- sliding windows: (period, the full layer comes first, default window; 0: only with the key in the file)
_WINDOWED: dict[str, tuple[int, bool, int]] = {
    "afmoe": (4, False, 0),
    "cohere2": (4, False, 0),
    "cohere2moe": (4, True, 0),
    "exaone-moe": (4, False, 128),
    "gemma2": (2, False, 4096),
    "gemma3": (6, False, 0),
    "gemma3n": (5, False, 0),
    "gpt-oss": (2, False, 0),
    "laguna": (4, True, 0),
    "llama4": (4, False, 8192),
    "mellum": (4, False, 0),
    "muse-glimmer": (4, False, 0),
    "olmo2": (4, False, 0),
    "plamo3": (8, False, 0),
    "smallthinker": (4, True, 0),
}
# These name each layer's kind in the file.
_WINDOWED_BY_ARRAY = frozenset({"gemma4", "granite_swa", "lfm2", "lfm2moe", "maple", "mimo2", "spark2_5", "step35"})
_EXAONE4_WINDOWED_LAYERS = 64

# ---- recurrent layers
_RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
# Every layer but each n-th, unless the file lists them.
_RECURRENT_BY_INTERVAL = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4, "qwen4exp": 4, "minimax-01": 8}
# Layers without key-value heads.
_RECURRENT_WITHOUT_HEADS = frozenset(
    {"jamba", "plamo2", "granitehybrid", "lfm2", "lfm2moe", "kimi-linear", "kimi-k3", "bailingmoe3", "glm5-next"}
)
_RECURRENT_WITHOUT_HEADS_OR_FFN = frozenset({"nemotron_h", "nemotron_h_moe"})
_RECURRENT_AND_ATTENTION = frozenset({"falcon-h1"})
# Encoders and diffusion models keep nothing.
_WITHOUT_MEMORY = frozenset(
    {
        "bert", "jina-bert-v2", "jina-bert-v3", "nomic-bert", "nomic-bert-moe", "neo-bert", "eurobert", "modern-bert",
        "wavtokenizer-dec", "gemma-embedding", "dream", "llada", "llada-moe", "rnd1",
    }
)  # fmt: skip
# An index of keys beside the latent attention of every layer.
_INDEXED = frozenset({"deepseek32", "glm-dsa"})
_GEMMA3N_OWN_KV_LAYERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerMemory:
    """What one layer keeps. key_width, value_width, index_width: elements for each token of the context, 0 for none.

    windowed: only the last tokens are kept. state_elements: 32-bit numbers for each sequence (recurrent layers).
    """

    layer: int
    key_width: int = 0
    value_width: int = 0
    index_width: int = 0
    windowed: bool = False
    state_elements: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMemory:
    """All layers of the trunk. window_tokens: of windowed layers. widest_value: of all layers, counts without flash."""

    layers: tuple[LayerMemory, ...]
    window_tokens: int
    widest_value: int

    def cells(self, layer: LayerMemory, settings: Settings) -> int:
        """For how many tokens a layer keeps keys and values."""
        cells = padded_context(settings.context_tokens)
        if layer.windowed and not settings.swa_full:
            kept = self.window_tokens * settings.sequences + settings.batch_tokens
            return padded_context(min(cells, kept))
        return cells

    def bytes_of(self, layer: LayerMemory, settings: Settings) -> int:
        """Bytes that a layer takes in a unified cache."""
        value_width = layer.value_width
        if value_width and not settings.flash_attention:
            value_width = self.widest_value
        per_token = row_bytes(layer.key_width, settings.kv_type_k) + row_bytes(value_width, settings.kv_type_v)
        index = row_bytes(layer.index_width, settings.kv_type_k) * padded_context(settings.context_tokens)
        state = layer.state_elements * _F32_BYTES * max(1, settings.sequences)
        return per_token * self.cells(layer, settings) + index + state


def padded_context(tokens: int) -> int:
    """llama.cpp rounds the context up to a multiple of 256."""
    return -(-tokens // _CONTEXT_STEP) * _CONTEXT_STEP


def row_bytes(elements: int, kv_type: str) -> int:
    """Bytes of a row of `elements` numbers of a KV type."""
    kind = _TYPES[kv_type.upper()]
    return -(-elements // kind.block_elements) * kind.block_bytes


def trunk_layers(header: GgufHeader) -> int:
    """Blocks that answer; the blocks behind them predict further tokens and are not loaded."""
    return max(0, (header.layers or 0) - (header.own_integer("nextn_predict_layers") or 0))


def model_memory(header: GgufHeader) -> ModelMemory:
    """What each layer keeps, from the header alone."""
    architecture, trunk = header.architecture, trunk_layers(header)
    if architecture in _WITHOUT_MEMORY:
        return ModelMemory(layers=(), window_tokens=0, widest_value=0)
    window, windowed = _windows(header)
    recurrent = _recurrent(header)
    layers = []
    for layer in range(trunk):
        attends = not recurrent[layer] or architecture in _RECURRENT_AND_ATTENTION
        if architecture in _RECURRENT_WITHOUT_HEADS_OR_FFN and not recurrent[layer]:
            attends = _at(header, "feed_forward_length", layer) == 0
        attends = attends and layer < _own_kv_layers(header)
        key_width, value_width = _widths(header, layer, windowed[layer]) if attends else (0, 0)
        layers.append(
            LayerMemory(
                layer=layer,
                key_width=key_width,
                value_width=value_width,
                index_width=_index_width(header) if attends else 0,
                windowed=windowed[layer],
                state_elements=_state_elements(header) if recurrent[layer] else 0,
            )
        )
    widest = max((_widths(header, layer, windowed[layer])[1] for layer in range(trunk)), default=0)
    return ModelMemory(layers=tuple(layers), window_tokens=window, widest_value=widest)


def _widths(header: GgufHeader, layer: int, windowed: bool) -> tuple[int, int]:
    """Elements of key and value of one token. Latent attention keeps one compressed key and no value."""
    kv_heads = header.per_layer("attention.head_count_kv") or header.per_layer("attention.head_count") or ()
    heads = kv_heads[layer] if layer < len(kv_heads) else 0
    attention_heads = next((count for count in header.per_layer("attention.head_count") or () if count), 0)
    default = (header.embedding_length or 0) // attention_heads if attention_heads else 0
    lengths = []
    for name in ("key", "value"):
        length = header.own_integer(f"attention.{name}_length") or default
        if windowed:
            length = header.own_integer(f"attention.{name}_length_swa") or length
        lengths.append(heads * length)
    latent = bool(header.own_integer("attention.key_length_mla") and header.own_integer("attention.value_length_mla"))
    return lengths[0], 0 if latent else lengths[1]


def _windows(header: GgufHeader) -> tuple[int, tuple[bool, ...]]:
    """(window in tokens, which layers are windowed)."""
    architecture, trunk = header.architecture, trunk_layers(header)
    none = (0, (False,) * trunk)
    window = header.own_integer("attention.sliding_window") or 0
    if architecture in _WINDOWED_BY_ARRAY:
        period, first, default = 0, False, 0
    elif architecture == "exaone4" and trunk == _EXAONE4_WINDOWED_LAYERS:
        period, first, default = 4, False, 4096
    elif architecture in _WINDOWED:
        period, first, default = _WINDOWED[architecture]
    else:
        return none
    if architecture == "llama4" and "llama4.attention.sliding_window" in header.values:
        # A window of 0 says that there is none; any other one is replaced.
        window = 8192 if window else 0
        default = 0
    if architecture == "smallthinker" and window:
        window = 4096
    window = window or default
    if not window:
        return none
    pattern = header.own("attention.sliding_window_pattern")
    if isinstance(pattern, int) and not isinstance(pattern, bool):
        period = pattern
    elif pattern is not None:
        flags = tuple(bool(flag) for flag in header.per_layer("attention.sliding_window_pattern") or ())
        return window, (*flags, *none[1])[:trunk]
    elif architecture in _WINDOWED_BY_ARRAY:
        return none
    if first:
        return window, tuple(period == 0 or layer % period != 0 for layer in range(trunk))
    return window, tuple(period == 0 or layer % period < period - 1 for layer in range(trunk))


def _recurrent(header: GgufHeader) -> tuple[bool, ...]:
    """Which layers keep a state of fixed size."""
    architecture, trunk = header.architecture, trunk_layers(header)
    if architecture in _RECURRENT or architecture in _RECURRENT_AND_ATTENTION:
        return (True,) * trunk
    listed = header.per_layer("attention.recurrent_layers")
    if architecture in _RECURRENT_BY_INTERVAL:
        if listed:
            return tuple(bool(flag) for flag in listed[:trunk])
        interval = header.own_integer("full_attention_interval") or _RECURRENT_BY_INTERVAL[architecture]
        return tuple((layer + 1) % interval != 0 for layer in range(trunk))
    if architecture in _RECURRENT_WITHOUT_HEADS:
        return tuple(_at(header, "attention.head_count_kv", layer) == 0 for layer in range(trunk))
    if architecture in _RECURRENT_WITHOUT_HEADS_OR_FFN:
        return tuple(
            _at(header, "attention.head_count_kv", layer) == 0 and _at(header, "feed_forward_length", layer) == 0
            for layer in range(trunk)
        )
    return (False,) * trunk


def _state_elements(header: GgufHeader) -> int:
    """`n_embd_r() + n_embd_s()` of llama-hparams.cpp: the last inputs of a convolution, and the state itself."""
    width = header.embedding_length or 0
    heads = next((count for count in header.per_layer("attention.head_count") or () if count), 0)
    kernel = header.own_integer("ssm.conv_kernel") or 0
    if head_size := header.own_integer("wkv.head_size"):
        shifts = header.own_integer("token_shift_count")
        return (2 if shifts is None else shifts) * width + width * head_size
    if cache := header.own_integer("shortconv.l_cache"):
        return width * (cache - 1)
    if head_size := header.own_integer("kda.head_dim"):
        return 3 * (kernel - 1 if kernel else 3) * heads * head_size + head_size * head_size * heads
    if header.architecture == "minimax-01":
        head_size = header.own_integer("attention.key_length") or (width // heads if heads else 0)
        return head_size * head_size * heads
    inner, state = header.own_integer("ssm.inner_size") or 0, header.own_integer("ssm.state_size") or 0
    groups = header.own_integer("ssm.group_count") or 0
    return max(0, kernel - 1) * (inner + 2 * groups * state) + state * inner


def _own_kv_layers(header: GgufHeader) -> int:
    """Layers behind these use the keys and values of earlier ones."""
    if header.architecture == "gemma3n":
        return _GEMMA3N_OWN_KV_LAYERS
    if header.architecture == "gemma4":
        return (header.layers or 0) - (header.own_integer("attention.shared_kv_layers") or 0)
    return header.layers or 0


def _index_width(header: GgufHeader) -> int:
    return header.own_integer("attention.indexer.key_length") or 0 if header.architecture in _INDEXED else 0


def _at(header: GgufHeader, key: str, layer: int) -> int:
    values = header.per_layer(key) or ()
    return values[layer] if layer < len(values) else 0
