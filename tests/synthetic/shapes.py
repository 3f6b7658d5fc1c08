"""Shapes of published models, as their configurations give them: what plan data is shipped for.

Each is written as the converter of llama.cpp writes it. `published_bytes`: sizes of published files, by quantization;
they confirm the shape together with the rule by which types are chosen. Vocabulary sizes are those of the published
tokenizers; where only the number of tokens is known the text is reckoned with 6.2 bytes for a token and 13 for a merge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models_catalog.gguf.plan_data import VocabularySize
from tests.synthetic.blueprint import Blueprint, Keys

MOST = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16")
LARGE = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")
HUGE = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q8_0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A published model and the quantizations that plan data is made for. id: as the catalogue calls it."""

    id: str
    blueprint: Blueprint
    quantizations: tuple[str, ...] = MOST
    published_bytes: Mapping[str, float] = field(default_factory=dict)


def _tokens(tokens: int, merges: int | None = None, text_bytes: int | None = None) -> VocabularySize:
    merges = tokens - 600 if merges is None else merges
    text = int(6.2 * tokens + 13 * merges) if text_bytes is None else text_bytes
    return VocabularySize(tokens=tokens, merges=merges, text_bytes=text)


QWEN = _tokens(151936, 151387, 2893160)
QWEN_PADDED = _tokens(152064, 151387, 2894628)
QWEN35 = _tokens(248320, 247587)
DEEPSEEK_V2 = _tokens(102400, 99757, 1942318)
DEEPSEEK_V3 = _tokens(129280, 127741)
GLM3 = _tokens(65024, 0, 480000)
GLM4 = _tokens(151552, 318088)
GLM47 = _tokens(154880, 321649)
LLAMA2 = _tokens(32000, 0, 210919)
GEMMA3 = _tokens(262144, 0, 2315366)


def _dense(
    layers: int,
    width: int,
    feed_forward: int,
    heads: tuple[int, int],
    *,
    head: int = 0,
    context: int,
    rope_base: float = 1e6,
    epsilon: float = 1e-6,
) -> Keys:
    keys: Keys = {
        "block_count": layers,
        "context_length": context,
        "embedding_length": width,
        "feed_forward_length": feed_forward,
        "attention.head_count": heads[0],
        "attention.head_count_kv": heads[1],
        "rope.freq_base": rope_base,
        "attention.layer_norm_rms_epsilon": epsilon,
    }
    return keys | ({"attention.key_length": head, "attention.value_length": head} if head else {})


def _moe(count: int, used: int, feed_forward: int) -> Keys:
    return {"expert_count": count, "expert_used_count": used, "expert_feed_forward_length": feed_forward}


def _latent(nope: int, rope: int, value: int, *, kv_rank: int, q_rank: int = 0) -> Keys:
    keys: Keys = {
        "attention.head_count_kv": 1,
        "attention.kv_lora_rank": kv_rank,
        "attention.key_length": kv_rank + rope,
        "attention.value_length": kv_rank,
        "attention.key_length_mla": nope + rope,
        "attention.value_length_mla": value,
        "rope.dimension_count": rope,
    }
    return keys | ({"attention.q_lora_rank": q_rank} if q_rank else {})


def _delta_net(key_heads: int, value_heads: int) -> Keys:
    return {
        "ssm.conv_kernel": 4,
        "ssm.state_size": 128,
        "ssm.group_count": key_heads,
        "ssm.time_step_rank": value_heads,
        "ssm.inner_size": 128 * value_heads,
        "full_attention_interval": 4,
        "rope.dimension_count": 64,
    }


def _sigmoid_routing(scale: float, dense_layers: int, shared: int = 1) -> Keys:
    return {
        "leading_dense_block_count": dense_layers,
        "expert_shared_count": shared,
        "expert_weights_scale": scale,
        "expert_weights_norm": True,
        "expert_gating_func": 2,
    }


def _shape(
    id: str,
    name: str,
    architecture: str,
    vocabulary: VocabularySize,
    keys: Keys,
    *,
    quantizations: tuple[str, ...] = MOST,
    published: Mapping[str, float] | None = None,
    tied: bool = False,
    fused_qkv: bool = False,
    present: str = "",
    absent: str = "",
) -> Shape:
    blueprint = Blueprint(
        name=name,
        architecture=architecture,
        keys=keys,
        vocabulary=vocabulary,
        tied=tied,
        fused_qkv=fused_qkv,
        present=present,
        absent=absent,
    )
    return Shape(id=id, blueprint=blueprint, quantizations=quantizations, published_bytes=published or {})


