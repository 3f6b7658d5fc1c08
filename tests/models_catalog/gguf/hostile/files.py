"""Files that are broken as a whole: cut, wrongly counted, of another kind, with flipped bits."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import replace

from tests.models_catalog.gguf.gguf_bytes import GgufPieces, Pair
from tests.models_catalog.gguf.hostile.case import BOOL, TEXT, UINT32, UINT64, Case, sound_models


def structures(pieces: GgufPieces) -> Iterator[Case]:
    whole = pieces.encode()
    for length in (
        1,
        3,
        4,
        7,
        8,
        12,
        23,
        24,
        25,
        100,
        1000,
        5000,
        9000,
        len(whole) // 2,
        len(whole) - 1,
        len(whole) - 33,
    ):
        yield Case("truncated", f"{length} bytes", whole[:length])
    yield Case("structure", "twice as long", whole + whole)
    yield Case("structure", "empty", b"")
    for name, content in (
        ("zeros", bytes(100_000)), ("text", b"hello " * 1000), ("html", b"<!DOCTYPE html><html>" * 10), ("json", b"{}"),
        ("zip", b"PK\x03\x04" + bytes(1000)), ("safetensors", (100).to_bytes(8, "little") + b'{"a":1}'.ljust(1000)),
    ):  # fmt: skip
        yield Case("structure", name, content)
    for magic in (b"ggml", b"ggjt", b"lmgg", b"FUGG", b"gguf"):
        yield Case("structure", f"magic {magic!r}", replace(pieces, magic=magic))
    for version in (0, 1, 2, 4, 3 << 24, 0xFFFFFFFF):
        yield Case("structure", f"version {version:#x}", replace(pieces, version=version))
    for count in (0, 1, len(pieces.pairs) + 1, 1 << 20, 1 << 40, (1 << 64) - 1):
        yield Case("structure", f"{count} pairs", replace(pieces, pair_count=count))
        yield Case("structure", f"{count} tensors", replace(pieces, weight_count=count))
    for alignment in (0, 1, 3, 64, 1 << 20, 0x80000000, 0xFFFFFFFF):
        yield Case("structure", f"alignment {alignment}", pieces.with_pair("general.alignment", UINT32, alignment))
    yield Case("structure", "a key twice", replace(pieces, pairs=(*pieces.pairs, pieces.pairs[0])))
    yield Case("structure", "a key without name", pieces.with_pair("", UINT32, 1))
    yield Case("structure", "a long key", pieces.with_pair("k" * 100_000, UINT32, 1))
    yield Case("structure", "a truth of 7", pieces.with_pair("general.odd", BOOL, 7))
    yield from _wild_lengths(pieces)
    many = tuple(Pair(key=b"k%d" % index, type=UINT64, value=index) for index in range(3000))
    yield Case("structure", "3000 keys more", replace(pieces, pairs=(*pieces.pairs, *many)))


def _wild_lengths(pieces: GgufPieces) -> Iterator[Case]:
    """One more pair at the front, whose value claims to be larger than any disk."""
    whole = pieces.encode()
    start, rest = whole[:16], whole[24:]
    for name, outer, inner, length in (
        ("array of arrays", 9, 9, 1 << 40),
        ("array of 2^60 numbers", 9, 4, 1 << 60),
        ("array of 2^60 strings", 9, 8, 1 << 60),
        ("array of 2^63 bytes", 9, 0, 1 << 63),
        ("string of 2^62", 8, 0, 1 << 30),
        ("type 77", 77, 0, 0),
    ):
        count = struct.pack("<Q", len(pieces.pairs) + 1)
        odd = struct.pack("<Q3sIIQ", 3, b"odd", outer, inner, length)
        yield Case("structure", name, start + count + odd + rest)
    yield Case("structure", "key of 2^63", start + struct.pack("<QQ", 1, 1 << 63) + rest)


def kinds(pieces: GgufPieces) -> Iterator[Case]:
    for architecture in (
        b"clip",
        b"bert",
        b"t5",
        b"llada",
        b"eagle3",
        b"wavtokenizer-dec",
        b"gptj",
        b"nonsense",
        b"",
        b"\xff",
        b"llama",
        b"gemma3",
        b"rwkv7",
        b"deepseek2",
        b"qwen3moe",
    ):
        renamed = tuple(
            replace(pair, key=pair.key.replace(b"qwen2.", architecture + b"."))
            for pair in pieces.with_value("general.architecture", architecture).pairs
        )
        yield Case("kind", f"architecture {architecture!r}", replace(pieces, pairs=renamed))
    for kind in (b"adapter", b"imatrix", b"mmproj"):
        yield Case("kind", f"type {kind!r}", pieces.with_pair("general.type", TEXT, kind))
    yield Case("kind", "no architecture", pieces.without("general.architecture"))
    yield Case("kind", "architecture as number", pieces.with_pair("general.architecture", UINT32, 1))
    yield Case("kind", "no weights", replace(pieces, weights=()))
    yield Case("kind", "nothing at all", GgufPieces(pairs=(), weights=()))
    for number, count in ((0, 2), (1, 2), (0, 0), (5, 1), (0, 65535)):
        split = pieces.with_pair("split.no", 2, number).with_pair("split.count", 2, count)
        yield Case("kind", f"part {number} of {count}", split)


def flips(generator: random.Random, count: int) -> Iterator[Case]:
    """Files as a bad disk leaves them: one to three bits wrong, mostly in the header."""
    models = {name: pieces.encode() for name, pieces in sound_models().items()}
    for number in range(count):
        name = generator.choice(sorted(models))
        content = bytearray(models[name])
        data_bytes = sum(len(weight.data) + 31 for weight in sound_models()[name].weights)
        end = len(content) - data_bytes if number % 4 else len(content)
        positions = [generator.randrange(24, max(25, end)) for _ in range(generator.randint(1, 3))]
        for position in positions:
            content[position] ^= 1 << generator.randrange(8)
        yield Case("flipped bits", f"{name} at {positions}", bytes(content))
