"""Headers of well-known models' shapes, made without a file, and machines to plan them on."""

from __future__ import annotations

from collections.abc import Mapping

from inference.planning.values import Device, DeviceSpeed, Host, Machine
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import TensorInfo, Value, ValueType
from models_catalog.gguf.plan_data import VOCABULARY_MERGES, VOCABULARY_TOKENS
from models_catalog.gguf.tensor_types import TENSOR_TYPES, TensorType

GIB, MIB = 1024**3, 1024**2
_TYPES: dict[str, TensorType] = {kind.name: kind for kind in TENSOR_TYPES.values()}
_ALIGNMENT = 32


class _Tensors:
    def __init__(self) -> None:
        self.all: dict[str, TensorInfo] = {}
        self._offset = 0

    def add(self, name: str, kind: str, *shape: int) -> None:
        size = _TYPES[kind].block_bytes * (shape[0] // _TYPES[kind].block_elements)
        for length in shape[1:]:
            size *= length
        self.all[name] = TensorInfo(
            name=name, shape=shape, type=_TYPES[kind], offset_bytes=self._offset, size_bytes=size
        )
        self._offset += -(-size // _ALIGNMENT) * _ALIGNMENT


def _header(
    name: str, architecture: str, own: Mapping[str, int | float], tensors: _Tensors, vocabulary: int
) -> GgufHeader:
    values: dict[str, Value] = {
        "general.architecture": architecture,
        "general.name": name,
        "tokenizer.ggml.model": "none",
        VOCABULARY_TOKENS: vocabulary,
        VOCABULARY_MERGES: vocabulary,
        f"{architecture}.vocab_size": vocabulary,
        **{f"{architecture}.{key}": value for key, value in own.items()},
    }
    kinds = {str: ValueType.STRING, int: ValueType.UINT32, float: ValueType.FLOAT32}
    size = sum(-(-tensor.size_bytes // _ALIGNMENT) * _ALIGNMENT for tensor in tensors.all.values())
    return GgufHeader(
        path=f"{name}.gguf",
        version=3,
        values=values,
        value_types={key: kinds[type(value)] for key, value in values.items()},
        tensors=tensors.all,
        data_offset=4096,
        needed_bytes=4096 + size,
        size_bytes=4096 + size,
    )


def dense(
    name: str,
    *,
    layers: int,
    width: int,
    heads: int,
    kv_heads: int,
    ffn: int,
    vocabulary: int,
    kind: str = "Q4_K",
    head_width: int | None = None,
    architecture: str = "llama",
    context: int = 32768,
) -> GgufHeader:
    """A plain transformer with gated feed-forward networks."""
    head_width = head_width or width // heads
    tensors = _Tensors()
    tensors.add("token_embd.weight", kind, width, vocabulary)
    tensors.add("output_norm.weight", "F32", width)
    tensors.add("output.weight", kind, width, vocabulary)
    for layer in range(layers):
        _attention(tensors, f"blk.{layer}", kind, width, heads * head_width, kv_heads * head_width)
        tensors.add(f"blk.{layer}.ffn_gate.weight", kind, width, ffn)
        tensors.add(f"blk.{layer}.ffn_up.weight", kind, width, ffn)
        tensors.add(f"blk.{layer}.ffn_down.weight", kind, ffn, width)
    own = _own(layers, width, heads, kv_heads, ffn, head_width, context)
    return _header(name, architecture, own, tensors, vocabulary)


def experts(
    name: str,
    *,
    layers: int,
    width: int,
    heads: int,
    kv_heads: int,
    head_width: int,
    count: int,
    used: int,
    ffn: int,
    vocabulary: int,
    kind: str = "Q4_K",
    context: int = 40960,
) -> GgufHeader:
    """A mixture of experts after Qwen3's pattern."""
    tensors = _Tensors()
    tensors.add("token_embd.weight", kind, width, vocabulary)
    tensors.add("output_norm.weight", "F32", width)
    tensors.add("output.weight", kind, width, vocabulary)
    for layer in range(layers):
        _attention(tensors, f"blk.{layer}", kind, width, heads * head_width, kv_heads * head_width)
        tensors.add(f"blk.{layer}.attn_q_norm.weight", "F32", head_width)
        tensors.add(f"blk.{layer}.attn_k_norm.weight", "F32", head_width)
        tensors.add(f"blk.{layer}.ffn_gate_inp.weight", "F32", width, count)
        tensors.add(f"blk.{layer}.ffn_gate_exps.weight", kind, width, ffn, count)
        tensors.add(f"blk.{layer}.ffn_up_exps.weight", kind, width, ffn, count)
        tensors.add(f"blk.{layer}.ffn_down_exps.weight", kind, ffn, width, count)
    own = _own(layers, width, heads, kv_heads, ffn, head_width, context)
    own |= {"expert_count": count, "expert_used_count": used, "expert_feed_forward_length": ffn}
    return _header(name, "qwen3moe", own, tensors, vocabulary)


def _attention(tensors: _Tensors, block: str, kind: str, width: int, queries: int, keys: int) -> None:
    tensors.add(f"{block}.attn_norm.weight", "F32", width)
    tensors.add(f"{block}.ffn_norm.weight", "F32", width)
    tensors.add(f"{block}.attn_q.weight", kind, width, queries)
    tensors.add(f"{block}.attn_k.weight", kind, width, keys)
    tensors.add(f"{block}.attn_v.weight", kind, width, keys)
    tensors.add(f"{block}.attn_output.weight", kind, queries, width)


def _own(
    layers: int, width: int, heads: int, kv_heads: int, ffn: int, head_width: int, context: int
) -> dict[str, int | float]:
    return {
        "block_count": layers,
        "embedding_length": width,
        "feed_forward_length": ffn,
        "context_length": context,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.key_length": head_width,
        "attention.value_length": head_width,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.dimension_count": head_width,
        "rope.freq_base": 1e6,
    }


def llama2_7b(kind: str = "F16") -> GgufHeader:
    return dense("llama2-7b", layers=32, width=4096, heads=32, kv_heads=32, ffn=11008, vocabulary=32000, kind=kind,
                 context=4096)  # fmt: skip


def llama2_70b(kind: str = "F16") -> GgufHeader:
    return dense("llama2-70b", layers=80, width=8192, heads=64, kv_heads=8, ffn=28672, vocabulary=32000, kind=kind,
                 context=4096)  # fmt: skip


def six_b(kind: str = "Q4_0") -> GgufHeader:
    """ChatGLM2-6B's sizes."""
    return dense("six-b", layers=28, width=4096, heads=32, kv_heads=2, ffn=13696, vocabulary=65024, kind=kind,
                 context=32768)  # fmt: skip


def qwen3_8b(kind: str = "Q4_K") -> GgufHeader:
    return dense("qwen3-8b", layers=36, width=4096, heads=32, kv_heads=8, ffn=12288, vocabulary=151936, kind=kind,
                 context=40960)  # fmt: skip


def qwen3_32b(kind: str = "Q4_K") -> GgufHeader:
    return dense("qwen3-32b", layers=64, width=5120, heads=64, kv_heads=8, ffn=25600, vocabulary=151936, kind=kind,
                 head_width=128, context=40960)  # fmt: skip


def qwen3_30b_a3b(kind: str = "Q4_K") -> GgufHeader:
    return experts("qwen3-30b-a3b", layers=48, width=2048, heads=32, kv_heads=4, head_width=128, count=128, used=8,
                   ffn=768, vocabulary=151936, kind=kind)  # fmt: skip


def speed(
    *,
    gb_per_second: float,
    tflops: float,
    kv_gb_per_second: dict[str, float],
    node_us: float,
    split_us: float = 0.0,
    link_gb_per_second: float | None = None,
) -> DeviceSpeed:
    return DeviceSpeed(
        read_bytes_per_second={"": gb_per_second * 1e9},
        flops_per_second={"": tflops * 1e12},
        kv_read_bytes_per_second={key: figure * 1e9 for key, figure in kv_gb_per_second.items()},
        node_seconds=node_us * 1e-6,
        split_seconds=split_us * 1e-6,
        link_bytes_per_second=link_gb_per_second * 1e9 if link_gb_per_second else None,
        origin="table",
        spread=0.3,
    )


# As measured: a processor attends faster without flash attention, and slowest to quantized keys and values.
CPU_SPEED = speed(
    gb_per_second=40,
    tflops=0.5,
    kv_gb_per_second={"": 9, "f16|flash": 9, "f16|plain": 19, "q8_0|flash": 3.6},
    node_us=1.0,
)


def host(*, free: float, total: float | None = None, reserve: float = 1.5) -> Host:
    """In GiB."""
    return Host(
        name="8-core processor",
        total_bytes=int((total or free) * GIB),
        free_bytes=int(free * GIB),
        reserve_bytes=int(min(reserve, free / 4) * GIB),
        decode_threads=7,
        batch_threads=8,
        threads_reason="one_core_free",
        repack=True,
        speed=CPU_SPEED,
        disk_bytes_per_second=1e9,
    )


def card(
    name: str = "CUDA0", *, free: float, reserve: float = 0.6, gb_per_second: float = 300.0, shared: bool = False
) -> Device:
    """A graphics card; sizes in GiB."""
    return Device(
        name=name,
        description=f"card of {gb_per_second:.0f} GB/s",
        kind="integrated" if shared else "discrete",
        total_bytes=int(free * GIB),
        free_bytes=int(free * GIB),
        reserve_bytes=int(reserve * GIB),
        shares_host_memory=shared,
        speed=speed(
            gb_per_second=gb_per_second,
            tflops=gb_per_second / 10,
            kv_gb_per_second={"": gb_per_second * 0.8, "f16|plain": gb_per_second * 0.6},
            node_us=4.0,
            split_us=30.0,
            link_gb_per_second=None if shared else 12.0,
        ),
    )


def machine(*devices: Device, ram: float = 32.0) -> Machine:
    """ram: free GiB of main memory."""
    return Machine(host=host(free=ram), devices=devices)