def _qwen2(
    id: str,
    name: str,
    layers: int,
    width: int,
    feed_forward: int,
    heads: tuple[int, int],
    *,
    context: int = 32768,
    rope_base: float = 1e6,
    quantizations: tuple[str, ...] = MOST,
    published: Mapping[str, float] | None = None,
) -> Shape:
    # The publisher's own files carry an output matrix also where the embeddings are tied.
    return _shape(
        id,
        name,
        "qwen2",
        QWEN if width < 3584 else QWEN_PADDED,
        _dense(layers, width, feed_forward, heads, context=context, rope_base=rope_base),
        present=r"attn_[qkv]\.bias$",
        quantizations=quantizations,
        published=published,
    )


_QWEN2 = (
    _qwen2(
        "qwen2.5-0.5b-instruct", "Qwen2.5 0.5B Instruct", 24, 896, 4864, (14, 2),
        published={"Q4_K_M": 491400064, "Q8_0": 675710816},
    ),
    _qwen2(
        "qwen2.5-1.5b-instruct", "Qwen2.5 1.5B Instruct", 28, 1536, 8960, (12, 2), published={"Q4_K_M": 1117320736}
    ),
    _qwen2("qwen2.5-3b-instruct", "Qwen2.5 3B Instruct", 36, 2048, 11008, (16, 2)),
    _qwen2("qwen2.5-7b-instruct", "Qwen2.5 7B Instruct", 28, 3584, 18944, (28, 4)),
    _qwen2("qwen2.5-14b-instruct", "Qwen2.5 14B Instruct", 48, 5120, 13824, (40, 8), quantizations=LARGE),
    _qwen2("qwen2.5-32b-instruct", "Qwen2.5 32B Instruct", 64, 5120, 27648, (40, 8), quantizations=LARGE),
    _qwen2("qwen2.5-72b-instruct", "Qwen2.5 72B Instruct", 80, 8192, 29568, (64, 8), quantizations=LARGE),
    _qwen2("qwq-32b", "QwQ 32B", 64, 5120, 27648, (40, 8), context=131072, quantizations=LARGE),
    _qwen2(
        "deepseek-r1-distill-qwen-1.5b", "DeepSeek R1 Distill Qwen 1.5B", 28, 1536, 8960, (12, 2),
        context=131072, rope_base=10000.0,
    ),
    _qwen2(
        "deepseek-r1-distill-qwen-7b", "DeepSeek R1 Distill Qwen 7B", 28, 3584, 18944, (28, 4),
        context=131072, rope_base=10000.0,
    ),
    _qwen2(
        "deepseek-r1-distill-qwen-14b", "DeepSeek R1 Distill Qwen 14B", 48, 5120, 13824, (40, 8),
        context=131072, quantizations=LARGE,
    ),
    _qwen2(
        "deepseek-r1-distill-qwen-32b", "DeepSeek R1 Distill Qwen 32B", 64, 5120, 27648, (40, 8),
        context=131072, quantizations=LARGE,
    ),
)  # fmt: skip


def _qwen3(
    id: str,
    name: str,
    layers: int,
    width: int,
    feed_forward: int,
    heads: tuple[int, int],
    *,
    tied: bool = False,
    quantizations: tuple[str, ...] = MOST,
    published: Mapping[str, float] | None = None,
) -> Shape:
    return _shape(
        id,
        name,
        "qwen3",
        QWEN,
        _dense(layers, width, feed_forward, heads, head=128, context=40960),
        tied=tied,
        quantizations=quantizations,
        published=published,
    )


