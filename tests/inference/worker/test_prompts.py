"""From conversations to tokens: whose template is used, and what is said when there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from inference.backends.scripted import ScriptedBackend
from inference.errors import ChatProfileUnknown, TemplateFailed, TemplateMissing
from inference.values import ChatMessage, ChatPrompt, GenerationRequest, LoadPlan
from inference.worker.prompts import PromptMaker

NOW = datetime(2024, 1, 1)
CHAT = ChatPrompt(messages=(ChatMessage(role="user", content="a"),))


def backend(template: str | None, *, architecture: str = "qwen", name: str = "Qwen-7B-Chat") -> ScriptedBackend:
    plan = LoadPlan(model_path="x", context_tokens=512, sequences=1, batch_tokens=64, decode_threads=1, batch_threads=1)
    made = ScriptedBackend(plan, lambda last_words: None, lambda fraction: None)
    made.chat_template = template
    made.facts = replace(made.facts, architecture=architecture, name=name)
    return made


def test_a_missing_template_names_the_profile_that_fits() -> None:
    with pytest.raises(TemplateMissing) as caught:
        PromptMaker(backend(None)).render(CHAT, now=NOW)
    assert caught.value.profile == "qwen1"


def test_where_none_fits_none_is_named() -> None:
    with pytest.raises(TemplateMissing) as caught:
        PromptMaker(backend(None, architecture="llama", name="?")).render(CHAT, now=NOW)
    assert caught.value.profile == ""


def test_a_broken_template_names_it_too() -> None:
    with pytest.raises(TemplateFailed) as caught:
        PromptMaker(backend("{% if %}")).render(CHAT, now=NOW)
    assert caught.value.profile == "qwen1"


def test_the_chosen_profile_takes_the_templates_place() -> None:
    made = PromptMaker(backend("{{ 'theirs' }}"), "orion")
    rendered, tokens = made.render(CHAT, now=NOW)
    assert rendered.text == "Human: a\n\nAssistant: <|im_end|>"
    assert tokens == [*b"Human: a\n\nAssistant: ", 257]


def test_its_stop_texts_end_answers() -> None:
    request = GenerationRequest(request_id="1", chat=CHAT, stop=("mine",))
    text = PromptMaker(backend(None), "xverse").prepare(request, now=NOW).text
    assert text.feed(b"x Human: y").text == "x "


def test_tokens_by_number() -> None:
    _, tokens = PromptMaker(backend(None), "baichuan").render(CHAT, now=NOW)
    assert tokens == [195, *b"a", 196]


def test_an_unknown_profile() -> None:
    with pytest.raises(ChatProfileUnknown) as caught:
        PromptMaker(backend(None), "nothing")
    assert "chatml" in caught.value.known
