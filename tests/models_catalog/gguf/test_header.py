"""Headers are read as the gguf package reads them, lazily, and nothing in a file can hurt the reader."""

from __future__ import annotations

import contextlib
import io
import os
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gguf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_catalog.errors import (
    GgufBigEndian,
    GgufHeaderBroken,
    GgufVersionUnsupported,
    LegacyGgml,
    ModelFileEmpty,
    ModelFileMissing,
    ModelFileRefused,
    ModelFileTruncated,
    NotGguf,
    NotRegularFile,
)
from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.header import GgufHeader, parse_header, read_header
from tests.models_catalog.gguf.gguf_bytes import GgufPieces, Pair
from tests.models_catalog.gguf.hostile import sound_models
from tests.tiny_models import CHATML, TOKENS, write_tiny_hybrid, write_tiny_llama, write_tiny_qwen2

HEADER_ONLY = GgufPieces(pairs=(), weights=())


def _parse(content: bytes, *, piece_bytes: int = 1 << 30) -> GgufHeader:
    file = io.BytesIO(content)
    return parse_header(lambda count: file.read(min(count, piece_bytes)), size_bytes=len(content), path="model.gguf")


@pytest.mark.parametrize("write", [write_tiny_llama, write_tiny_qwen2, write_tiny_hybrid])
def test_reads_what_the_gguf_package_reads(write: Callable[[Path], Path], tmp_path: Path) -> None:
    path = write(tmp_path / "model.gguf")
    header, reference = read_header(path), gguf.GGUFReader(path)
    assert header.version == 3
    assert header.needed_bytes <= header.size_bytes == path.stat().st_size
    expected = {name: field.contents() for name, field in reference.fields.items() if not name.startswith("GGUF.")}
    found = {
        key: list(value) if not isinstance(value, str | int | float) else value for key, value in header.values.items()
    }
    assert found == expected
    for tensor in reference.tensors:
        mine = header.tensors[tensor.name]
        assert mine.shape == tuple(tensor.shape)
        assert mine.type.name == tensor.tensor_type.name
        assert header.data_offset + mine.offset_bytes == tensor.data_offset
        assert (mine.size_bytes, mine.elements) == (tensor.n_bytes, tensor.n_elements)


def test_says_what_the_model_is(tmp_path: Path) -> None:
    header = read_header(write_tiny_llama(tmp_path / "model.gguf", weights="q8_0", context=1024))
    assert (header.architecture, header.name, header.quantization) == ("llama", "Tiny llama 0", "Q8_0")
    assert (header.layers, header.heads, header.kv_heads, header.embedding_length) == (2, 4, 2, 64)
    assert (header.trained_context_tokens, header.vocabulary_size) == (1024, len(TOKENS))
    assert header.kv_bytes_per_token == 2 * 2 * (16 + 16) * 2
    assert header.chat_template == CHATML
    assert header.chat_templates == {"default": CHATML}
    assert header.parameters == sum(tensor.elements for tensor in header.tensors.values()) > 100_000
    assert header.weight_bytes < header.size_bytes
    assert header.licence is None
    assert header.shard_count == 1


def test_memory_of_recurrent_models_is_not_guessed(tmp_path: Path) -> None:
    assert read_header(write_tiny_hybrid(tmp_path / "model.gguf")).kv_bytes_per_token is None


def test_quantization_without_a_file_type_is_the_dominant_one(tmp_path: Path) -> None:
    pieces = sound_models()["qwen2"]
    path = tmp_path / "model.gguf"
    path.write_bytes(pieces.without("general.file_type", "general.name").encode())
    header = read_header(path)
    assert header.quantization == "F32"
    assert header.name == "model"


def test_strings_are_decoded_on_demand() -> None:
    strings = ("", "a", "你好", "x" * 1000)
    pair = Pair(key=b"words", type=8, value=tuple(word.encode() for word in strings), is_array=True)
    content = replace(HEADER_ONLY, pairs=(pair,)).encode()
    # However the bytes arrive.
    for piece_bytes in (1, 7, 1 << 20):
        words = _parse(content, piece_bytes=piece_bytes).values["words"]
        assert isinstance(words, StringArray)
        assert tuple(words) == strings
        assert (words[2], words[-1], words[1:3], len(words)) == ("你好", strings[3], ("a", "你好"), 4)
        assert list(words.all_raw()) == [word.encode() for word in strings]
        with pytest.raises(IndexError):
            words.raw(4)


