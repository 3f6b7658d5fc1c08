"""Filters and order of the list."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.catalogue_values import CatalogueModel
from app.gui.discover.wanted import SIZES, SORTS, Wanted, alternative, arranged, query, runs
from tests.app.gui.discover.discover_service import DEEPSEEK, FITS, MODELS, model

PLACES = {family: place for place, family in enumerate(dict.fromkeys(one.family for one in MODELS))}


def ids(models: tuple[CatalogueModel, ...]) -> list[str]:
    return [one.id for one in models]


def test_the_service_is_asked_for_what_it_can_decide() -> None:
    wanted = Wanted(text=" 千问 ", abilities=frozenset({"vision", "chat"}), size="small", commercial=True, fits=True)
    asked = query(wanted)
    assert (asked.text, asked.abilities, asked.commercial) == ("千问", ("chat", "vision"), True)
    assert asked.min_parameters == 2_000_000_001 and asked.max_parameters == 5_000_000_000
    assert wanted.filtered and not Wanted(text="x", sort="size", unconfirmed=True).filtered


def test_size_classes_leave_no_gap() -> None:
    edges = [SIZES[name] for name in ("tiny", "small", "medium", "large", "huge")]
    for (_, most), (least, _) in pairwise(edges):
        assert most is not None and least == most + 1
    assert edges[0][0] is None and edges[-1][1] is None


def test_what_is_here_comes_first_then_what_runs_best() -> None:
    order = ids(arranged(MODELS, FITS, PLACES, Wanted()))
    assert order[:2] == ["qwen2.5-coder-1.5b", "qwen3-8b"]
    assert order.index("r1-14b") < order.index("qwen3-30b-a3b") < order.index("kimi-k2.6") < order.index("qwen3-32b")
    assert set(order[-2:]) == {"chatglm-6b", "qwen3-asr-0.6b"}


def test_words_keep_the_order_of_the_best_match() -> None:
    assert arranged(MODELS, FITS, PLACES, Wanted(text="qwen")) == MODELS
    smallest = arranged(MODELS, FITS, PLACES, Wanted(text="qwen", sort="size"))
    assert smallest[0].id == "minicpm4-0.5b" and smallest[-1].id == "kimi-k2.6"
    assert arranged(MODELS, {}, PLACES, Wanted(sort="title"))[0].name.en == "ChatGLM-6B"
    assert arranged(MODELS, {}, PLACES, Wanted(sort="family"))[0].id == "qwen3-asr-0.6b"


def test_only_what_is_known_to_run_passes_that_filter() -> None:
    running = arranged(MODELS, FITS, PLACES, Wanted(fits=True))
    assert "qwen3-32b" not in ids(running) and "kimi-k2.6" not in ids(running) and "r1-14b" in ids(running)
    assert ids(arranged(MODELS, FITS, PLACES, Wanted(here=True))) == ["qwen2.5-coder-1.5b"]
    assert not runs(None) and not runs(FITS["qwen3-32b"])


def test_the_alternative_is_the_largest_relative_that_runs() -> None:
    other = alternative(MODELS[1], MODELS, FITS)
    assert other is not None and other.id == "qwen3-30b-a3b"
    strange = model("moon-1", "月 Moon-1", 70, DEEPSEEK)
    assert (other := alternative(strange, MODELS, FITS)) is not None and other.id == "r1-14b"
    assert alternative(replace(strange, abilities=("embedding",)), MODELS, FITS) is None


@given(st.sampled_from(SORTS), st.sets(st.sampled_from(sorted(FITS))), st.text(max_size=3))
def test_no_order_loses_a_model(sort: str, known: set[str], text: str) -> None:
    fits = {name: FITS[name] for name in known}
    assert sorted(ids(arranged(MODELS, fits, {}, Wanted(sort=sort, text=text)))) == sorted(ids(MODELS))
