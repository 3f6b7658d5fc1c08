"""What users type, and what they mean by it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.query import Filters, parse_query
from models_catalog.families.search import find_model, is_from, likely, search
from models_catalog.families.values import Ability, Commercial, State

INDEX = KeptIndex().get().index


CONFIRMED = Filters()


def _found(text: str, filters: Filters = CONFIRMED) -> list[str]:
    return [hit.model.id for hit in search(INDEX, parse_query(text, filters))]


@pytest.mark.parametrize(
    ("typed", "family_or_id"),
    [
        ("千问", "qwen"),
        ("qianwen", "qwen"),
        ("qw", "qwen"),
        ("tongyi", "qwen"),
        ("tyqw", "qwen"),
        ("tongyiqw", "qwen"),
        ("通义千问", "qwen"),
        ("ｑｗｅｎ", "qwen"),
        ("QWEN", "qwen"),
        ("qwne", "qwen"),
        ("qianwne", "qwen"),
        ("dpsk", "deepseek"),
        ("deepseek", "deepseek"),
        ("deepsek", "deepseek"),
        ("depseek", "deepseek"),
        ("深度求索", "deepseek"),
        ("shendu", "deepseek"),
        ("书生", "intern"),
        ("shusheng", "intern"),
        ("浦语", "intern"),
        ("智谱", "glm"),
        ("zhipu", "glm"),
        ("智普", "glm"),
        ("mianbi", "minicpm"),
        ("面壁", "minicpm"),
        ("小钢炮", "minicpm"),
        ("hunyuan", "hunyuan"),
        ("混元", "hunyuan"),
        ("wenxin", "ernie"),
        ("文心一言", "ernie"),
        ("baichuan", "baichuan"),
        ("百川", "baichuan"),
        ("lingyiwanwu", "yi-"),
        ("yi", "yi-"),
        ("yuezhianmian", "kimi"),
        ("月之暗面", "kimi"),
        ("moonshot", "kimi"),
        ("xinghuo", "spark"),
        ("doubao", "seed"),
        ("xiaomi", "mimo"),
        ("rwkv", "rwkv"),
        ("bge", "bge"),
        ("weilai rwkv", None),
    ],
)
def test_names_in_three_scripts(typed: str, family_or_id: str | None) -> None:
    found = _found(typed)
    if family_or_id is None:
        assert found == []
    else:
        assert found and all(family_or_id in name for name in found[:3]), found[:5]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("qwen3-8b", "qwen3-8b"),
        ("qwen3 8b", "qwen3-8b"),
        ("Qwen3_8B", "qwen3-8b"),
        ("千问8b", "qwen3-8b"),
        ("qwen38b", "qwen3-8b"),
        ("r1 7b", "deepseek-r1-distill-qwen-7b"),
        ("r1 蒸馏 14b", "deepseek-r1-distill-qwen-14b"),
        ("glm 4.6v", "glm-4.6v"),
        ("internlm2.5 7b", "internlm2_5-7b-chat"),
        ("千问 coder 7b", "qwen2.5-coder-7b-instruct"),
        ("bge m3", "bge-m3"),
        ("qwq", "qwq-32b"),
        ("baichuan2 13b", "baichuan2-13b-chat"),
    ],
)
def test_one_model_is_found_first(typed: str, first: str) -> None:
    assert _found(typed)[0] == first


def test_versions_are_kept_apart() -> None:
    assert all(name.startswith(("qwen2.5", "qwq")) for name in _found("qwen2.5"))
    assert not any(name.startswith("qwen3-8b") for name in _found("qwen3.5"))


def test_abilities_are_words_too() -> None:
    for typed in ("视觉", "vision", "shijue"):
        found = [hit.model for hit in search(INDEX, parse_query(typed))]
        assert found and all(Ability.VISION in model.abilities for model in found)
    assert all(name for name in _found("向量 千问"))


def test_filters() -> None:
    small = search(INDEX, parse_query("", Filters(max_parameters=2_000_000_000, abilities=frozenset({Ability.CHAT}))))
    assert small and all(hit.model.total_parameters <= 2e9 and Ability.CHAT in hit.model.abilities for hit in small)
    free = search(INDEX, parse_query("", Filters(licence="yes")))
    assert free and {hit.model.licence.commercial for hit in free} == {Commercial.YES}
    apache = search(INDEX, parse_query("", Filters(licence="apache")))
    assert apache and {hit.model.licence.id for hit in apache} == {"apache-2.0"}
    for vendor in ("腾讯", "tengxun", "Tencent"):
        found = search(INDEX, parse_query("", Filters(vendor=vendor)))
        assert found and {hit.model.vendor.zh for hit in found} == {"腾讯"}
        assert all(is_from(hit.model, vendor) for hit in found)
    stuck = search(INDEX, parse_query("", Filters(states=frozenset({State.NOT_SUPPORTED}))))
    assert stuck and {hit.model.state for hit in stuck} == {State.NOT_SUPPORTED}


def test_filters_can_be_typed() -> None:
    found = search(INDEX, parse_query("千问 ability:vision <=8b licence:yes state:ready vendor:alibaba"))
    assert "qwen3-vl-4b-instruct" in {hit.model.id for hit in found}
    assert all(hit.model.total_parameters <= 8e9 and Ability.VISION in hit.model.abilities for hit in found)


def test_what_nobody_has_seen_is_hidden() -> None:
    assert "glm-4.6v-flash" not in _found("glm")
    assert "glm-4.6v-flash" in _found("glm", Filters(unconfirmed=True))


def test_what_runs_comes_before_what_does_not() -> None:
    found = search(INDEX, parse_query("chatglm"))
    states = [hit.model.state is State.READY for hit in found if hit.points == found[0].points]
    assert states == sorted(states, reverse=True) and len(set(states)) == 2


@pytest.mark.parametrize("name", ["qwen3-8b", "Qwen3-8B", "qwen3 8b", "通义千问 Qwen3-8B", "QWEN3_8B", "qwen3-8b "])
def test_a_model_is_named_in_many_ways(name: str) -> None:
    model = find_model(INDEX, name)
    assert model is not None and model.id == "qwen3-8b"


def test_every_model_is_found_by_its_id_and_names() -> None:
    for model in INDEX.models:
        for name in (model.id, model.name.en, model.name.zh, model.id.upper(), model.name.en.replace("-", " ")):
            assert find_model(INDEX, name) is model, name


def test_what_is_no_name() -> None:
    assert find_model(INDEX, "qwen") is None
    assert find_model(INDEX, "") is None
    assert find_model(INDEX, "、。") is None
    assert "qwen3-8b" in likely(INDEX, "qwen3-8bb", most=200)
    assert likely(INDEX, "qwen3 9b")[0] == "qwen3.5-9b"
    assert likely(INDEX, "一二三四五六") == ()


@given(st.text(max_size=60))
def test_any_text_can_be_searched_for(text: str) -> None:
    hits = search(INDEX, parse_query(text))
    assert len({hit.model.id for hit in hits}) == len(hits) <= len(INDEX.models)
    find_model(INDEX, text)


def test_it_is_quick() -> None:
    queries = [parse_query(text) for text in ("qianwen", "deepsek", "千问 8b", "ability:vision", "qwne3-8b", "hunuan")]
    for query in queries:
        search(INDEX, query)
    started = time.perf_counter()
    for query in queries:
        search(INDEX, query)
    # Ten times the goal of 5 ms for each.
    assert (time.perf_counter() - started) / len(queries) < 0.05
