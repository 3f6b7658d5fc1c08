"""Search in the catalogue: Chinese, English, pinyin and its initials, with typing errors; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from models_catalog.families.index import Key, Kind, SearchIndex, compact, letters_of
from models_catalog.families.pinyin import chinese_runs, is_short_for, spellings
from models_catalog.families.query import Filters, Query, normalised, parse_query
from models_catalog.families.typos import allowed_typos, distance
from models_catalog.families.values import Model, State

# How telling a match is: kind of key → points if the term is the whole key, begins it, or stands in it (0: no match).
_POINTS = {
    Kind.NAME: (120, 100, 60),
    Kind.WORD: (100, 85, 0),
    Kind.CHINESE: (100, 95, 90),
    Kind.PINYIN: (90, 80, 0),
    Kind.INITIALS: (75, 65, 0),
    Kind.SKELETON: (65, 0, 0),
    Kind.COMPACT: (90, 50, 0),
}
_SHORT_FORM_POINTS = 58
_TYPO_POINTS = (0, 45, 35)
# Of a family, maker or ability instead of the model itself.
_INDIRECT = 0.8
# A term's weak matches are left out beside strong ones.
_CUT = 0.55
_SHORTEST_INSIDE = 3
# Fewer letters begin too much of what is spelled.
_SHORTEST_BEGINNING = {Kind.PINYIN: 3, Kind.INITIALS: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A model that was found. points: how well, only to be compared within one search."""

    model: Model
    points: float


def search(index: SearchIndex, query: Query) -> tuple[Hit, ...]:
    """The models that fit every term and filter, the best first. Some milliseconds."""
    everything = dict.fromkeys(range(len(index.models)), 0.0)
    points = _all_of(_find(index, term) for term in query.terms) if query.terms else everything
    kept = [position for position in points if _fits(index, position, query.filters)]
    kept.sort(key=lambda position: _rank(index, position, points[position]))
    return tuple(Hit(model=index.models[position], points=points[position]) for position in kept)


def find_model(index: SearchIndex, name: str) -> Model | None:
    """The model whose id or name this is; case, blanks and separators do not matter. None for none or several."""
    for plain in (_with_points, compact):
        wanted = plain(normalised(name))
        same = [model for model in index.models if wanted in _names(model, plain)] if wanted else []
        if len(same) == 1:
            return same[0]
    return None


def _names(model: Model, plain: Callable[[str], str]) -> tuple[str, ...]:
    return plain(model.id), plain(normalised(model.name.en)), plain(normalised(model.name.zh))


def _with_points(text: str) -> str:
    """Letters, digits and decimal points: "2-1.3b" is not "2-13b"."""
    return "".join(character for character in text if character.isalnum() or character == ".").strip(".")


def likely(index: SearchIndex, name: str, most: int = 5) -> tuple[str, ...]:
    """Ids that may have been meant by a name that is nobody's: of models that fit it, else the first part that fits."""
    for text in (name, *re.split(r"[\W_]+", name)):
        query = parse_query(text, Filters(unconfirmed=True))
        if query.terms and (hits := search(index, query)):
            return tuple(hit.model.id for hit in hits[:most])
    return ()


def _find(index: SearchIndex, term: str) -> dict[int, float]:
    """Position → points of its best match with the term."""
    found: dict[int, float] = {}
    for points, positions in _matches(index, term):
        for position in positions:
            if points > found.get(position, 0):
                found[position] = points
    if not found:
        found = _misspelled(index, term)
    best = max(found.values(), default=0)
    return {position: points for position, points in found.items() if points >= _CUT * best}


def _matches(index: SearchIndex, term: str) -> Iterator[tuple[float, frozenset[int]]]:
    bare = compact(term)
    for key in index.keys:
        if points := _points(key, bare if key.kind is Kind.COMPACT else term):
            yield points * (1 if key.own else _INDIRECT), key.models
    if term.isascii() and len(term) > 1:
        for syllables, positions in index.spelled:
            if term[0] == syllables[0][0] and is_short_for(term, syllables):
                yield _SHORT_FORM_POINTS * _INDIRECT, positions


def _points(key: Key, term: str) -> int:
    if term not in key.text:
        return 0
    whole, begins, inside = _POINTS[key.kind]
    if key.text == term:
        return whole
    if key.text.startswith(term):
        return begins if len(term) >= _SHORTEST_BEGINNING.get(key.kind, 1) else 0
    return inside if len(term) >= _SHORTEST_INSIDE or key.kind is Kind.CHINESE else 0


def _misspelled(index: SearchIndex, term: str) -> dict[int, float]:
    """Other characters that sound the same ("智普" for 智谱); parts of a name; words with a letter or two wrong."""
    for run in chinese_runs(term):
        return _all_of(_find(index, "".join(syllables)) for syllables in spellings(run)[:1])
    pieces = [piece for piece in re.split(r"[^a-z0-9.]+", term) if piece]
    if len(pieces) > 1:
        return _all_of(_find(index, piece) for piece in pieces)
    most = allowed_typos(term)
    letters = letters_of(term)
    nearest: dict[int, int] = {}
    for key in index.keys if most else ():
        # A change of one letter makes at most two kinds of letters unlike.
        if key.kind not in (Kind.WORD, Kind.PINYIN) or (letters ^ key.letters).bit_count() > 2 * most:
            continue
        if (found := distance(term, key.text, most)) <= most:
            for position in key.models:
                nearest[position] = min(nearest.get(position, found), found)
    return {position: float(_TYPO_POINTS[found]) for position, found in nearest.items()}


def _all_of(parts: Iterable[dict[int, float]]) -> dict[int, float]:
    """The positions that every part has, with the sum of their points."""
    whole: dict[int, float] | None = None
    for part in parts:
        whole = part if whole is None else {at: whole[at] + part[at] for at in whole.keys() & part.keys()}
    return whole or {}


def _fits(index: SearchIndex, position: int, filters: Filters) -> bool:
    model = index.models[position]
    return (
        (model.confirmed or model.own or filters.unconfirmed)
        and filters.abilities.issubset(model.abilities)
        and (filters.max_parameters is None or model.total_parameters <= filters.max_parameters)
        and (not filters.licence or _has_licence(model, normalised(filters.licence)))
        and (not filters.states or model.state in filters.states)
        and (not filters.vendor or is_from(model, filters.vendor))
    )


def _has_licence(model: Model, wanted: str) -> bool:
    return wanted == model.licence.commercial or wanted in model.licence.id


def is_from(model: Model, vendor: str) -> bool:
    """Whether the text is part of the maker's name, in Chinese, English or pinyin."""
    wanted = compact(normalised(vendor))
    names = [model.vendor.zh, model.vendor.en]
    for run in chinese_runs(model.vendor.zh):
        names += ["".join(syllables) for syllables in spellings(run)]
    return any(wanted in compact(normalised(name)) for name in names)


def _rank(index: SearchIndex, position: int, points: float) -> tuple[float, bool, bool, int, int, str]:
    model = index.models[position]
    return (
        -points,
        model.state is not State.READY,
        not model.confirmed,
        index.orders[position],
        model.total_parameters,
        model.id,
    )