_QWEN3 = (
    _qwen3("qwen3-0.6b", "Qwen3 0.6B", 28, 1024, 3072, (16, 8), tied=True),
    _qwen3("qwen3-1.7b", "Qwen3 1.7B", 28, 2048, 6144, (16, 8), published={"Q4_K_M": 1282439264}),
    _qwen3("qwen3-4b", "Qwen3 4B", 36, 2560, 9728, (32, 8), tied=True, published={"Q4_K_M": 2.5e9, "Q8_0": 4.28e9}),
    _qwen3("qwen3-8b", "Qwen3 8B", 36, 4096, 12288, (32, 8), published={"Q4_K_M": 5027783488}),
    _qwen3("qwen3-14b", "Qwen3 14B", 40, 5120, 17408, (40, 8), quantizations=LARGE, published={"Q4_K_M": 9001752960}),
    _qwen3(
        "qwen3-32b", "Qwen3 32B", 64, 5120, 25600, (64, 8),
        quantizations=LARGE, published={"Q4_K_M": 19.8e9, "Q8_0": 34.8e9},
    ),
    _shape(
        "qwen3-30b-a3b", "Qwen3 30B A3B", "qwen3moe", QWEN,
        _dense(48, 2048, 6144, (32, 4), head=128, context=40960) | _moe(128, 8, 768),
        quantizations=LARGE, published={"Q4_K_M": 18.6e9, "Q8_0": 32.5e9},
    ),
    _shape(
        "qwen3-235b-a22b", "Qwen3 235B A22B", "qwen3moe", QWEN,
        _dense(94, 4096, 12288, (64, 4), head=128, context=40960) | _moe(128, 8, 1536),
        quantizations=HUGE, published={"Q4_K_M": 142e9, "Q8_0": 250e9},
    ),
    _shape(
        "qwen3-next-80b-a3b-instruct", "Qwen3 Next 80B A3B Instruct", "qwen3next", QWEN,
        _dense(48, 2048, 5120, (16, 2), head=256, context=262144, rope_base=1e7)
        | _moe(512, 10, 512) | {"expert_shared_feed_forward_length": 512} | _delta_net(16, 32),
        present=r"ssm_dt\.bias$", quantizations=HUGE,
    ),
    *(
        _shape(
            f"qwen3.5-{size}b", f"Qwen3.5 {size}B", "qwen35", QWEN35,
            _dense(layers, width, feed_forward, heads, head=256, context=262144, rope_base=1e7)
            | _delta_net(16, value_heads) | {"rope.dimension_sections": [11, 11, 10, 0]},
            present=r"ssm_dt\.bias$", tied=tied, published=published,
        )
        for size, layers, width, feed_forward, heads, value_heads, tied, published in (
            ("0.8", 24, 1024, 3584, (8, 2), 16, True, {"Q4_K_M": 532517120, "Q8_0": 811843840}),
            ("2", 24, 2048, 6144, (8, 2), 16, True, {"Q4_K_M": 1280835840, "Q8_0": 2012012800}),
            ("4", 32, 2560, 9216, (16, 4), 32, True, {"Q8_0": 4482403488}),
            ("9", 32, 4096, 12288, (16, 4), 32, False, {"Q4_K_M": 5680522464, "Q8_0": 9527502048}),
        )
    ),
)  # fmt: skip

_DEEPSEEK = (
    _shape(
        "deepseek-v2-lite-chat", "DeepSeek V2 Lite Chat", "deepseek2", DEEPSEEK_V2,
        _dense(27, 2048, 10944, (16, 1), context=163840, rope_base=10000.0)
        | _latent(128, 64, 128, kv_rank=512) | _moe(64, 6, 1408)
        | {"leading_dense_block_count": 1, "expert_shared_count": 2, "expert_weights_scale": 1.0},
    ),
    *(
        _shape(
            id, name, "deepseek2", DEEPSEEK_V3,
            _dense(61, 7168, 18432, (128, 1), context=163840, rope_base=10000.0)
            | _latent(128, 64, 128, kv_rank=512, q_rank=1536) | _moe(256, 8, 2048) | _sigmoid_routing(2.5, 3)
            | {"expert_group_count": 8, "expert_group_used_count": 4},
            present=r"exp_probs_b\.bias$", quantizations=HUGE,
        )
        for id, name in (("deepseek-v3", "DeepSeek V3"), ("deepseek-r1", "DeepSeek R1"))
    ),
    _shape(
        "kimi-k2-instruct", "Kimi K2 Instruct", "deepseek2", _tokens(163840, 163328),
        _dense(61, 7168, 18432, (64, 1), context=131072, rope_base=50000.0)
        | _latent(128, 64, 128, kv_rank=512, q_rank=1536) | _moe(384, 8, 2048) | _sigmoid_routing(2.827, 1)
        | {"expert_group_count": 1, "expert_group_used_count": 1},
        present=r"exp_probs_b\.bias$", quantizations=HUGE,
    ),
    _shape(
        "glm-4.7-flash", "GLM 4.7 Flash", "deepseek2", GLM47,
        _dense(47, 2048, 10240, (20, 1), context=202752, epsilon=1e-5)
        | _latent(192, 64, 256, kv_rank=512, q_rank=768) | _moe(64, 4, 1536) | _sigmoid_routing(1.8, 1),
        present=r"exp_probs_b\.bias$", quantizations=LARGE, published={"Q4_K_M": 18312339776},
    ),
)  # fmt: skip

