"""Rendering conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from inference.errors import TemplateFailed
from inference.text.template import ChatTemplate
from inference.values import ChatMessage, ChatPrompt

from . import templates

NOW = datetime(2025, 1, 2, 3, 4)
CHATML = frozenset(("<|im_start|>", "<|im_end|>"))
TOOL = {"type": "function", "function": {"name": "天气", "parameters": {"type": "object", "properties": {}}}}


def compiled(source: str, control_texts: frozenset[str] = CHATML) -> ChatTemplate:
    return ChatTemplate.compile(source, bos_token="<bos>", eos_token="<eos>", control_texts=control_texts)


def said(role: str, content: str, reasoning: str = "", **extra: Any) -> ChatMessage:
    return ChatMessage(role=role, content=content, reasoning=reasoning, extra=extra)


def text(source: str, *messages: ChatMessage, **prompt: Any) -> str:
    return compiled(source).render(ChatPrompt(messages=messages, **prompt), now=NOW).text


def failure(source: str, *messages: ChatMessage, **prompt: Any) -> str:
    with pytest.raises(TemplateFailed) as caught:
        text(source, *messages, **prompt)
    return caught.value.detail


class TestQwen25:
    def test_turns(self) -> None:
        assert text(
            templates.QWEN25, said("system", "简短"), said("user", "a"), said("assistant", "b"), said("user", "c")
        ) == (
            "<|im_start|>system\n简短<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n"
            "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n"
        )

    def test_tools(self) -> None:
        call = {"id": "1", "type": "function", "function": {"name": "天气", "arguments": '{"城市":"北京"}'}}
        assert text(
            templates.QWEN25,
            said("user", "a"),
            said("assistant", "", tool_calls=[call]),
            said("tool", "晴"),
            tools=(TOOL,),
        ) == (
            "<|im_start|>system\nYou are Qwen.\n\n# Tools\n<tools>\n"
            '{"type": "function", "function": {"name": "天气", "parameters": {"type": "object", "properties": {}}}}'
            "\n</tools><|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n<tool_call>\n"
            '{"name": "天气", "arguments": {"城市": "北京"}}\n</tool_call><|im_end|>\n'
            "<|im_start|>user\n<tool_response>\n晴\n</tool_response><|im_end|>\n<|im_start|>assistant\n"
        )

    def test_continue(self) -> None:
        prompt = text(templates.QWEN25, said("user", "a"), said("assistant", "Once upon "), continue_last=True)
        assert prompt.endswith("<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nOnce upon ")

    def test_it_does_not_think(self) -> None:
        assert compiled(templates.QWEN25).reasoning_tags is None

    def test_message_borders(self) -> None:
        rendered = compiled(templates.QWEN25).render(
            ChatPrompt(messages=(said("user", "<|im_end|>"), said("assistant", "b"), said("user", "c"))), now=NOW
        )
        parts = [rendered.text[start:] for start in rendered.message_starts]
        roles = ["user\n<", "assistant\nb", "user\nc", "assistant\n"]
        assert [part.startswith(f"<|im_start|>{role}") for part, role in zip(parts, roles, strict=True)] == [True] * 4
        assert parts[-1] == "<|im_start|>assistant\n"


class TestQwen3:
    HEADER = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"

    @pytest.mark.parametrize(("enabled", "tail"), [(None, ""), (True, ""), (False, "<think>\n\n</think>\n\n")])
    def test_thinking_switch(self, enabled: bool | None, tail: str) -> None:
        assert text(templates.QWEN3, said("user", "a"), enable_thinking=enabled) == self.HEADER + tail

    def test_option_of_the_api(self) -> None:
        prompt = text(templates.QWEN3, said("user", "a"), template_options={"enable_thinking": False})
        assert prompt.endswith("</think>\n\n")

    def test_past_thinking_is_dropped(self) -> None:
        prompt = text(templates.QWEN3, said("user", "a"), said("assistant", "b", "hm"), said("user", "c"))
        assert "hm" not in prompt

    def test_inline_thinking_is_dropped(self) -> None:
        prompt = text(
            templates.QWEN3, said("user", "a"), said("assistant", "<think>\nhm\n</think>\n\nb"), said("user", "c")
        )
        assert prompt == f"{self.HEADER}b<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n"

    @pytest.mark.parametrize(
        ("content", "reasoning", "tail", "inside"),
        [
            ("", "", "", False),
            ("", "so far", "<think>\nso far", True),
            ("Hi \n", "so", "<think>\nso\n</think>\n\nHi \n", False),
            ("\nHi", "", "\nHi", False),
        ],
    )
    def test_continue(self, content: str, reasoning: str, tail: str, inside: bool) -> None:
        for enabled in (None, True) if not reasoning else (None, True, False):
            rendered = compiled(templates.QWEN3).render(
                ChatPrompt(
                    messages=(said("user", "a"), said("assistant", content, reasoning)),
                    continue_last=True,
                    enable_thinking=enabled,
                ),
                now=NOW,
            )
            assert (rendered.text, rendered.starts_in_reasoning) == (self.HEADER + tail, inside)

    def test_continue_without_thinking(self) -> None:
        prompt = text(
            templates.QWEN3, said("user", "a"), said("assistant", "Hi"), continue_last=True, enable_thinking=False
        )
        assert prompt == self.HEADER + "<think>\n\n</think>\n\nHi"


class TestDeepSeek:
    R1_HEADER = "<bos>Be brief.<｜User｜>a<｜Assistant｜><think>\n"

    def test_r1_opens_the_thinking(self) -> None:
        rendered = compiled(templates.DEEPSEEK_R1).render(
            ChatPrompt(messages=(said("system", "Be brief."), said("user", "a"))), now=NOW
        )
        assert (rendered.text, rendered.starts_in_reasoning) == (self.R1_HEADER, True)

    def test_r1_drops_past_thinking(self) -> None:
        answer = said("assistant", "hm</think>b")
        assert text(templates.DEEPSEEK_R1, said("user", "a"), answer, said("user", "c")) == (
            "<bos><｜User｜>a<｜Assistant｜>b<｜end▁of▁sentence｜><｜User｜>c<｜Assistant｜><think>\n"
        )

    @pytest.mark.parametrize(
        ("content", "reasoning", "tail", "inside"),
        [
            ("", "", "", True),
            ("", "so", "so", True),
            ("Hi", "so", "so\n</think>\n\nHi", False),
            ("Hi", "", "\n</think>\n\nHi", False),
        ],
    )
    def test_r1_continues(self, content: str, reasoning: str, tail: str, inside: bool) -> None:
        rendered = compiled(templates.DEEPSEEK_R1).render(
            ChatPrompt(
                messages=(said("system", "Be brief."), said("user", "a"), said("assistant", content, reasoning)),
                continue_last=True,
            ),
            now=NOW,
        )
        assert (rendered.text, rendered.starts_in_reasoning) == (self.R1_HEADER + tail, inside)

    @pytest.mark.parametrize(
        ("enabled", "tail"), [(None, "<think></think>"), (True, "<think>"), (False, "<think></think>")]
    )
    def test_v31_calls_the_switch_thinking(self, enabled: bool | None, tail: str) -> None:
        assert text(templates.DEEPSEEK_V31, said("user", "a"), enable_thinking=enabled) == (
            "<bos><｜User｜>a<｜Assistant｜>" + tail
        )

    def test_v31_continues_thinking(self) -> None:
        prompt = text(templates.DEEPSEEK_V31, said("user", "a"), said("assistant", "", "so"), continue_last=True)
        assert prompt == "<bos><｜User｜>a<｜Assistant｜><think>so"


class TestRefusals:
    def test_the_templates_own_words(self) -> None:
        detail = "Conversation roles must alternate user/assistant/user/assistant/..."
        assert failure(templates.ALTERNATING, said("system", "a"), said("user", "b")) == detail

    @pytest.mark.parametrize("source", ["{% if %}", "{{ 'a' }", "{% for a in b %}", "{{ a|nofilter }}"])
    def test_no_template(self, source: str) -> None:
        with pytest.raises(TemplateFailed):
            compiled(source)

    def test_unknown_role(self) -> None:
        assert failure("", said("root", "a")) == "root"

    def test_only_an_answer_can_be_continued(self) -> None:
        assert "not an answer" in failure("{{ messages }}", said("user", "a"), continue_last=True)

    def test_options_are_json(self) -> None:
        assert "JSON" in failure("a", said("user", "a"), template_options={"now": NOW})


class TestWhatTemplatesMayUse:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("{{ strftime_now('%Y-%m-%d') }}", "2025-01-02"),
            ("{{ {'b': '<量>', 'a': none}|tojson }}", '{"b": "<量>", "a": null}'),
            ("{{ {'a': [1]}|tojson(indent=2) }}", '{\n  "a": [\n    1\n  ]\n}'),
            ("{{ {'a': 1, 'b': 2}|tojson(separators=(',', ':')) }}", '{"a":1,"b":2}'),
            ("{{ ('{\"a\": 1}'|from_json).a }}", "1"),
            ("{% for a in [1, 2, 3] %}{% if a == 2 %}{% continue %}{% endif %}{{ a }}{% endfor %}", "13"),
            ("{% generation %}{{ messages[0].content }}{% endgeneration %}", "hi"),
            ("{% for a in [1] %}\n  {% if true %}\nx\n  {% endif %}\n{% endfor %}", "x\n"),
            ("{% set q = namespace(ids=[]) %}{% set _ = q.ids.append(1) %}{{ q.ids.pop(0) }}{{ q.ids }}", "1[]"),
            ("{% for k, v in {'a': 1}|items %}{{ k ~ v }}{% endfor %}", "a1"),
            ("{{ '<x{}>'.format(':y') }}{{ '%s-%d' % ('a', 2) }}{{ '%05.1f'|format(2.5) }}", "<x:y>a-2002.5"),
            ("{{ '<b>'|safe + '<i>' }}{{ '<'|e }}", "<b><i>&lt;"),
            ("{{ tools is none }}{{ documents is none }}{{ enable_thinking is defined }}", "TrueTrueFalse"),
            ("{{ bos_token }}{{ eos_token }}{{ add_generation_prompt }}", "<bos><eos>True"),
            ("{{ range(3)|list }}{{ 'a\nb'|indent(2) }}", "[0, 1, 2]a\n  b"),
        ],
    )
    def test_as_in_transformers(self, source: str, expected: str) -> None:
        assert text(source, said("user", "hi")) == expected

    def test_own_variables_are_not_replaced_by_options(self) -> None:
        options = {"messages": [], "bos_token": "x", "range": "y", "mine": 1}
        assert text(
            "{{ messages|length }}{{ bos_token }}{{ range(1)|list }}{{ mine }}",
            said("user", "a"),
            template_options=options,
        ) == ("1<bos>[0]1")

    def test_a_rendering_leaves_nothing_behind(self) -> None:
        template = compiled(
            "{% set _ = messages.append(1) %}{% set _ = messages[0].update(content='b') %}{{ messages|length }}"
        )
        messages = (said("user", "a"),)
        assert [template.render(ChatPrompt(messages=messages), now=NOW).text for _ in range(2)] == ["2", "2"]
        assert messages == (said("user", "a"),)

    def test_documents_and_names(self) -> None:
        source = "{{ documents[0].title }}{{ messages[0].name }}{{ messages[1].tool_call_id }}"
        assert (
            text(source, said("user", "a", name="N"), said("tool", "b", tool_call_id="7"), documents=({"title": "T"},))
            == "TN7"
        )

    def test_developer_is_system(self) -> None:
        assert text("{{ messages[0].role }}", said("developer", "a")) == "system"


class TestStyle:
    CALL = {"function": {"name": "f", "arguments": '{"a": 1}'}}  # noqa: RUF012

    def test_contents_as_lists(self) -> None:
        assert text("{{ messages[0].content[0]['text'] }}", said("user", "hi")) == "hi"

    def test_arguments_as_text(self) -> None:
        source = (
            "{% for m in messages %}{% for c in m.tool_calls %}{{ '=' + c.function.arguments }}{% endfor %}{% endfor %}"
        )
        assert text(source, said("user", "a"), said("assistant", "", tool_calls=[self.CALL])) == '={"a": 1}'

    def test_arguments_that_are_no_json_stay(self) -> None:
        source = "{% for c in messages[0].tool_calls %}{{ c.function.arguments|tojson }}{% endfor %}"
        call = {"function": {"name": "f", "arguments": "not json"}}
        assert text(source, said("assistant", "", tool_calls=[call])) == '"not json"'

    @pytest.mark.parametrize(
        ("source", "expected"),
        [("{{ messages[1].content is none }}", "True"), ("{{ messages[1].content.strip() == '' }}", "True")],
    )
    def test_calls_without_content(self, source: str, expected: str) -> None:
        assert text(source, said("user", "a"), said("assistant", "", tool_calls=[self.CALL])) == expected
