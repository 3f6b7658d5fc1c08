"""Thinking apart from the answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.text.reasoning import ReasoningSplitter, ReasoningTags, detect_reasoning_tags

from . import pieces_of

THINK = ReasoningTags(open="<think>", close="</think>")


def _split(chunks: list[str], *, starts_inside: bool = False, tags: ReasoningTags | None = THINK) -> tuple[str, str]:
    splitter = ReasoningSplitter(tags, starts_inside=starts_inside)
    parts = [*map(splitter.feed, chunks), splitter.flush()]
    return "".join(answer for answer, _ in parts), "".join(reasoning for _, reasoning in parts)


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("<think>\nso\n</think>\n\nHi", "Hi", "so"),
        ("\n <think>so</think>Hi", "Hi", "so"),
        ("<think>\n\n</think>\n\n  Hi\n", "  Hi\n", ""),
        ("<think>never closed\n", "", "never closed"),
        ("<think>a < b </thin", "", "a < b </thin"),
        ("Use <think> in code </think>", "Use <think> in code </think>", ""),
        ("<thinking>", "<thinking>", ""),
        ("<thin", "<thin", ""),
        ("  text", "  text", ""),
        ("<think>a</think>b<think>c</think>", "b<think>c</think>", "a"),
    ],
)
def test_block_at_the_beginning(text: str, answer: str, reasoning: str) -> None:
    assert _split([text]) == (answer, reasoning)
    assert _split(list(text)) == (answer, reasoning)


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("so\n</think>\n\nHi", "Hi", "so"),
        ("<think>\nso\n</think>\n\nHi", "Hi", "so"),
        ("</think>Hi", "Hi", ""),
        ("only thought", "", "only thought"),
        (" \n", "", ""),
    ],
)
def test_prompt_that_opened_the_block(text: str, answer: str, reasoning: str) -> None:
    assert _split([text], starts_inside=True) == (answer, reasoning)
    assert _split(list(text), starts_inside=True) == (answer, reasoning)


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<", "</th", "ink>", "\n", " ", "a", "量"])).map("".join),
    st.booleans(),
    st.data(),
)
def test_any_cut_gives_the_same(text: str, starts_inside: bool, data: st.DataObject) -> None:
    assert _split(data.draw(pieces_of(text)), starts_inside=starts_inside) == _split(
        [text], starts_inside=starts_inside
    )


def test_a_model_without_tags_only_answers() -> None:
    assert _split(["<think>a</think>"], tags=None) == ("<think>a</think>", "")


def test_thinking_is_shown_while_it_comes() -> None:
    splitter = ReasoningSplitter(THINK)
    assert splitter.feed("<think>\n") == ("", "")
    assert splitter.feed("so far ") == ("", "so far")
    assert splitter.inside
    assert splitter.feed("so good") == ("", " so good")


@pytest.mark.parametrize(
    ("source", "opening"),
    [
        ("{{ '<think>\n\n</think>' }}", "<think>"),
        ("{%- set a = '<seed:think>' -%}{%- set b = '</seed:think>' -%} never <think></think>", "<seed:think>"),
        ("<|START_THINKING|><|END_THINKING|>", "<|START_THINKING|>"),
        ("[THINK][/THINK]", "[THINK]"),
        ("<|im_start|>", None),
    ],
)
def test_tags_in_templates(source: str, opening: str | None) -> None:
    tags = detect_reasoning_tags(source)
    assert (tags.open if tags else None) == opening
