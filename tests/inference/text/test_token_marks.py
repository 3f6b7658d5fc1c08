"""Marks that stand for tokens by number."""

from __future__ import annotations

from datetime import datetime

from inference.text.profiles import find_profile
from inference.text.template import ChatTemplate
from inference.text.token_marks import with_marks
from inference.text.tokenizing import tokenize_rendered
from inference.values import ChatMessage, ChatPrompt


def characters(text: str, parse_special: bool) -> list[int]:
    return [1000 + ord(character) for character in text]


def test_marks_become_tokens_in_template_text_only() -> None:
    tokenize = with_marks(characters, {"<|195|>": 195, "<|1|>": 1})
    assert tokenize("<|195|>a<|1|>", True) == [195, 1097, 1]
    assert tokenize("<|1|>", False) == characters("<|1|>", False)
    assert with_marks(characters, {}) is characters


def test_baichuan() -> None:
    profile = find_profile("baichuan")
    assert profile is not None
    template = ChatTemplate.compile(
        profile.template, bos_token="<s>", eos_token="</s>", control_texts=frozenset(profile.token_ids)
    )
    prompt = ChatPrompt(messages=(ChatMessage(role="user", content="a<|196|>"),))
    rendered = template.render(prompt, now=datetime(2024, 1, 1))
    tokens = tokenize_rendered(rendered, with_marks(characters, profile.token_ids))
    assert tokens == [195, 1097, *characters("<|196|>", False), 196]
