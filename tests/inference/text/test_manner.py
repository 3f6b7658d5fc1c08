"""What is recommended for a model, as it holds for one request."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from inference.backends.llama_cpp.file_sampling import read_sampling
from inference.text.manner import settled, thinks, with_soft_word
from inference.text.template import ChatTemplate
from inference.values import ChatMessage, ChatPrompt, Sampling, SamplingAdvice, SamplingWish, ThinkingHabit
from tests.inference.text import templates

HABIT = ThinkingHabit(
    open="<think>",
    close="</think>",
    starts_open=False,
    default=True,
    variable="enable_thinking",
    on=True,
    off=False,
    soft_on="/think",
    soft_off="/no_think",
)
SOFT_ONLY = replace(HABIT, variable=None)
NOW = datetime(2024, 1, 1)


def asked(*texts: str, enable_thinking: bool | None = None) -> ChatPrompt:
    return ChatPrompt(
        messages=tuple(ChatMessage(role="user", content=text) for text in texts), enable_thinking=enable_thinking
    )


def rendered(source: str, habit: ThinkingHabit | None, prompt: ChatPrompt) -> tuple[str, bool]:
    template = ChatTemplate.compile(source, bos_token="", eos_token="", control_texts=frozenset(), habit=habit)
    made = template.render(prompt, now=NOW)
    return made.text, made.starts_in_reasoning


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (asked("a"), True),
        (asked("a", enable_thinking=False), False),
        (asked("a /no_think"), False),
        (asked("a /no_think", "b"), False),
        (asked("a /no_think", "b /think"), True),
        (asked("a /no_think", enable_thinking=True), True),
        (asked("see /no_thinking"), True),
    ],
)
def test_whether_it_thinks(prompt: ChatPrompt, expected: bool) -> None:
    assert thinks(HABIT, prompt) is expected
    assert thinks(None, prompt) is False


def test_soft_words_only_where_the_template_has_no_switch() -> None:
    off = asked("a", "b", enable_thinking=False)
    assert with_soft_word(SOFT_ONLY, off).messages[-1].content == "b /no_think"
    assert with_soft_word(HABIT, off) == off
    assert with_soft_word(SOFT_ONLY, asked("a")) == asked("a")
    said = asked("a /no_think", enable_thinking=False)
    assert with_soft_word(SOFT_ONLY, said) == said


def test_the_first_who_says_a_value_is_right() -> None:
    family, file = SamplingAdvice(temperature=0.6, top_k=20), SamplingAdvice(top_k=30, min_p=0.1)
    assert settled(SamplingWish(temperature=0.0, seed=5), family, file) == Sampling(
        temperature=0.0, top_k=20, min_p=0.1, seed=5
    )
    assert settled(SamplingWish()) == Sampling()


def test_a_switch_is_set_as_the_family_says() -> None:
    source = "{{ '<think></think>' if effort == 'none' else '' }}{{ messages[0].content }}"
    habit = replace(HABIT, variable="effort", on="high", off="none")
    assert rendered(source, habit, asked("a", enable_thinking=False))[0] == "<think></think>a"
    assert rendered(source, habit, asked("a", enable_thinking=True))[0] == "a"


def test_a_variable_that_the_file_does_not_have_is_guessed() -> None:
    habit = replace(HABIT, variable="something_else")
    text, _ = rendered(templates.QWEN3, habit, asked("a", enable_thinking=False))
    assert text.endswith("<think>\n\n</think>\n\n")


def test_an_older_template_opens_the_thinking_all_the_same() -> None:
    source = "{{ messages[-1].content }}{% if add_generation_prompt %}A:{% endif %}"
    habit = replace(HABIT, starts_open=True)
    assert rendered(source, habit, asked("a")) == ("aA:<think>\n", True)
    assert rendered(source, habit, asked("a", enable_thinking=False)) == ("aA:", False)
    assert rendered(source + "<think>", habit, asked("a")) == ("aA:<think>", True)
    assert rendered(source, HABIT, asked("a")) == ("aA:", False)


def test_tags_that_the_template_does_not_name() -> None:
    template = ChatTemplate.compile(
        "x", bos_token="", eos_token="", control_texts=frozenset(), habit=replace(HABIT, open="[u16]", close="[u17]")
    )
    assert template.reasoning_tags is not None
    assert template.reasoning_tags.open == "[u16]"


def test_what_a_file_recommends() -> None:
    header = {"temp": "0.600000", "top_k": "20", "top_p": "7.0", "penalty_repeat": "nan"}
    found = read_sampling(lambda key: header.get(key.removeprefix("general.sampling."), ""))
    assert found == SamplingAdvice(temperature=0.6, top_k=20)