_GLM = (
    _shape(
        "chatglm3-6b", "ChatGLM3 6B", "chatglm", GLM3,
        _dense(28, 4096, 13696, (32, 2), context=8192, rope_base=10000.0, epsilon=1e-5)
        | {"rope.dimension_count": 64},
        fused_qkv=True, present=r"attn_qkv\.bias$", published={"Q4_K_M": 4.14e9, "Q8_0": 6.64e9, "F16": 12.5e9},
    ),
    _shape(
        "glm-4-9b-chat", "GLM-4 9B Chat", "chatglm", GLM4,
        _dense(40, 4096, 13696, (32, 2), context=131072, rope_base=5e6, epsilon=1.5625e-7)
        | {"rope.dimension_count": 64},
        fused_qkv=True, present=r"attn_qkv\.bias$",
    ),
    _shape(
        "glm-4-9b-0414", "GLM-4 9B 0414", "glm4", GLM4,
        _dense(40, 4096, 13696, (32, 2), head=128, context=32768, rope_base=10000.0, epsilon=1e-5)
        | {"rope.dimension_count": 64},
    ),
    _shape(
        "glm-4-32b-0414", "GLM-4 32B 0414", "glm4", GLM4,
        _dense(61, 6144, 23040, (48, 2), head=128, context=32768, rope_base=10000.0, epsilon=1e-5)
        | {"rope.dimension_count": 64},
        quantizations=LARGE,
    ),
    _shape(
        "glm-4.5-air", "GLM-4.5 Air", "glm4moe", GLM4,
        _dense(47, 4096, 10944, (96, 8), head=128, context=131072, epsilon=1e-5) | _moe(128, 8, 1408)
        | _sigmoid_routing(1.0, 1) | {"rope.dimension_count": 64, "nextn_predict_layers": 1},
        present=r"exp_probs_b\.bias$|attn_[qkv]\.bias$", absent=r"attn_[qk]_norm", quantizations=HUGE,
    ),
    _shape(
        "glm-4.6", "GLM-4.6", "glm4moe", GLM4,
        _dense(93, 5120, 12288, (96, 8), head=128, context=202752, epsilon=1e-5) | _moe(160, 8, 1536)
        | _sigmoid_routing(2.5, 3) | {"rope.dimension_count": 64, "nextn_predict_layers": 1},
        present=r"exp_probs_b\.bias$|attn_[qkv]\.bias$", quantizations=HUGE,
    ),
)  # fmt: skip

