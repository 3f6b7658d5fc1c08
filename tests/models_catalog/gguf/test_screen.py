"""The screen lets sound models pass and stops each class of files that ends, hangs or bloats llama.cpp's process.

That those files do so was found out by loading them with plain llama-cpp-python; the comments name the assertion.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models_catalog.errors import (
    ArchitectureUnknown,
    GgufHeaderBroken,
    HyperparameterRefused,
    ModelFileRefused,
    NotChatModel,
    NotFirstShard,
    ShardMissing,
    TemplateRefused,
    TensorRefused,
    TokenizerRefused,
)
from models_catalog.gguf.header import read_header
from models_catalog.gguf.screen import screen
from tests.models_catalog.gguf.gguf_bytes import GgufPieces
from tests.models_catalog.gguf.hostile import cases, sound_models
from tests.models_catalog.gguf.hostile.vocabularies import sentence_piece
from tests.tiny_models import TOKENS, Weights, write_tiny_llama

UINT16, UINT32, INT32, FLOAT32, BOOL, TEXT = 2, 4, 5, 6, 7, 8


@pytest.fixture
def screened(tmp_path: Path) -> Callable[[GgufPieces], None]:
    """Writes the pieces and screens the file."""

    def write_and_screen(pieces: GgufPieces) -> None:
        path = tmp_path / "model.gguf"
        path.write_bytes(pieces.encode())
        screen(read_header(path))

    return write_and_screen


Screened = Callable[[GgufPieces], None]


@pytest.mark.parametrize("architecture", sorted(sound_models()))
def test_sound_models_pass(architecture: str, screened: Screened) -> None:
    screened(sound_models()[architecture])


@pytest.mark.parametrize("weights", ["f32", "f16", "q8_0"])
def test_sound_quantizations_pass(weights: Weights, tmp_path: Path) -> None:
    screen(read_header(write_tiny_llama(tmp_path / "model.gguf", weights=weights, template=None)))


@pytest.mark.parametrize(
    ("architecture", "key", "value"),
    [
        ("qwen2", "block_count", 0),  # GGML_ASSERT(hparams.n_layer_all > 0 …)
        ("qwen2", "block_count", 513),
        ("qwen2", "context_length", 0),
        ("qwen2", "attention.head_count_kv", 3),
        ("qwen2", "attention.head_count", 4097),
        ("qwen2", "rope.dimension_count", 0),  # GGML_ASSERT(n_embd_head == n_rot)
        ("qwen2", "rope.dimension_count", 15),
        ("qwen2", "rope.dimension_count", 8),
        ("qwen2", "attention.layer_norm_rms_epsilon", math.nan),
        ("qwen2", "attention.layer_norm_rms_epsilon", -1.0),  # GGML_ASSERT(eps >= 0.0f)
        ("qwen2", "rope.freq_base", 0.0),
        ("qwen35", "rope.dimension_count", 0),  # hangs
        ("qwen35", "rope.dimension_sections", (0, 0, 0, 0)),
        ("qwen35", "full_attention_interval", 0),  # division by zero
        ("qwen35", "ssm.inner_size", 256),  # GGML_ASSERT(a->ne[d] == b->ne[d])
        ("qwen35", "ssm.group_count", 3),
        ("qwen35", "attention.value_length", 16),  # GGML_ASSERT(n_embd_head == hparams.n_embd_head_k())
        ("mamba", "ssm.conv_kernel", 0),
        ("mamba", "ssm.state_size", 1 << 30),
    ],
)
def test_numbers_that_end_the_process(architecture: str, key: str, value: Any, screened: Screened) -> None:
    with pytest.raises(HyperparameterRefused) as refused:
        screened(sound_models()[architecture].with_value(f"{architecture}.{key}", value))
    assert refused.value.key.startswith(f"{architecture}.")


@pytest.mark.parametrize(
    ("key", "value_type", "value"),
    [
        ("attention.key_length", UINT32, 0),
        ("expert_used_count", UINT32, 1),  # GGML_ASSERT(n_expert_used_max <= hparams.n_expert)
        ("expert_count", UINT32, 8),  # GGML_ASSERT(n_expert_used_max > 0)
        ("expert_count", UINT32, 1025),
        ("expert_group_count", UINT32, 2),  # GGML_ASSERT(hparams.n_expert_groups == 0)
        ("nextn_predict_layers", UINT32, 2),
        ("n_deepstack_layers", UINT32, 1 << 31),
        ("rope.scaling.type", TEXT, b"llama3"),  # GGML_ASSERT(… != LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED)
        ("rope.scaling.factor", FLOAT32, math.inf),
    ],
)
def test_added_numbers_that_end_the_process(key: str, value_type: int, value: Any, screened: Screened) -> None:
    with pytest.raises(HyperparameterRefused):
        screened(sound_models()["qwen2"].with_pair(f"qwen2.{key}", value_type, value))


def test_numbers_may_be_given_for_each_layer(screened: Screened) -> None:
    pieces = sound_models()["qwen2"]
    screened(pieces.with_pair("qwen2.attention.head_count_kv", UINT32, (2, 0), is_array=True))
    with pytest.raises(HyperparameterRefused):
        screened(pieces.with_pair("qwen2.attention.head_count_kv", UINT32, (2, 2, 2), is_array=True))
    with pytest.raises(HyperparameterRefused):
        screened(pieces.with_pair("qwen2.attention.head_count_kv", UINT32, (2, 3), is_array=True))


@pytest.mark.parametrize("key", ["block_count", "context_length", "embedding_length"])
def test_missing_numbers(key: str, screened: Screened) -> None:
    with pytest.raises(HyperparameterRefused):
        screened(sound_models()["qwen2"].without(f"qwen2.{key}"))


def _with_tokens(*changes: tuple[int, bytes]) -> GgufPieces:
    pieces = sound_models()["qwen2"]
    tokens = list(pieces.value("tokenizer.ggml.tokens"))
    for index, token in changes:
        tokens[index] = token
    return pieces.with_value("tokenizer.ggml.tokens", tuple(tokens))


@pytest.mark.parametrize(
    "changes",
    [
        ((70, b"a"),),  # GGML_ASSERT(id_to_token.size() == token_to_id.size())
        ((70, b"a\0b"),),  # the same: llama.cpp sees "a"
        ((70, b""), (71, b"[EMPTY_70]")),
        ((70, b"\xff"),),
        ((70, b"\xe4\xbd"),),
        ((70, b"x" * 5000),),
    ],
)
def test_tokens_that_end_the_process(changes: tuple[tuple[int, bytes], ...], screened: Screened) -> None:
    with pytest.raises(TokenizerRefused):
        screened(_with_tokens(*changes))


def test_an_empty_token_is_harmless(screened: Screened) -> None:
    screened(_with_tokens((70, b"")))


@pytest.mark.parametrize(
    ("key", "value_type", "value", "is_array"),
    [
        ("model", TEXT, b"none", False),
        ("model", TEXT, b"t5", False),
        ("pre", TEXT, b"nonsense", False),
        ("tokens", UINT32, (1, 2), True),
        ("tokens", TEXT, (), True),
        ("token_type", INT32, (1,) * 5, True),
        ("token_type", FLOAT32, (1.0,) * len(TOKENS), True),
        ("token_type", INT32, (6,) * len(TOKENS), True),  # GGML_ABORT in token_to_byte
        ("token_type", INT32, (-1,) * len(TOKENS), True),
        ("scores", FLOAT32, (math.nan,) * len(TOKENS), True),
        ("scores", FLOAT32, (0.0,), True),
        ("merges", TEXT, (b"ab",), True),
        ("merges", UINT32, (1,), True),
        ("bos_token_id", UINT32, len(TOKENS), False),
        ("eos_token_id", UINT32, 0xFFFFFFFF, False),
    ],
)
def test_vocabularies_that_end_the_process(
    key: str, value_type: int, value: Any, is_array: bool, screened: Screened
) -> None:
    with pytest.raises(TokenizerRefused):
        screened(sound_models()["qwen2"].with_pair(f"tokenizer.ggml.{key}", value_type, value, is_array=is_array))


def test_a_vocabulary_that_cannot_spell_every_byte(screened: Screened) -> None:
    """SentencePiece vocabularies: std::out_of_range from byte_to_token while a prompt is read."""
    made = {case.name: case.made_of for case in sentence_piece(sound_models()["llama"])}
    for name, pieces in made.items():
        assert isinstance(pieces, GgufPieces)
        if name in ("sound", "endless scores", "all unknown"):
            screened(pieces)
        else:
            with pytest.raises(TokenizerRefused):
                screened(pieces)


@pytest.mark.parametrize(
    ("architecture", "name", "tensor_type"),
    [
        ("qwen2", "blk.0.attn_norm.weight", 1),
        ("qwen2", "blk.0.attn_q.bias", 30),
        ("qwen2", "output.weight", 26),
        ("qwen2", "output.weight", 28),
        ("qwen2", "token_embd.weight", 9),
        ("qwen35", "blk.0.ssm_a", 1),
        ("qwen35", "blk.0.ssm_conv1d.weight", 1),
    ],
)
def test_weight_types_that_end_the_process(architecture: str, name: str, tensor_type: int, screened: Screened) -> None:
    pieces = sound_models()[architecture]
    size = {1: 2, 30: 2, 26: 4, 28: 8, 9: 36 / 32}[tensor_type]
    data = bytes(int(math.prod(pieces.weight(name).shape) * size))
    with pytest.raises(TensorRefused) as refused:
        screened(pieces.with_weight(name, type=tensor_type, data=data))
    assert refused.value.tensor == name


def test_weights_fit_the_model(screened: Screened) -> None:
    pieces = sound_models()["qwen2"]
    without = tuple(weight for weight in pieces.weights if weight.name != b"token_embd.weight")
    for changed in (
        pieces.with_weight("token_embd.weight", shape=(len(TOKENS), 64)),
        pieces.with_weight("blk.1.attn_norm.weight", name=b"blk.2.attn_norm.weight"),
        replace(pieces, weights=without),
    ):
        with pytest.raises(TensorRefused):
            screened(changed)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda pieces: pieces.with_pair("general.type", TEXT, b"adapter"), "adapter"),
        (lambda pieces: pieces.with_pair("general.type", TEXT, b"imatrix"), "imatrix"),
        (lambda pieces: pieces.with_value("general.architecture", b"clip"), "projector"),
        (lambda pieces: pieces.with_value("general.architecture", b"bert"), "encoder"),
        (lambda pieces: pieces.with_value("general.architecture", b"t5"), "seq2seq"),
        (lambda pieces: pieces.with_value("general.architecture", b"llada"), "diffusion"),
        (lambda pieces: pieces.with_value("general.architecture", b"eagle3"), "draft"),
        (lambda pieces: pieces.with_pair("qwen2.pooling_type", UINT32, 3), "encoder"),
        (lambda pieces: pieces.with_pair("qwen2.attention.causal", BOOL, 0), "encoder"),
        (lambda pieces: replace(pieces, weights=()), "vocabulary"),
    ],
)
def test_files_one_cannot_chat_with(change: Callable[[GgufPieces], GgufPieces], kind: str, screened: Screened) -> None:
    with pytest.raises(NotChatModel) as refused:
        screened(change(sound_models()["qwen2"]))
    assert refused.value.kind == kind


def test_unknown_architectures(screened: Screened) -> None:
    for architecture in (b"gptj", b"tomorrow", b""):
        with pytest.raises(ArchitectureUnknown) as refused:
            screened(sound_models()["qwen2"].with_value("general.architecture", architecture))
        assert refused.value.architecture == architecture.decode()
    with pytest.raises(ArchitectureUnknown):
        screened(sound_models()["qwen2"].without("general.architecture"))


def test_templates(screened: Screened) -> None:
    pieces = sound_models()["qwen2"]
    screened(pieces.without("tokenizer.chat_template"))
    screened(pieces.with_pair("tokenizer.chat_template.tool_use", TEXT, b"{{ messages }}"))
    for template in (b"{% if %}", b"x" * (256 * 1024 + 1)):
        with pytest.raises(TemplateRefused):
            screened(pieces.with_value("tokenizer.chat_template", template))
        with pytest.raises(TemplateRefused):
            screened(pieces.with_pair("tokenizer.chat_template.rag", TEXT, template))
    with pytest.raises(TemplateRefused):
        screened(pieces.with_pair("tokenizer.chat_template", UINT32, 7))


def _write_split(folder: Path, *, drop: int | None = None) -> Path:
    pieces = sound_models()["qwen2"]
    half = len(pieces.weights) // 2
    for number, weights in enumerate((pieces.weights[:half], pieces.weights[half:])):
        pairs = pieces if number == 0 else GgufPieces(pairs=(), weights=())
        shard = replace(pairs, weights=weights).with_pair("split.no", UINT16, number)
        if number != drop:
            path = folder / f"model-{number + 1:05}-of-00002.gguf"
            path.write_bytes(shard.with_pair("split.count", UINT16, 2).encode())
    return folder / "model-00001-of-00002.gguf"


def test_models_in_several_files(tmp_path: Path) -> None:
    first = _write_split(tmp_path)
    header = read_header(first)
    assert header.shard_count == 2
    whole = screen(header)
    assert whole.weight_bytes > header.weight_bytes
    assert len(whole.tensors) == len(sound_models()["qwen2"].weights)
    with pytest.raises(NotFirstShard) as second:
        screen(read_header(tmp_path / "model-00002-of-00002.gguf"))
    assert (second.value.number, second.value.count) == (2, 2)
    renamed = first.rename(tmp_path / "other.gguf")
    with pytest.raises(GgufHeaderBroken):
        screen(read_header(renamed))


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShardMissing) as refused:
        screen(read_header(_write_split(tmp_path, drop=1)))
    assert refused.value.missing == "model-00002-of-00002.gguf"


def test_hostile_files_are_judged_without_harm(tmp_path: Path) -> None:
    """One in nine of all; `hostile_run` tries every one in an engine."""
    path = tmp_path / "model.gguf"
    refused = 0
    some = [case for number, case in enumerate(cases(seed=1)) if number % 9 == 0]
    for case in some:
        path.write_bytes(case.content)
        try:
            screen(read_header(path))
        except ModelFileRefused:
            refused += 1
    assert len(some) * 0.5 < refused < len(some) * 0.9


def _renamed(pieces: GgufPieces, architecture: str) -> GgufPieces:
    """The same numbers and weights under another architecture's name."""
    old = pieces.value("general.architecture")
    pairs = tuple(
        replace(pair, key=pair.key.replace(old + b".", architecture.encode() + b".")) for pair in pieces.pairs
    )
    return replace(pieces, pairs=pairs).with_value("general.architecture", architecture.encode())


