"""Plan data keeps everything that a plan depends on, in a few KB, and is read as warily as any file."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_catalog.errors import GgufHeaderBroken, ModelFileRefused, TokenizerRefused
from models_catalog.gguf.encoding import encode_header
from models_catalog.gguf.header import GgufHeader, parse_header, read_header
from models_catalog.gguf.parsing import SCALARS, TensorInfo, Value, ValueType
from models_catalog.gguf.plan_data import (
    FILE_BYTES,
    MAX_PLAN_DATA_BYTES,
    ORIGIN,
    compress,
    decompress,
    model_file_bytes,
    plan_data,
    read_plan_data,
    sparse_size,
    vocabulary_size,
)
from models_catalog.gguf.screen import screen, screen_plan_data
from models_catalog.gguf.tensor_types import TENSOR_TYPES
from tests.models_catalog.gguf.gguf_bytes import GgufPieces, take_apart
from tests.models_catalog.gguf.hostile import cases, sound_models
from tests.tiny_models import TOKENS, write_tiny_hybrid, write_tiny_llama, write_tiny_mamba, write_tiny_qwen2

WRITERS = (write_tiny_llama, write_tiny_qwen2, write_tiny_hybrid, write_tiny_mamba)
HEADS = Path(__file__).resolve().parents[4] / "shared" / "headers"


def _hyperparameters(header: GgufHeader) -> dict[str, object]:
    prefix = f"{header.architecture}."
    return {
        key: list(value) if not isinstance(value, str | int | float) else value
        for key, value in header.values.items()
        if key.startswith(prefix) and key != f"{prefix}vocab_size"
    }


def _assert_same_model(kept: GgufHeader, original: GgufHeader) -> None:
    assert kept.architecture == original.architecture
    assert _hyperparameters(kept) == _hyperparameters(original)
    assert [(t.name, t.shape, t.type, t.size_bytes) for t in kept.tensors.values()] == [
        (t.name, t.shape, t.type, t.size_bytes) for t in original.tensors.values()
    ]
    assert kept.weight_bytes == original.weight_bytes
    assert kept.vocabulary_size == original.vocabulary_size
    assert vocabulary_size(kept) == vocabulary_size(original)
    assert kept.quantization == original.quantization
    assert kept.kv_bytes_per_token == original.kv_bytes_per_token
    assert kept.chat_template is None


@pytest.mark.parametrize("write", WRITERS)
def test_keeps_all_that_planning_needs(write: Callable[[Path], Path], tmp_path: Path) -> None:
    original = screen(read_header(write(tmp_path / "model.gguf")))
    raw = plan_data(original, origin="test")
    assert len(raw) < 10_000
    kept = read_plan_data(raw, "model.gguf")
    _assert_same_model(kept, original)
    assert screen_plan_data(kept) is kept
    assert kept.name == original.name
    assert kept.text(ORIGIN) == "test"
    assert model_file_bytes(kept) == model_file_bytes(original) == original.size_bytes
    assert kept.data_bytes == original.data_bytes
    assert kept.needed_bytes == kept.size_bytes == sparse_size(raw) == len(raw) + original.data_bytes


@pytest.mark.parametrize("file", ["DeepSeek-R1-Distill-Qwen-7B-Q4_K_M.gguf.head", "gemma-3-270m-Q4_K_M.gguf.head"])
def test_real_headers_become_small(file: str) -> None:
    path = HEADS / file
    if not path.is_file():
        pytest.skip(f"the real header {file} lies in ../shared/headers, which is not here")
    content = path.read_bytes()
    original = parse_header(io.BytesIO(content).read, size_bytes=1 << 40, path=file)
    raw = plan_data(original, file_bytes=original.needed_bytes)
    assert len(raw) < 100_000
    assert len(compress(raw)) < 10_000
    kept = read_plan_data(raw, file)
    _assert_same_model(kept, original)
    assert model_file_bytes(kept) == original.needed_bytes
    screen_plan_data(kept)


def test_counts_the_vocabulary(tmp_path: Path) -> None:
    pieces = take_apart(write_tiny_llama(tmp_path / "model.gguf"))
    merges = pieces.value("tokenizer.ggml.merges")
    size = vocabulary_size(read_header(tmp_path / "model.gguf"))
    assert (size.tokens, size.merges) == (len(TOKENS), len(merges))
    assert size.text_bytes == sum(len(token.encode()) for token in TOKENS) + sum(map(len, merges))


def test_is_deterministic_and_plan_data_of_itself(tmp_path: Path) -> None:
    path = write_tiny_qwen2(tmp_path / "model.gguf")
    raw = plan_data(read_header(path), file_bytes=12345, origin="somewhere")
    assert raw == plan_data(read_header(path), file_bytes=12345, origin="somewhere")
    again = read_plan_data(raw, "again.gguf")
    assert again.integer(FILE_BYTES) == 12345
    assert plan_data(again) == raw


def test_all_parts_of_a_split_model_become_one(tmp_path: Path) -> None:
    whole = take_apart(write_tiny_llama(tmp_path / "whole.gguf"))
    for number, weights in enumerate((whole.weights[:5], whole.weights[5:])):
        pairs = whole.pairs if number == 0 else whole.pairs[:1]
        part = replace(whole, pairs=pairs, weights=weights).with_pair("split.no", ValueType.UINT16, number)
        part = part.with_pair("split.count", ValueType.UINT16, 2)
        part = part.with_pair("split.tensors.count", ValueType.INT32, len(whole.weights))
        (tmp_path / f"model-{number + 1:05}-of-00002.gguf").write_bytes(part.encode())
    first = read_header(tmp_path / "model-00001-of-00002.gguf")
    with pytest.raises(GgufHeaderBroken, match="5 of 21 tensors"):
        plan_data(first)
    kept = read_plan_data(plan_data(screen(first), file_bytes=7), "model")
    assert kept.shard_count == 1
    assert not [key for key in kept.values if key.startswith("split.")]
    assert kept.tensors == read_plan_data(plan_data(read_header(tmp_path / "whole.gguf")), "whole").tensors


def test_alignment_of_the_file_is_kept(tmp_path: Path) -> None:
    pieces = take_apart(write_tiny_llama(tmp_path / "model.gguf"))
    header = read_header(tmp_path / "model.gguf")
    assert pieces.weights
    values = MappingProxyType({**header.values, "general.alignment": 4096})
    types = MappingProxyType({**header.value_types, "general.alignment": ValueType.UINT32})
    raw = plan_data(replace(header, values=values, value_types=types))
    assert len(raw) % 4096 == 0
    assert all(tensor.offset_bytes % 4096 == 0 for tensor in read_plan_data(raw, "x").tensors.values())


@pytest.mark.parametrize("architecture", sorted(sound_models()))
def test_sound_models_pass_the_screen_for_plan_data(architecture: str, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(sound_models()[architecture].encode())
    screen_plan_data(read_plan_data(plan_data(screen(read_header(tmp_path / "model.gguf"))), "model.gguf"))


def test_what_the_screen_refuses_it_refuses_in_plan_data_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The last question of all, and one that plan data leaves out: whatever it would refuse is not compared below.
    monkeypatch.setattr("models_catalog.gguf.screen.check_templates", lambda header: None)
    compared = 0
    path = tmp_path / "model.gguf"
    for case in cases(flips=20):
        if "vocab_size" in case.name:
            continue  # the number of tokens that are there takes its place
        content = case.content
        try:
            header = parse_header(io.BytesIO(content).read, size_bytes=len(content), path=str(path))
        except ModelFileRefused:
            continue
        if header.needed_bytes > len(content):
            continue
        original = _refusal(partial(screen, header))
        if original is None or original in ("TokenizerRefused", "GgufHeaderBroken", "NotFirstShard", "ShardMissing"):
            continue
        kept = _refusal(partial(_screen_as_plan_data, header))
        assert kept is not None, case.name
        compared += 1
    assert compared > 50


def _screen_as_plan_data(header: GgufHeader) -> GgufHeader:
    return screen_plan_data(read_plan_data(plan_data(header), "x"))


def _refusal(judge: Callable[[], object]) -> str | None:
    try:
        judge()
    except ModelFileRefused as error:
        return type(error).__name__
    return None


def test_a_real_header_is_no_plan_data(tmp_path: Path) -> None:
    header = read_header(write_tiny_llama(tmp_path / "model.gguf"))
    with pytest.raises(TokenizerRefused):
        screen_plan_data(header)
    with pytest.raises(GgufHeaderBroken):
        read_plan_data((tmp_path / "model.gguf").read_bytes()[: header.data_offset], "x")


def test_more_than_a_header_is_refused(tmp_path: Path) -> None:
    raw = plan_data(read_header(write_tiny_llama(tmp_path / "model.gguf")))
    for wrong in (raw + b"\0", raw[:-33], b"", b"GGUF", bytes(MAX_PLAN_DATA_BYTES + 1)):
        with pytest.raises(ModelFileRefused):
            read_plan_data(wrong, "x")


def test_compressed_form_is_bounded(tmp_path: Path) -> None:
    raw = plan_data(read_header(write_tiny_llama(tmp_path / "model.gguf")))
    assert decompress(compress(raw), "x") == raw
    bomb = zlib.compress(bytes(64 * MAX_PLAN_DATA_BYTES))
    for wrong in (bomb, compress(raw)[:-1], compress(raw) + b"x", b"", b"rubbish"):
        with pytest.raises(GgufHeaderBroken):
            decompress(wrong, "x")


def test_too_many_tensors_are_refused_before_they_are_stored(tmp_path: Path) -> None:
    header = read_header(write_tiny_llama(tmp_path / "model.gguf"))
    some = next(iter(header.tensors.values()))
    many = {name: replace(some, name=name) for name in (f"{index:060}" for index in range(90_000))}
    with pytest.raises(GgufHeaderBroken):
        plan_data(replace(header, tensors=many))


def _scalars(value_type: ValueType) -> st.SearchStrategy[int | float | bool]:
    if value_type is ValueType.BOOL:
        return st.booleans()
    if value_type in (ValueType.FLOAT32, ValueType.FLOAT64):
        return st.floats(width=32 if value_type is ValueType.FLOAT32 else 64, allow_nan=False)
    bits = SCALARS[value_type].size * 8
    signed = SCALARS[value_type].format[-1].islower()
    return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) if signed else st.integers(0, (1 << bits) - 1)


@st.composite
def _typed_values(draw: st.DrawFn) -> tuple[Value, ValueType]:
    value_type = draw(st.sampled_from([t for t in ValueType if t is not ValueType.ARRAY]))
    if value_type is ValueType.STRING:
        return draw(st.text(max_size=40)), value_type
    if draw(st.booleans()):
        return draw(_scalars(value_type)), value_type
    return tuple(draw(st.lists(_scalars(value_type), max_size=8))), value_type


@st.composite
def _tensors(draw: st.DrawFn) -> list[TensorInfo]:
    names = draw(st.lists(st.text("abc.0123_", min_size=1, max_size=20), unique=True, max_size=6))
    tensors, offset = [], 0
    for name in names:
        kind = draw(st.sampled_from(sorted(TENSOR_TYPES.values(), key=lambda t: t.name)))
        shape = (draw(st.integers(1, 9)) * kind.block_elements, *draw(st.lists(st.integers(1, 50), max_size=3)))
        elements = 1
        for length in shape:
            elements *= length
        size = elements // kind.block_elements * kind.block_bytes
        tensors.append(TensorInfo(name=name, shape=shape, type=kind, offset_bytes=offset, size_bytes=size))
        offset += size + -size % 64
    return tensors


@given(
    st.dictionaries(st.text(min_size=1, max_size=20).filter(lambda key: "\0" not in key), _typed_values()), _tensors()
)
@settings(max_examples=200, deadline=None)
def test_what_is_encoded_is_parsed_back(pairs: dict[str, tuple[Value, ValueType]], tensors: list[TensorInfo]) -> None:
    pairs = {**pairs, "general.alignment": (64, ValueType.UINT32)}
    values = {key: value for key, (value, _) in pairs.items()}
    types = {key: value_type for key, (_, value_type) in pairs.items()}
    raw = encode_header(values, types, tensors, alignment=64)
    header = parse_header(io.BytesIO(raw).read, size_bytes=len(raw), path="x")
    assert list(header.tensors.values()) == tensors
    assert header.value_types == types
    found = {
        key: value if isinstance(value, str | int | float) else tuple(value) for key, value in header.values.items()
    }
    assert found == {
        key: value if not isinstance(value, tuple) else tuple(map(_plain, value)) for key, value in values.items()
    }
    assert header.data_offset == len(raw)


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


@given(st.binary(max_size=300), st.integers(0, 2**31))
@settings(max_examples=150, deadline=None)
def test_damage_never_does_worse_than_a_refusal(noise: bytes, place: int) -> None:
    raw = bytearray(SOUND)
    at = place % len(raw)
    raw[at : at + len(noise)] = noise
    try:
        header = read_plan_data(bytes(raw), "x")
        screen_plan_data(header)
        plan_data(header)
    except ModelFileRefused:
        pass


def _sound() -> bytes:
    pieces: GgufPieces = sound_models()["qwen2"]
    content = pieces.encode()
    return plan_data(parse_header(io.BytesIO(content).read, size_bytes=len(content), path="x"))


SOUND = _sound()


def test_a_vocabulary_size_beyond_the_format_is_refused(tmp_path: Path) -> None:
    pieces = take_apart(write_tiny_llama(tmp_path / "model.gguf")).without("tokenizer.ggml.tokens")
    content = pieces.with_pair("llama.vocab_size", ValueType.INT64, -1).encode()
    header = parse_header(io.BytesIO(content).read, size_bytes=len(content), path="x")
    with pytest.raises(GgufHeaderBroken):
        plan_data(header)
