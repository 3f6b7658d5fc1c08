"""One small model of each architecture that is proven here: real proportions, sizes of 20 to 300 MB.

The hyper-parameters follow published models of the same architecture, with fewer layers, experts and columns.
"""

from __future__ import annotations

from models_catalog.gguf.plan_data import VocabularySize
from tests.synthetic.blueprint import Blueprint, Keys

TOKENS = 16384


def _vocabulary(tokens: int = TOKENS) -> VocabularySize:
    return VocabularySize(tokens=tokens, merges=tokens - 300, text_bytes=12 * tokens)


def _attention(heads: int, kv_heads: int, head: int) -> Keys:
    return {
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.key_length": head,
        "attention.value_length": head,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.freq_base": 1e6,
        "rope.dimension_count": head,
    }


def _size(layers: int, width: int, feed_forward: int, context: int = 32768) -> Keys:
    return {
        "block_count": layers,
        "context_length": context,
        "embedding_length": width,
        "feed_forward_length": feed_forward,
    }


def _experts(count: int, used: int, feed_forward: int) -> Keys:
    return {"expert_count": count, "expert_used_count": used, "expert_feed_forward_length": feed_forward}


_DELTA_NET: Keys = {
    "ssm.conv_kernel": 4,
    "ssm.inner_size": 1024,
    "ssm.state_size": 128,
    "ssm.time_step_rank": 8,
    "ssm.group_count": 4,
    "full_attention_interval": 4,
    "rope.dimension_count": 64,
}
_LATENT: Keys = {
    "attention.head_count_kv": 1,
    "attention.key_length": 576,
    "attention.value_length": 512,
    "attention.key_length_mla": 192,
    "attention.value_length_mla": 128,
    "attention.kv_lora_rank": 512,
    "rope.dimension_count": 64,
}


def _blueprint(
    name: str,
    keys: Keys,
    *,
    architecture: str = "",
    tied: bool = False,
    fused_qkv: bool = False,
    present: str = "",
    absent: str = "",
    tokens: int = TOKENS,
    general: Keys | None = None,
) -> Blueprint:
    return Blueprint(
        name=name,
        architecture=architecture or name,
        keys=keys,
        vocabulary=_vocabulary(tokens),
        tied=tied,
        fused_qkv=fused_qkv,
        general=general or {},
        present=present,
        absent=absent,
    )


