"""Files with faulty vocabularies."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tests.models_catalog.gguf.gguf_bytes import GgufPieces
from tests.models_catalog.gguf.hostile.case import FLOAT32, INT32, TEXT, UINT32, Case

_TOKENIZER = "tokenizer.ggml."


def tokenizers(pieces: GgufPieces) -> Iterator[Case]:
    def case(name: str, changed: GgufPieces) -> Case:
        return Case("tokenizer", name, changed)

    tokens: tuple[bytes, ...] = pieces.value(f"{_TOKENIZER}tokens")
    count = len(tokens)

    def with_tokens(name: str, changed: tuple[bytes, ...]) -> Case:
        return case(name, pieces.with_value(f"{_TOKENIZER}tokens", changed))

    yield with_tokens("a token twice", (*tokens[:-1], tokens[0]))
    yield with_tokens("all tokens alike", (b"a",) * count)
    yield with_tokens("an empty token", (*tokens[:-1], b""))
    yield with_tokens("empty tokens", (b"",) * count)
    yield with_tokens("an empty token and its name", (b"", *tokens[1:-1], b"[EMPTY_0]"))
    yield with_tokens("a token of a megabyte", (*tokens[:-1], b"x" * (1 << 20)))
    yield with_tokens("a token that is no UTF-8", (b"\xff\xfe\x80", *tokens[1:]))
    yield with_tokens("a cut character", ("你".encode()[:2], *tokens[1:]))
    yield with_tokens("a surrogate", (b"\xed\xa0\x80", *tokens[1:]))
    yield with_tokens("a zero byte", (b"a\0b", *tokens[1:]))
    yield with_tokens("one bit flipped", (*tokens[:65], bytes((tokens[65][0] ^ 1,)), *tokens[66:]))
    yield with_tokens(
        "tokens outside the byte alphabet",
        (*tokens[:100], *(f"字{index}".encode() for index in range(count - 100))),
    )
    yield with_tokens("too few", tokens[: count // 2])
    yield with_tokens("none", ())
    yield with_tokens("too many", (*tokens, *(b"more%d" % index for index in range(1000))))
    for model in (b"llama", b"bert", b"t5", b"rwkv", b"none", b"no_vocab", b"plamo2", b"gemma4", b"test", b"", b"\xff"):
        yield case(f"model {model!r}", pieces.with_value(f"{_TOKENIZER}model", model))
    nothing = pieces.with_value(f"{_TOKENIZER}model", b"none").without(f"{_TOKENIZER}tokens")
    yield case("no vocabulary of 4 billion", nothing.with_pair("qwen2.vocab_size", UINT32, 0xFFFFFFFF))
    for pre in (b"default", b"llama-bpe", b"deepseek-v3", b"kimi-k2", b"gpt-4o", b"nonsense", b"whitespace"):
        yield case(f"pre {pre!r}", pieces.with_value(f"{_TOKENIZER}pre", pre))
    types: tuple[int, ...] = pieces.value(f"{_TOKENIZER}token_type")
    for odd in (0, 2, 5, 6, 7, -1, 1 << 30):
        yield case(f"all of type {odd}", pieces.with_value(f"{_TOKENIZER}token_type", (odd,) * count))
        yield case(f"one of type {odd}", pieces.with_value(f"{_TOKENIZER}token_type", (*types[:-1], odd)))
    yield case("types too short", pieces.with_value(f"{_TOKENIZER}token_type", types[:5]))
    yield case("types of another type", pieces.with_pair(f"{_TOKENIZER}token_type", FLOAT32, types, is_array=True))
    for scores in ((math.nan,) * count, (math.inf,) * count, (0.0,), ()):
        yield case(f"scores {scores[:1]}", pieces.with_pair(f"{_TOKENIZER}scores", FLOAT32, scores, is_array=True))
    for name in ("bos", "eos", "padding", "unknown", "eot", "fim_pre", "seperator"):
        for value in (count, 0xFFFFFFFF, 0):
            yield case(f"{name} = {value}", pieces.with_pair(f"{_TOKENIZER}{name}_token_id", UINT32, value))
    merges: tuple[bytes, ...] = pieces.value(f"{_TOKENIZER}merges")
    for name, changed in (
        ("empty", ()), ("of nothing", (b"",) * 10), ("without a space", (b"ab",) * 10), ("of spaces", (b"   ",) * 10),
        ("not UTF-8", (b"\xff \xfe",) * 3), ("cyclic", (b"a a", b"aa a", b"a aa")), ("twice", merges * 2),
        ("of a megabyte", (b"a " + b"b" * (1 << 20),)), ("of unknown tokens", (b"q z", b"qz j")),
    ):  # fmt: skip
        yield case(f"merges {name}", pieces.with_value(f"{_TOKENIZER}merges", changed))
    yield case("no merges", pieces.without(f"{_TOKENIZER}merges"))
    yield case("merges as numbers", pieces.with_pair(f"{_TOKENIZER}merges", UINT32, (1, 2), is_array=True))
    yield case("tokens as numbers", pieces.with_pair(f"{_TOKENIZER}tokens", UINT32, (1,) * count, is_array=True))
    yield case("suppress", pieces.with_pair(f"{_TOKENIZER}suppress_tokens", INT32, (-1, 5, 1 << 30), is_array=True))
    yield case("add_bos as text", pieces.with_pair(f"{_TOKENIZER}add_bos_token", TEXT, b"yes"))
    yield case("name phi-3", pieces.with_value("general.name", b"phi-3 mini"))


def sentence_piece(pieces: GgufPieces) -> Iterator[Case]:
    """The same model with a vocabulary of SentencePiece's kind, then with that vocabulary spoilt."""
    count = len(pieces.value(f"{_TOKENIZER}tokens"))
    plain = (b"<unk>", b"<s>", b"</s>", *(b"<0x%02X>" % byte for byte in range(256)))
    tokens = (*plain, *(chr(0x4E00 + index).encode() for index in range(count - len(plain))))
    types = (2, 3, 3, *(6,) * 256, *(1,) * (count - len(plain)))
    scores = tuple(-float(index) for index in range(count))
    base = pieces.without(*(f"{_TOKENIZER}{name}" for name in ("merges", "pre", "bos_token_id", "eos_token_id")))
    base = base.with_value(f"{_TOKENIZER}model", b"llama").with_value(f"{_TOKENIZER}tokens", tokens)
    base = base.with_value(f"{_TOKENIZER}token_type", types)
    base = base.with_pair(f"{_TOKENIZER}scores", FLOAT32, scores, is_array=True)
    yield Case("sentence piece", "sound", base)
    yield Case(
        "sentence piece",
        "scores that are no numbers",
        base.with_value(f"{_TOKENIZER}scores", (math.nan,) * count),
    )
    yield Case("sentence piece", "endless scores", base.with_value(f"{_TOKENIZER}scores", (math.inf,) * count))
    for name, changed in (
        ("without bytes", tuple(token.replace(b"0x", b"0y") for token in tokens)),
        ("a byte less", (*tokens[:13], b"zz", *tokens[14:])),
        ("bytes in lower case", tuple(token.lower() for token in tokens)),
        ("short byte token", (*tokens[:40], b"<", *tokens[41:])),
    ):
        yield Case("sentence piece", name, base.with_value(f"{_TOKENIZER}tokens", changed))
    yield Case("sentence piece", "all bytes", base.with_value(f"{_TOKENIZER}token_type", (6,) * count))
    yield Case("sentence piece", "all unknown", base.with_value(f"{_TOKENIZER}token_type", (2,) * count))
