"""What a user types into the search, as terms and filters: pure; every text is a query, none is refused."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from models_catalog.families.values import Ability, State

MAX_TEXT = 200
MAX_TERMS = 8
_SEPARATORS = re.compile(r"[^\w.+:<>=\u3400-\u9fff-]+", re.UNICODE)
_PIECES = re.compile(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+")
_SIZE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*(k|m|b|t|万|亿)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "万": 10**4, "m": 10**6, "亿": 10**8, "b": 10**9, "t": 10**12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a model must be like; empty ones let everything pass.

    abilities: all of them. max_parameters: the total, inclusive. licence: a `Commercial` value, or part of a licence's
    id. vendor: part of a maker's name, in Chinese, English or pinyin. unconfirmed: also models no listing has shown.
    """

    abilities: frozenset[Ability] = frozenset()
    max_parameters: int | None = None
    licence: str = ""
    vendor: str = ""
    states: frozenset[State] = frozenset()
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """terms: each must be found, in any order; lower case, without blanks."""

    terms: tuple[str, ...] = ()
    filters: Filters = Filters()


def parse_query(text: str, filters: Filters = Filters()) -> Query:
    """Terms of the text, and `filters` narrowed by what it says as key:value (ability:vision, max:8b, licence:yes,
    vendor:tencent, state:ready; "max" also as "<=8b"). What is not understood as a filter is a term.
    """
    terms: list[str] = []
    for word in _SEPARATORS.split(normalised(_beginning(text))):
        narrowed = _narrowed(filters, word)
        if narrowed is not None:
            filters = narrowed
            continue
        terms += (piece for run in _PIECES.findall(word) if (piece := run.strip(".+:<>=-_")))
    return Query(terms=tuple(terms[:MAX_TERMS]), filters=filters)


def _beginning(text: str) -> str:
    """At most MAX_TEXT characters; a word that the limit would cut is left out, unless it is the only one."""
    if len(text) <= MAX_TEXT or text[MAX_TEXT].isspace():
        return text[:MAX_TEXT]
    cut = text[:MAX_TEXT]
    return cut.rsplit(None, 1)[0] if len(cut.split()) > 1 else cut


def normalised(text: str) -> str:
    """Full-width letters as plain ones, lower case."""
    return unicodedata.normalize("NFKC", text).casefold()


def parse_size(text: str) -> int:
    """A number of parameters: "8b", "0.5B", "500M", "80亿", "7000000000". Raises ValueError."""
    match = _SIZE.fullmatch(normalised(text).strip())
    size = round(float(match[1]) * _FACTORS[(match[2] or "").lower()]) if match else 0
    if size <= 0:
        plain = normalised(text).strip().replace(",", "").replace("_", "")
        size = int(plain) if re.fullmatch(r"[1-9][0-9]{0,15}", plain) else 0
    if size <= 0:
        raise ValueError(text)
    return size


_MAX_KEYS = ("max:", "max-params:", "<=", "<")


def _narrowed(filters: Filters, word: str) -> Filters | None:
    for key in _MAX_KEYS:
        if word.startswith(key):
            try:
                return replace(filters, max_parameters=parse_size(word.removeprefix(key)))
            except ValueError:
                return None
    key, colon, value = word.partition(":")
    if not colon or not value:
        return None
    match key:
        case "ability" if value in set(Ability):
            return replace(filters, abilities=filters.abilities | {Ability(value)})
        case "state" if value in set(State):
            return replace(filters, states=filters.states | {State(value)})
        case "licence" | "license":
            return replace(filters, licence=value)
        case "vendor":
            return replace(filters, vendor=value)
    return None
