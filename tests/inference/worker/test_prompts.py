"""From conversations to tokens: whose template is used, and what is said when there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from inference.backends.scripted import ScriptedBackend
from inference.errors import ChatProfileUnknown, TemplateFailed, TemplateMissing, ToolsUnsupported
from inference.values import (
    ChatMessage,
    ChatPrompt,
    GenerationRequest,
    LoadPlan,
    ModelManner,
    Sampling,
    SamplingAdvice,
    SamplingWish,
    ThinkingHabit,
)
from inference.worker.prompts import PromptMaker

NOW = datetime(2024, 1, 1)
CHAT = ChatPrompt(messages=(ChatMessage(role="user", content="a"),))


PLAN = LoadPlan(model_path="x", context_tokens=512, sequences=1, batch_tokens=64, decode_threads=1, batch_threads=1)


def backend(template: str | None, *, architecture: str = "qwen", name: str = "Qwen-7B-Chat") -> ScriptedBackend:
    made = ScriptedBackend(PLAN, lambda last_words: None, lambda fraction: None)
    made.chat_template = template
    made.facts = replace(made.facts, architecture=architecture, name=name)
    return made


def maker(made: ScriptedBackend, chat_profile: str | None = None, manner: ModelManner | None = None) -> PromptMaker:
    return PromptMaker(made, replace(PLAN, chat_profile=chat_profile, manner=manner))


def test_a_missing_template_names_the_profile_that_fits() -> None:
    with pytest.raises(TemplateMissing) as caught:
        maker(backend(None)).render(CHAT, now=NOW)
    assert caught.value.profile == "qwen1"


def test_where_none_fits_none_is_named() -> None:
    with pytest.raises(TemplateMissing) as caught:
        maker(backend(None, architecture="llama", name="?")).render(CHAT, now=NOW)
    assert caught.value.profile == ""


def test_a_broken_template_names_it_too() -> None:
    with pytest.raises(TemplateFailed) as caught:
        maker(backend("{% if %}")).render(CHAT, now=NOW)
    assert caught.value.profile == "qwen1"


def test_the_chosen_profile_takes_the_templates_place() -> None:
    made = maker(backend("{{ 'theirs' }}"), "orion")
    rendered, tokens = made.render(CHAT, now=NOW)
    assert rendered.text == "Human: a\n\nAssistant: <|im_end|>"
    assert tokens == [*b"Human: a\n\nAssistant: ", 257]


def test_its_stop_texts_end_answers() -> None:
    request = GenerationRequest(request_id="1", chat=CHAT, stop=("mine",))
    text = maker(backend(None), "xverse").prepare(request, now=NOW).text
    assert text.feed(b"x Human: y").text == "x "


def test_tokens_by_number() -> None:
    _, tokens = maker(backend(None), "baichuan").render(CHAT, now=NOW)
    assert tokens == [195, *b"a", 196]


def test_an_unknown_profile() -> None:
    with pytest.raises(ChatProfileUnknown) as caught:
        maker(backend(None), "nothing")
    assert "chatml" in caught.value.known


BAICHUAN = ModelManner(model="baichuan2-7b-chat", template="baichuan", own_is_wrong=True)
QWEN1 = ModelManner(model="qwen-7b-chat", template="qwen1", stop=("<|endoftext|>", "Human:"))


def test_a_known_model_without_a_template_gets_its_familys_at_once() -> None:
    made = maker(backend(None), manner=QWEN1)
    assert made.profile == "qwen1"
    assert "<|im_start|>user\na<|im_end|>" in made.render(CHAT, now=NOW)[0].text


def test_so_does_one_whose_template_cannot_be_read() -> None:
    made = maker(backend("{% if %}"), manner=QWEN1)
    assert made.profile == "qwen1"
    made.render(CHAT, now=NOW)


def test_its_own_template_is_kept_where_it_can_be_right() -> None:
    made = maker(backend("{{ 'theirs' }}"), manner=QWEN1)
    assert made.profile is None
    assert made.render(CHAT, now=NOW)[0].text == "theirs"


def test_a_text_cannot_mark_turns_by_tokens() -> None:
    assert maker(backend("{{ 'theirs' }}"), manner=BAICHUAN).render(CHAT, now=NOW)[1] == [195, *b"a", 196]


def test_the_users_choice_comes_first() -> None:
    assert maker(backend("{{ 'theirs' }}"), "", BAICHUAN).render(CHAT, now=NOW)[0].text == "theirs"
    assert maker(backend(None), "orion", QWEN1).profile == "orion"


def test_stops_that_are_control_tokens_end_by_their_number() -> None:
    prepared = maker(backend("x"), manner=QWEN1).prepare(GenerationRequest(request_id="1", chat=CHAT), now=NOW)
    assert prepared.end_tokens == {258}
    assert prepared.text.feed(b"<|endoftext|> is a text here").text == "<|endoftext|> is a text here"
    assert prepared.text.feed(b"x Human: y").text == "x "


def test_recommended_sampling_for_each_mode() -> None:
    habit = ThinkingHabit(
        open="<think>",
        close="</think>",
        starts_open=False,
        default=True,
        variable="enable_thinking",
        on=True,
        off=False,
        soft_on=None,
        soft_off=None,
    )
    manner = ModelManner(
        model="m",
        thinking=habit,
        sampling_thinking=SamplingAdvice(temperature=0.6),
        sampling_answering=SamplingAdvice(temperature=0.7, top_k=20),
    )
    made = maker(backend("x"), manner=manner)

    def used(enable_thinking: bool | None, **wished: float) -> Sampling:
        chat = replace(CHAT, enable_thinking=enable_thinking)
        request = GenerationRequest(request_id="1", chat=chat, sampling=SamplingWish(**wished))  # type: ignore[arg-type]
        return made.prepare(request, now=NOW).sampling

    assert used(None) == Sampling(temperature=0.6)
    assert used(False) == Sampling(temperature=0.7, top_k=20)
    assert used(False, temperature=0.0, top_k=1) == Sampling(temperature=0.0, top_k=1)


def test_tools_are_not_ignored_without_a_word() -> None:
    with_tools = replace(CHAT, tools=({"type": "function"},))
    with pytest.raises(ToolsUnsupported):
        maker(backend("{{ messages[0].content }}")).render(with_tools, now=NOW)
    assert maker(backend("{{ tools | length }}")).render(with_tools, now=NOW)[0].text == "1"
