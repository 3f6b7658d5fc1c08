"""What ships: complete, well formed, in both languages, and in agreement with the engine and the plan data."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import pytest

import resources
from models_catalog.families.file_rules import FileRole, role_of
from models_catalog.families.index import ABILITY_WORDS
from models_catalog.families.loader import FOLDER, load_catalogue, read_family_table
from models_catalog.families.pinyin import chinese_runs, spellings
from models_catalog.families.schema import FamilyTable
from models_catalog.families.values import (
    Ability,
    BuiltinTemplate,
    Commercial,
    Family,
    GgufTemplate,
    Model,
    State,
    TokenIdTemplate,
    Words,
)
from models_catalog.gguf.llama_cpp_facts import llama_cpp_facts
from models_catalog.plan_library import published_models, starter_plan_data
from tests.models_catalog.families.make_catalogue import compiled

FAMILIES = load_catalogue().families
MODELS = [model for family in FAMILIES for model in family.models]
FILES = sorted(resources.path(FOLDER).glob("*.toml"))
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def _ids(model: Model) -> str:
    return model.id


def test_the_compiled_catalogue_is_that_of_the_files() -> None:
    assert resources.path(FOLDER, "catalogue.json").read_bytes() == compiled(), "run make_catalogue"
    assert {family.id for family in FAMILIES} == {file.stem for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_family_file_is_well_formed(file: object) -> None:
    table: FamilyTable = read_family_table(resources.path(FOLDER, f"{getattr(file, 'stem', '')}.toml"))
    assert table.models
    assert not (table.licence or table.profile or table.sampling), "shared tables have files of their own"


def test_ids_and_names_are_unique() -> None:
    for names in ([m.id for m in MODELS], [m.name.en.casefold() for m in MODELS], [m.name.zh for m in MODELS]):
        assert [name for name, count in Counter(names).items() if count > 1] == []
    orders = [family.order for family in FAMILIES]
    assert len(orders) == len(set(orders)) and orders == sorted(orders)


def _texts(family: Family) -> list[Words]:
    found = [family.about]
    for model in family.models:
        found += [words for words in (model.reason, model.note, model.profile.note) if words is not None]
        found.append(model.licence.terms)
    return found


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.id)
def test_texts_speak_their_language(family: Family) -> None:
    for words in _texts(family):
        assert _CHINESE.search(words.zh) and not _CHINESE.search(words.en)
        assert words.zh.endswith("。") and words.en.endswith(".")
    for words in (family.name, family.vendor, *(model.name for model in family.models)):
        assert not _CHINESE.search(words.en)


@pytest.mark.parametrize("model", MODELS, ids=_ids)
def test_a_model_that_is_ready_can_be_loaded(model: Model) -> None:
    facts = llama_cpp_facts()
    if model.state is State.READY:
        assert model.sources
        assert model.architecture is not None
        known = facts.chat_architectures
        if Ability.CHAT not in model.abilities:
            known = known | facts.other_kinds.keys()
        assert model.architecture in known
    if model.successor is not None:
        assert next(other for other in MODELS if other.id == model.successor).state is State.READY


@pytest.mark.parametrize("model", MODELS, ids=_ids)
def test_a_profile_can_do_what_the_model_can(model: Model) -> None:
    thinks = model.profile.thinking is not None
    assert thinks == (Ability.THINKING in model.abilities)
    assert model.profile.tools is not None or Ability.TOOLS not in model.abilities
    assert model.abilities or model.state is not State.READY
    if Ability.EMBEDDING in model.abilities or Ability.RERANK in model.abilities:
        assert Ability.CHAT not in model.abilities
    if {one.mode for one in model.sampling} - {"always"}:
        assert thinks and {one.mode for one in model.sampling} == {"thinking", "answering"}


def test_built_in_templates_are_there() -> None:
    tables = tomllib.loads(resources.path("chat_templates", "profiles.toml").read_text(encoding="utf-8"))["profile"]
    builtin = {table["name"]: table for table in tables}
    for template in {model.profile.template for model in MODELS}:
        match template:
            case GgufTemplate():
                pass
            case BuiltinTemplate(name=name):
                assert name in builtin
            case TokenIdTemplate(name=name, user=user, assistant=assistant):
                assert set(builtin[name]["token_ids"].values()) == {user, assistant}


@pytest.mark.parametrize("model", [model for model in MODELS if model.plan_data], ids=_ids)
def test_plan_data_is_there(model: Model) -> None:
    assert model.plan_data is not None
    assert model.plan_data in published_models() or starter_plan_data(model.plan_data) is not None


def test_every_chinese_model_with_plan_data_is_in_a_family() -> None:
    missing = set(published_models()) - {model.plan_data for model in MODELS}
    assert {name.split("-")[0] for name in missing} <= {"gemma", "llama"}


def test_what_nobody_has_seen_is_marked() -> None:
    unseen = {model.id for model in MODELS if not model.confirmed}
    assert "glm-4.6v-flash" in unseen and "qwen3-8b" not in unseen
    for model in MODELS:
        if model.confirmed and model.state is State.READY and not any(source.confirmed for source in model.sources):
            assert any(hub is not None for hub in (model.original.huggingface, model.original.modelscope)), model.id


def test_every_name_can_be_typed_in_pinyin() -> None:
    for word in (word for words in ABILITY_WORDS.values() for word in words if not word.isascii()):
        assert spellings(word), f"resources/pinyin.txt lacks a character of {word}"
    for family in FAMILIES:
        texts = [family.name.zh, family.vendor.zh, *family.aliases]
        texts += [text for model in family.models for text in (model.name.zh, model.vendor.zh)]
        for run in {run for text in texts for run in chinese_runs(text)}:
            assert spellings(run), f"resources/pinyin.txt lacks a character of {run}"


def test_file_patterns_give_models_and_projectors() -> None:
    for source in (source for model in MODELS for source in model.sources):
        rules = source.rules
        for pattern in filter(None, (rules.files, rules.split_files)):
            name = pattern.replace("{quantization}", "Q4_K_M").replace("{part}", "00001-of-00002")
            assert role_of(name) is FileRole.MODEL
        for name in rules.projectors:
            assert role_of(name) is FileRole.PROJECTOR


def test_terms_follow_the_licence() -> None:
    by_id = {model.id: model for model in MODELS}
    assert by_id["qwen3-8b"].licence.commercial is Commercial.YES
    assert by_id["qwen2.5-3b-instruct"].licence.commercial is Commercial.NO
    assert by_id["chatglm3-6b"].licence.commercial is Commercial.FORM
    assert by_id["baichuan2-7b-chat"].profile.template == TokenIdTemplate(name="baichuan", user=195, assistant=196)


def test_it_is_large_enough() -> None:
    assert len(FAMILIES) == 36 and len(MODELS) >= 270