_ALL = (
    _blueprint("llama", _size(8, 768, 2048) | _attention(12, 4, 64)),
    _blueprint("qwen2", _size(8, 896, 4864) | _attention(14, 2, 64), tied=True, present=r"attn_[qkv]\.bias$"),
    _blueprint("qwen3", _size(28, 1024, 3072, 40960) | _attention(16, 8, 128), tied=True, tokens=151936),
    _blueprint("qwen3moe", _size(6, 768, 2048, 40960) | _attention(12, 4, 64) | _experts(32, 8, 256)),
    _blueprint(
        "deepseek2",
        _size(5, 768, 2048)
        | _attention(12, 1, 128)
        | _LATENT
        | _experts(32, 6, 256)
        | {
            "attention.q_lora_rank": 512,
            "leading_dense_block_count": 1,
            "expert_shared_count": 2,
            "expert_weights_scale": 1.0,
            "expert_weights_norm": True,
            "expert_gating_func": 2,
        },
        present=r"exp_probs_b\.bias$",
    ),
    _blueprint(
        "chatglm",
        _size(8, 1024, 2752) | _attention(16, 2, 64) | {"rope.dimension_count": 32},
        fused_qkv=True,
        present=r"attn_qkv\.bias$",
    ),
    _blueprint(
        "glm4moe",
        _size(6, 768, 2048)
        | _attention(12, 2, 64)
        | _experts(16, 4, 256)
        | {
            "rope.dimension_count": 32,
            "leading_dense_block_count": 1,
            "expert_shared_count": 1,
            "expert_gating_func": 2,
            "expert_weights_scale": 1.0,
            "expert_weights_norm": True,
            "nextn_predict_layers": 0,
        },
        present=r"exp_probs_b\.bias$|attn_[qkv]\.bias$",
    ),
    _blueprint(
        "gemma2",
        _size(6, 1024, 4096, 8192)
        | _attention(8, 4, 256)
        | {"attention.sliding_window": 4096, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0},
        tied=True,
    ),
    _blueprint(
        "gemma3",
        _size(12, 640, 2048) | _attention(4, 1, 256) | {"attention.sliding_window": 512},
        tied=True,
    ),
    _blueprint(
        "gpt-oss",
        _size(6, 768, 768) | _attention(12, 4, 64) | _experts(8, 4, 768) | {"attention.sliding_window": 128},
        present=r"\.bias$",
    ),
    _blueprint(
        "qwen35",
        _size(8, 768, 2048) | _attention(6, 2, 128) | _DELTA_NET | {"rope.dimension_sections": [11, 11, 10, 0]},
        present=r"ssm_dt\.bias$",
    ),
    _blueprint(
        "qwen3next",
        _size(8, 768, 768)
        | _attention(6, 2, 128)
        | _DELTA_NET
        | _experts(32, 8, 256)
        | {"expert_shared_feed_forward_length": 256},
        present=r"ssm_dt\.bias$",
    ),
    _blueprint(
        "rwkv6",
        _size(6, 768, 2688)
        | {
            "attention.head_count": 0,
            "wkv.head_size": 64,
            "attention.layer_norm_epsilon": 1e-5,
            "time_mix_extra_dim": 32,
            "time_decay_extra_dim": 64,
            "rescale_every_n_layers": 6,
        },
        present=r"\.bias$",
    ),
    _blueprint(
        "rwkv7",
        _size(6, 768, 3072)
        | {
            "attention.head_count": 0,
            "wkv.head_size": 64,
            "attention.layer_norm_epsilon": 1e-5,
            "attention.decay_lora_rank": 64,
            "attention.iclr_lora_rank": 64,
            "attention.value_residual_mix_lora_rank": 32,
            "attention.gate_lora_rank": 128,
            "token_shift_count": 2,
        },
        present=r"\.bias$",
    ),
    _blueprint(
        "mamba2",
        _size(8, 768, 0)
        | {
            "attention.head_count": 0,
            "ssm.conv_kernel": 4,
            "ssm.inner_size": 1536,
            "ssm.state_size": 128,
            "ssm.time_step_rank": 24,
            "ssm.group_count": 1,
            "attention.layer_norm_rms_epsilon": 1e-5,
        },
        present=r"ssm_in\.weight$|ssm_(dt|conv1d)\.bias$",
    ),
    _blueprint(
        "minicpm3",
        _size(8, 768, 2048)
        | _attention(12, 12, 96)
        | {
            "attention.value_length": 64,
            "attention.q_lora_rank": 384,
            "attention.kv_lora_rank": 256,
            "rope.dimension_count": 32,
        },
    ),
    _blueprint(
        "hunyuan-moe",
        _size(6, 768, 768) | _attention(12, 4, 64) | _experts(16, 4, 768) | {"expert_shared_feed_forward_length": 768},
    ),
    _blueprint("internlm2", _size(8, 768, 2048) | _attention(12, 4, 64)),
    _blueprint("baichuan", _size(8, 768, 2048) | _attention(12, 12, 64)),
    _blueprint("glm4", _size(8, 1024, 3424) | _attention(8, 2, 128) | {"rope.dimension_count": 64}),
    _blueprint("hunyuan-dense", _size(8, 768, 2048) | _attention(12, 4, 64), tied=True),
    _blueprint(
        "ernie4_5-moe",
        _size(6, 768, 2048)
        | _attention(12, 4, 64)
        | _experts(16, 4, 256)
        | {
            "expert_shared_feed_forward_length": 512,
            "interleave_moe_layer_step": 1,
            "leading_dense_block_count": 1,
        },
        tied=True,
        present=r"exp_probs_b\.bias$",
    ),
    _blueprint(
        "bert",
        _size(6, 512, 2048, 512)
        | {
            "attention.head_count": 8,
            "attention.layer_norm_epsilon": 1e-12,
            "attention.causal": False,
            "pooling_type": 2,
        },
        tied=True,
        present=r"\.bias$",
        absent=r"^cls",
        general={"tokenizer.ggml.token_type_count": 2},
    ),
)

ARCHITECTURES: dict[str, Blueprint] = {blueprint.name: blueprint for blueprint in _ALL}