_LLAMA_LIKE = (
    _shape(
        "llama-2-7b-chat", "Llama 2 7B Chat", "llama", LLAMA2,
        _dense(32, 4096, 11008, (32, 32), context=4096, rope_base=10000.0) | {"rope.dimension_count": 128},
    ),
    _shape(
        "llama-2-70b-chat", "Llama 2 70B Chat", "llama", LLAMA2,
        _dense(80, 8192, 28672, (64, 8), context=4096, rope_base=10000.0) | {"rope.dimension_count": 128},
    ),
    _shape(
        "yi-1.5-9b-chat", "Yi 1.5 9B Chat", "llama", _tokens(64000, 0, 480000),
        _dense(48, 4096, 11008, (32, 4), context=4096, rope_base=5e6) | {"rope.dimension_count": 128},
    ),
    _shape(
        "yi-1.5-34b-chat", "Yi 1.5 34B Chat", "llama", _tokens(64000, 0, 480000),
        _dense(60, 7168, 20480, (56, 8), context=4096, rope_base=5e6) | {"rope.dimension_count": 128},
        quantizations=LARGE,
    ),
    _shape(
        "baichuan2-7b-chat", "Baichuan2 7B Chat", "baichuan", _tokens(125696, 0, 760000),
        _dense(32, 4096, 11008, (32, 32), context=4096, rope_base=10000.0) | {"rope.dimension_count": 128},
        published={"Q4_K_M": 4.61e9, "Q8_0": 7.98e9},
    ),
    _shape(
        "baichuan2-13b-chat", "Baichuan2 13B Chat", "baichuan", _tokens(125696, 0, 760000),
        _dense(40, 5120, 13696, (40, 40), context=4096, rope_base=10000.0) | {"rope.dimension_count": 128},
        quantizations=LARGE, published={"Q4_K_M": 9.0e9, "Q8_0": 14.8e9},
    ),
    _shape(
        "internlm2_5-7b-chat", "InternLM2.5 7B Chat", "internlm2", _tokens(92544, 0, 700000),
        _dense(32, 4096, 14336, (32, 8), context=32768, epsilon=1e-5) | {"rope.dimension_count": 128},
        published={"Q4_K_M": 4.71e9, "Q8_0": 8.22e9},
    ),
    _shape(
        "internlm2_5-20b-chat", "InternLM2.5 20B Chat", "internlm2", _tokens(92544, 0, 700000),
        _dense(48, 6144, 16384, (48, 8), context=32768, epsilon=1e-5) | {"rope.dimension_count": 128},
        quantizations=LARGE, published={"Q4_K_M": 11.98e9, "Q8_0": 21.1e9},
    ),
    _shape(
        "minicpm3-4b", "MiniCPM3 4B", "minicpm3", _tokens(73448, 0, 560000),
        _dense(62, 2560, 6400, (40, 40), context=32768, rope_base=10000.0, epsilon=1e-5)
        | {
            "attention.q_lora_rank": 768, "attention.kv_lora_rank": 256, "attention.key_length": 96,
            "attention.value_length": 64, "rope.dimension_count": 32,
        },
        tied=True, present=r"rope_factors_(long|short)",
    ),
    _shape(
        "seed-oss-36b-instruct", "Seed OSS 36B Instruct", "seed_oss", _tokens(155136, 154737),
        _dense(64, 5120, 27648, (80, 8), head=128, context=524288, rope_base=1e7),
        present=r"attn_[qkv]\.bias$", quantizations=LARGE,
    ),
    _shape(
        "hunyuan-a13b-instruct", "Hunyuan A13B Instruct", "hunyuan-moe", _tokens(128167, 127698),
        _dense(32, 4096, 3072, (32, 8), head=128, context=262144, rope_base=11158840.0, epsilon=1e-5)
        | _moe(64, 8, 3072) | {"expert_shared_feed_forward_length": 3072, "expert_shared_count": 1},
        tied=True, quantizations=HUGE, published={"Q4_K_M": 45.38 * 2**30},
    ),
    _shape(
        "ernie-4.5-21b-a3b", "ERNIE 4.5 21B A3B", "ernie4_5-moe", _tokens(103424, 0, 800000),
        _dense(28, 2560, 12288, (20, 4), head=128, context=131072, rope_base=500000.0, epsilon=1e-5)
        | _moe(64, 6, 1536)
        | {
            "interleave_moe_layer_step": 1, "leading_dense_block_count": 1, "expert_shared_count": 2,
            "expert_shared_feed_forward_length": 3072,
        },
        tied=True, present=r"exp_probs_b\.bias$", quantizations=LARGE,
    ),
    _shape(
        "rwkv7-g1-2.9b", "RWKV7 G1 2.9B", "rwkv7", _tokens(65536, 0, 620000),
        {
            "block_count": 32, "context_length": 1048576, "embedding_length": 2560, "feed_forward_length": 10240,
            "attention.head_count": 0, "wkv.head_size": 64, "attention.layer_norm_epsilon": 1e-5,
            "attention.decay_lora_rank": 96, "attention.iclr_lora_rank": 96,
            "attention.value_residual_mix_lora_rank": 64, "attention.gate_lora_rank": 320,
        },
        present=r"\.bias$", published={"Q8_0": 3258603456},
    ),
    _shape(
        "gemma-3-270m", "Gemma 3 270M", "gemma3", GEMMA3,
        _dense(18, 640, 2048, (4, 1), head=256, context=32768) | {"attention.sliding_window": 512},
        tied=True, published={"Q4_K_M": 253113024},
    ),
    _shape(
        "gemma-3-4b-it", "Gemma 3 4B Instruct", "gemma3", GEMMA3,
        _dense(34, 2560, 10240, (8, 4), head=256, context=131072)
        | {"attention.sliding_window": 1024, "rope.scaling.type": "linear", "rope.scaling.factor": 8.0},
        tied=True,
    ),
)  # fmt: skip

SHAPES: dict[str, Shape] = {shape.id: shape for shape in (*_QWEN2, *_QWEN3, *_DEEPSEEK, *_GLM, *_LLAMA_LIKE)}