def test_attention_weights_have_the_width_of_their_heads(screened: Screened) -> None:
    """GGML_ASSERT(ggml_nelements(a) == ne0*ne1*ne2) in ggml_reshape_3d, where shapes are taken from the width alone."""
    pieces = _renamed(sound_models()["llama"], "command-r").with_value("command-r.rope.dimension_count", 8)
    screened(pieces)
    with pytest.raises(TensorRefused) as refused:
        screened(pieces.with_value("command-r.attention.head_count", 8))
    assert refused.value.tensor == "blk.0.attn_k.weight"
    longer = pieces.with_pair("command-r.attention.key_length", UINT32, 24)
    with pytest.raises(TensorRefused):
        screened(longer.with_pair("command-r.attention.value_length", UINT32, 24))


def test_latent_attention(screened: Screened) -> None:
    numbers = {
        "attention.head_count_kv": 1,
        "attention.kv_lora_rank": 32,
        "attention.key_length": 48,
        "attention.value_length": 32,
        "attention.key_length_mla": 32,
        "attention.value_length_mla": 16,
        "rope.dimension_count": 16,
    }
    pieces = _renamed(sound_models()["llama"], "deepseek2")
    for key, value in numbers.items():
        pieces = pieces.with_pair(f"deepseek2.{key}", UINT32, value)
    screened(pieces)
    for key, value in (
        ("attention.head_count_kv", 2),
        ("attention.key_length", 49),
        ("attention.key_length_mla", 16),
        ("rope.dimension_count", 32),
    ):
        with pytest.raises(HyperparameterRefused):
            screened(pieces.with_value(f"deepseek2.{key}", value))


def test_hybrids_have_both_kinds_of_layers(screened: Screened) -> None:
    """GGML_ASSERT(buffer): without recurrent layers there is no recurrent state to clear."""
    pieces = _renamed(sound_models()["qwen2"], "lfm2")
    with pytest.raises(HyperparameterRefused):
        screened(pieces)
    screened(pieces.with_pair("lfm2.attention.head_count_kv", UINT32, (2, 0), is_array=True))


@pytest.mark.parametrize("architecture", ["qwen3moe", "ernie4_5-moe", "minimax-m2"])
def test_mixtures_need_their_numbers(architecture: str, screened: Screened) -> None:
    with pytest.raises(HyperparameterRefused):
        screened(_renamed(sound_models()["qwen2"], architecture))
