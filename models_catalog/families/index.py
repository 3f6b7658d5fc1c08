"""By which words each model of the catalogue can be found."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from models_catalog.families.pinyin import chinese_runs, spellings
from models_catalog.families.query import normalised
from models_catalog.families.values import Ability, Catalogue, Family, Model

# What people call abilities; each is a word by which models are found too.
ABILITY_WORDS: dict[Ability, tuple[str, ...]] = {
    Ability.CHAT: ("对话", "聊天", "chat"),
    Ability.THINKING: ("思考", "推理", "thinking", "reasoning"),
    Ability.TOOLS: ("工具", "tools", "tool"),
    Ability.VISION: ("视觉", "看图", "图片", "vision", "ocr"),
    Ability.CODE: ("代码", "编程", "code", "coder", "coding"),
    Ability.AUDIO: ("语音", "audio", "speech"),
    Ability.TRANSLATION: ("翻译", "translation", "translate"),
    Ability.EMBEDDING: ("向量", "嵌入", "embedding"),
    Ability.RERANK: ("重排", "rerank", "reranker"),
}
# Words of English names and what Chinese users say for them.
_ALSO_CALLED = {"distill": "蒸馏", "instruct": "指令", "embedding": "嵌入"}
_VOWELS = str.maketrans("", "", "aeiou")
_LETTERS_OR_DIGITS = re.compile(r"[a-z]+|\d+(?:\.\d+)*[a-z]?(?![a-z])|\d+")


class Kind(IntEnum):
    """What a key is, the most telling first."""

    NAME = 0  # the whole id or name: "qwen3-8b"
    WORD = 1  # a word of it: "qwen3", "qwen", "8b"
    CHINESE = 2  # a stretch of Chinese of the name
    PINYIN = 3  # spelled, from one of its characters on
    INITIALS = 4
    SKELETON = 5  # a word without its vowels: "dpsk"
    COMPACT = 6  # the name without separators: "qwen38b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """own: of the model itself; else of its family, maker or abilities. models: positions in `SearchIndex.models`.

    letters: see `letters_of`.
    """

    text: str
    letters: int
    kind: Kind
    own: bool
    models: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchIndex:
    """All models, in the order of the catalogue, and the keys that lead to them.

    orders: of the models' families. spelled: Chinese as syllables → models.
    """

    families: tuple[Family, ...]
    models: tuple[Model, ...]
    orders: tuple[int, ...]
    keys: tuple[Key, ...]
    spelled: tuple[tuple[tuple[str, ...], frozenset[int]], ...]


def build_index(catalogue: Catalogue) -> SearchIndex:
    """Takes some milliseconds; to be kept as long as the catalogue is."""
    found: dict[tuple[str, Kind, bool], set[int]] = defaultdict(set)
    spelled: dict[tuple[str, ...], set[int]] = defaultdict(set)
    around: dict[str, set[int]] = defaultdict(set)
    able: dict[Ability, set[int]] = defaultdict(set)
    models: list[Model] = []
    orders: list[int] = []
    for family in catalogue.families:
        first = len(models)
        models += family.models
        orders += [family.order] * len(family.models)
        whole = range(first, len(models))
        for text in (family.id, family.name.en, family.name.zh, family.vendor.zh, family.vendor.en, *family.aliases):
            around[text].update(whole)
        for position, model in zip(whole, family.models, strict=True):
            _add_model(found, spelled, model, position)
            for text in (model.vendor.zh, model.vendor.en):
                around[text].add(position)
            for ability in model.abilities:
                able[ability].add(position)
    for ability, positions in able.items():
        for text in ABILITY_WORDS[ability]:
            around[text].update(positions)
    for text, positions in around.items():
        plain = normalised(text)
        _add_latin(found, plain, positions, own=False)
        _add_chinese(found, spelled, plain, positions, own=False)
    return SearchIndex(
        families=catalogue.families,
        models=tuple(models),
        orders=tuple(orders),
        keys=tuple(
            Key(text=text, letters=letters_of(text), kind=kind, own=own, models=frozenset(positions))
            for (text, kind, own), positions in found.items()
        ),
        spelled=tuple((syllables, frozenset(positions)) for syllables, positions in spelled.items()),
    )


_Found = dict[tuple[str, Kind, bool], set[int]]
_Spelled = dict[tuple[str, ...], set[int]]


def _add_model(found: _Found, spelled: _Spelled, model: Model, position: int) -> None:
    here = (position,)
    latin = {model.id, normalised(model.name.en).replace(" ", "-")}
    for text in latin:
        found[text, Kind.NAME, True].add(position)
        found[compact(text), Kind.COMPACT, True].add(position)
        _add_latin(found, text, here, own=True)
        for word, chinese in _ALSO_CALLED.items():
            if word in text:
                _add_chinese(found, spelled, chinese, here, own=True)
    _add_chinese(found, spelled, normalised(model.name.zh), here, own=True)


def _add_latin(found: _Found, plain: str, models: Iterable[int], *, own: bool) -> None:
    for key, kind in _latin_keys(plain):
        found[key, kind, own].update(models)


def _add_chinese(found: _Found, spelled: _Spelled, plain: str, models: Iterable[int], *, own: bool) -> None:
    for run in chinese_runs(plain):
        keys, syllables = _chinese_keys(run)
        for key, kind in keys:
            found[key, kind, own].update(models)
        for one in syllables:
            spelled[one].update(models)


_Keys = tuple[tuple[str, Kind], ...]


@lru_cache(maxsize=4096)
def _latin_keys(plain: str) -> _Keys:
    keys = []
    for word in _words(plain):
        keys.append((word, Kind.WORD))
        if word.isascii() and word.isalpha() and 3 <= len(bare := word.translate(_VOWELS)) < len(word):
            keys.append((bare, Kind.SKELETON))
    return tuple(keys)


@lru_cache(maxsize=1024)
def _chinese_keys(run: str) -> tuple[_Keys, tuple[tuple[str, ...], ...]]:
    """The keys, and what can be typed of the run: its syllables from each character on."""
    keys = {(run, Kind.CHINESE)}
    rests = {syllables[start:] for syllables in spellings(run) for start in range(len(syllables))}
    for rest in rests:
        keys.add(("".join(rest), Kind.PINYIN))
        if len(rest) > 1:
            keys.add(("".join(one[0] for one in rest), Kind.INITIALS))
    return tuple(keys), tuple(rests)


def _words(plain: str) -> Iterator[str]:
    """ "qwen2.5-7b-instruct" → qwen2.5, 7b, instruct, and qwen, 2.5."""
    for word in re.split(r"[^a-z0-9.α]+", plain):
        if word := word.strip("."):
            yield word
            pieces = _LETTERS_OR_DIGITS.findall(word)
            if len(pieces) > 1:
                yield from pieces


def compact(text: str) -> str:
    """Letters and digits only."""
    return "".join(character for character in text if character.isalnum())


def letters_of(word: str) -> int:
    """Which letters a word has, as bits: a quick look at how unlike two words are."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 63)
    return bits