def test_what_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing):
        read_header(tmp_path / "nothing")
    with pytest.raises(ModelFileMissing):
        read_header(tmp_path / "nothing" / "deeper")
    with pytest.raises(ModelFileRefused):
        read_header(tmp_path / ("x" * 5000))
    with pytest.raises(NotRegularFile) as folder:
        read_header(tmp_path)
    assert folder.value.kind == "folder"
    (tmp_path / "empty").touch()
    with pytest.raises(ModelFileEmpty):
        read_header(tmp_path / "empty")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_what_would_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    monkeypatch.chdir(tmp_path)  # socket paths are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for name, kind in (("pipe", "pipe"), ("socket", "socket")):
            with pytest.raises(NotRegularFile) as refused:
                read_header(tmp_path / name)
            assert refused.value.kind == kind
    with pytest.raises(NotRegularFile) as device:
        read_header(Path("/dev/zero"))
    assert device.value.kind == "device"
    with pytest.raises(ModelFileRefused):
        read_header(tmp_path / "circle")


@pytest.mark.parametrize(
    ("content", "looks_like"),
    [
        (b"<!DOCTYPE html>", "html"),
        (b"PK\x03\x04aaaa", "zip"),
        (b'{"error": 1}', "json"),
        (struct.pack("<Q", 800) + b"{}", "safetensors"),
        (b"abc", ""),
        (b"GGU", ""),
    ],
)
def test_other_kinds_of_files(content: bytes, looks_like: str) -> None:
    with pytest.raises(NotGguf) as refused:
        _parse(content)
    assert refused.value.looks_like == looks_like


def test_versions_and_byte_order() -> None:
    for version in (2, 3):
        assert _parse(replace(HEADER_ONLY, version=version).encode()).version == version
    for version in (0, 1, 4):
        with pytest.raises(GgufVersionUnsupported):
            _parse(replace(HEADER_ONLY, version=version).encode())
    with pytest.raises(GgufBigEndian):
        _parse(replace(HEADER_ONLY, version=3 << 24).encode())
    for magic in (b"ggml", b"ggjt", b"lmgg"):
        with pytest.raises(LegacyGgml):
            _parse(replace(HEADER_ONLY, magic=magic).encode())


def test_truncated_files_say_how_much_is_missing(tmp_path: Path) -> None:
    whole = sound_models()["llama"].encode()
    path = tmp_path / "model.gguf"
    for length in (len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileTruncated) as refused:
            read_header(path)
        assert refused.value.size_bytes == length
        assert length < refused.value.needed_bytes <= len(whole)
        # A prefix is enough for whoever wants the header alone.
        with path.open("rb") as file:
            assert parse_header(file.read, size_bytes=len(whole), path="").architecture == "llama"


def test_lengths_are_checked_before_anything_is_allocated() -> None:
    """Each of these claims more than a terabyte."""
    pieces = sound_models()["llama"]
    key = struct.pack("<Q3s", 3, b"odd")
    start = pieces.encode()[:16] + struct.pack("<Q", 1)
    claims = [
        struct.pack("<Q", 1 << 62),
        *(key + struct.pack("<IIQ", 9, element_type, 1 << 60) for element_type in (0, 4, 8, 9, 12)),
        key + struct.pack("<IQ", 8, 1 << 60),
        key + struct.pack("<IIQQQ", 9, 8, 2, (1 << 64) - 1, 1),
        key + struct.pack("<I", 13),
    ]
    for claim in claims:
        with pytest.raises(GgufHeaderBroken):
            _parse(start + claim + bytes(1000))
    for counted in (
        replace(pieces, pair_count=1 << 40),
        replace(pieces, weight_count=1 << 40),
        replace(pieces, pair_count=len(pieces.pairs) + 1),
    ):
        with pytest.raises(GgufHeaderBroken):
            _parse(counted.encode())


def test_tensors_lie_where_they_belong() -> None:
    pieces = sound_models()["llama"]
    name = "blk.0.attn_q.weight"
    for fields in (
        {"offset": 1},
        {"offset": 64},
        {"offset": 1 << 62},
        {"shape": ()},
        {"shape": (0, 64)},
        {"shape": (1 << 40, 1 << 40)},
        {"shape": (64, 64, 1, 1, 1)},
        {"type": 4},
        {"type": 12},
        {"type": 1000},
        {"name": b"x" * 64},
        {"name": b"output.weight"},
    ):
        with pytest.raises(GgufHeaderBroken):
            _parse(pieces.with_weight(name, **fields).encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"GGUF", b"GGUF\x03\0\0\0"]))
def test_random_bytes_do_no_harm(tail: bytes, start: bytes) -> None:
    with contextlib.suppress(ModelFileRefused):
        _parse(start + tail)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 8))
def test_damaged_headers_are_read_or_refused(seed: int, flips: int) -> None:
    generator = random.Random(seed)
    content = bytearray(sound_models()[generator.choice(["llama", "qwen2", "mamba"])].encode())
    for _ in range(flips):
        content[generator.randrange(6000)] ^= 1 << generator.randrange(8)
    try:
        header = _parse(bytes(content))
    except ModelFileRefused:
        return
    for value in (header.quantization, header.name, header.kv_bytes_per_token, header.chat_templates, header.heads):
        assert value is None or repr(value)
