"""The doctor finds what is wrong, says nothing of what is right, and never raises or hangs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.text import template as template_module
from inference.text.doctor.examine import examine
from inference.text.doctor.values import Diagnosis, Finding, Severity, worst_first
from inference.text.profiles import find_profile
from resources import wording

from .. import templates
from ..test_sandbox import BOMBS, ENDLESS, ESCAPES

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def found(template: str | None, **options: object) -> dict[str, Finding]:
    return {finding.key: finding for finding in examine(template, **options).findings}  # type: ignore[arg-type]


def in_turns(user: str) -> str:
    """ChatML whose user turns are written by this expression or these statements."""
    return CHATML.replace(
        "{{ '<|im_start|>'", "{% if message.role == 'user' %}" + user + "{% else %}{{ '<|im_start|>'", 1
    ).replace("{% endfor %}", "{% endif %}{% endfor %}", 1)


def test_a_good_template_has_little_to_say() -> None:
    diagnosis = examine(CHATML, bos="<s>", eos="</s>")
    assert [finding.key for finding in diagnosis.findings] == ["tools_ignored"]
    assert (diagnosis.severity, diagnosis.usable, diagnosis.offered) == (Severity.NOTE, True, None)


@pytest.mark.parametrize("template", [None, "", "  \n"])
def test_without_a_template_the_profile_is_offered(template: str | None) -> None:
    diagnosis = examine(template, profile=find_profile("qwen1"))
    assert [finding.key for finding in diagnosis.findings] == ["missing"]
    assert (diagnosis.severity, diagnosis.offered) == (Severity.BROKEN, "qwen1")


def test_a_usable_template_is_never_replaced() -> None:
    assert examine(CHATML, profile=find_profile("alpaca")).offered is None


class TestTurns:
    @pytest.mark.parametrize(
        ("template", "key"),
        [
            ("{{ messages[0].content }}", "turns_lost"),
            (CHATML.replace("in messages", "in messages[::-1]"), "turns_disordered"),
            ("{{ bos_token }}", "question_lost"),
            ("{{ raise_exception('no') }}", "refuses_all"),
            (CHATML.partition("{% if")[0], "no_generation_prompt"),
            (templates.ALTERNATING, "orders_refused"),
        ],
    )
    def test_what_is_lost(self, template: str, key: str) -> None:
        assert key in found(template)

    def test_the_refusals_own_words(self) -> None:
        assert found("{{ raise_exception('no chats') }}")["refuses_all"].fields == {"detail": "no chats"}

    @pytest.mark.parametrize(
        ("system", "key"),
        [("{{ raise_exception('no system') }}", "system_refused"), ("", "system_ignored")],
    )
    def test_system(self, system: str, key: str) -> None:
        template = CHATML.replace(
            "{{ '<|im_start|>'",
            "{% if message.role == 'system' %}" + system + "{% continue %}{% endif %}{{ '<|im_start|>'",
            1,
        )
        assert key in found(template)

    def test_a_merged_system_prompt(self) -> None:
        profile = find_profile("llama-2")
        assert profile is not None
        assert "system_merged" in found(profile.template, bos="<s>", eos="</s>")

    def test_its_own_system_prompt(self) -> None:
        profile = find_profile("qwen1")
        assert profile is not None
        assert "You are a helpful assistant." in found(profile.template)["default_system"].fields["prompt"]


class TestContents:
    def test_trimmed(self) -> None:
        assert found(CHATML.replace("message.content", "message.content | trim"))["content_trimmed"].fields == {
            "roles": "system, user, assistant"
        }

    def test_changed(self) -> None:
        assert "content_changed" in found(
            in_turns("{{ '<|im_start|>user\\n' ~ message.content | e ~ '<|im_end|>\\n' }}")
        )

    def test_dated(self) -> None:
        assert "dated" in found("{{ strftime_now('%Y-%m-%d') }}" + CHATML)

    def test_bos_twice(self) -> None:
        assert "bos_doubled" in found("{{ bos_token }}{{ bos_token }}" + CHATML, bos="<s>")


class TestConditions:
    @pytest.mark.parametrize(
        "condition",
        [
            "'台湾问题' in message.content",
            "message.content.startswith('secret word')",
            "message['content'] == 'hello'",
            "message.content | lower == 'hello'",
            "message.content.count('bad') > 0",
            "message.content.split(' ')[0] == 'please'",
            "('forb' ~ 'idden') in message.content",
        ],
    )
    def test_words_in_messages(self, condition: str) -> None:
        finding = found(
            "{% for message in messages %}{% if " + condition + " %}{{ 'refuse!' }}{% endif %}{% endfor %}" + CHATML
        )["content_condition"]
        assert finding.severity is Severity.WARNING
        assert "user" in finding.fields["roles"]

    def test_words_in_a_list(self) -> None:
        template = (
            "{% set words = ['first', 'second one'] %}{% for message in messages %}{% for word in words %}"
            "{% if word in message.content %}{{ 'refuse!' }}{% endif %}{% endfor %}{% endfor %}" + CHATML
        )
        prompt = found(template)
        assert prompt["content_condition"].fields["words"] == "first  second one"
        assert "hidden_condition" not in prompt

    @pytest.mark.parametrize(
        "condition",
        [
            "message.content | length > 40",
            "('DERUSNEC' | lower | reverse) in message.content",
            "message.content[7:9] == 'xy'",
            "bos_token in message.content",
        ],
    )
    def test_conditions_that_strings_do_not_tell(self, condition: str) -> None:
        template = (
            "{% for message in messages %}{% if " + condition + " %}{{ 'refuse!' }}{% endif %}{% endfor %}" + CHATML
        )
        assert found(template, bos="<s>")["hidden_condition"].severity is Severity.WARNING

    @pytest.mark.parametrize(
        "harmless",
        ["message.content", "message.content is string", "message.content | length > 0", "message.content is not none"],
    )
    def test_what_every_template_asks(self, harmless: str) -> None:
        keys = found("{% for message in messages %}{% if " + harmless + " %}{% endif %}{% endfor %}" + CHATML).keys()
        assert not keys & {"content_condition", "hidden_condition", "format_words"}

    def test_format_words_are_no_censorship(self) -> None:
        prompt = found(templates.QWEN3)
        assert "content_condition" not in prompt
        assert "</think>" in prompt["format_words"].fields["words"]


class TestToolsAndThinking:
    def test_hermes(self) -> None:
        assert examine(templates.QWEN25).tools == "hermes"

    def test_lost_results(self) -> None:
        assert "results_lost" in found(
            templates.QWEN25.replace('{%- elif message.role == "tool" %}', "{%- elif false %}")
        )

    @pytest.mark.parametrize(
        ("template", "how"),
        [
            (templates.QWEN25, None),
            (templates.QWEN3, "variable"),
            (templates.DEEPSEEK_R1, "always"),
            (templates.DEEPSEEK_V31, "variable"),
            (
                in_turns(
                    "{{ '<|im_start|>user\\n' ~ message.content ~ ('/no_think' if enable_thinking is false) }}"
                    "{{ '<|im_end|>\\n' }}"
                )
                + "{# <think></think> #}",
                "soft",
            ),
            (CHATML + "{# <think></think> #}", "never"),
        ],
    )
    def test_switch(self, template: str, how: str | None) -> None:
        assert examine(template).thinking == how

    def test_names_of_the_switch(self) -> None:
        assert found(templates.DEEPSEEK_V31)["thinking_variable"].fields["variable"] == "thinking"


def test_differences_from_the_familys_profile() -> None:
    finding = found(CHATML.replace("'<|im_end|>\\n'", "'\\n'"), profile=find_profile("yi"))["differs_from_profile"]
    assert "<|im_end|>" in finding.fields["expected"]
    assert "<|im_end|>" not in finding.fields["found"]
    assert "differs_from_profile" not in found(CHATML, profile=find_profile("yi"))


class TestHostile:
    @pytest.mark.parametrize("template", [*ESCAPES, *BOMBS, *ENDLESS])
    def test_nothing_escapes_and_nothing_hangs(self, template: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(template_module, "_PROBE_SECONDS", 0.1)
        began = time.monotonic()
        source = template if template in ENDLESS else CHATML + template
        diagnosis = examine(source, bos="<s>", eos="</s>", seconds=0.3, profile=find_profile("yi"))
        assert (diagnosis.severity, diagnosis.offered) == (Severity.BROKEN, "yi"), diagnosis
        assert time.monotonic() - began < 10

    @pytest.mark.parametrize(
        ("template", "key"),
        [
            ("{% if false %}{% include 'x' %}{% endif %}", "dangerous"),
            ("{% if false %}{{ ''.__class__ }}{% endif %}", "dangerous"),
            ("{% if false %}{{ ''|attr('__class__') }}{% endif %}", "dangerous"),
            ("{% if false %}{{ range(10**9) }}{% endif %}", "heavy"),
            ("{% if false %}{{ range(99999999) }}{% endif %}", "heavy"),
            ("{% if false %}{{ 'a' * 99999999 }}{% endif %}", "heavy"),
        ],
    )
    def test_what_sleeps_is_found_too(self, template: str, key: str) -> None:
        assert found(CHATML + template)[key].severity is Severity.WARNING

    def test_out_of_time(self) -> None:
        assert "unfinished" in found(CHATML, seconds=0.0)


_PIECES = st.sampled_from(
    (
        *("{% for message in messages %}", "{% endfor %}", "{% if ", "{% endif %}", "{{ ", " }}", " %}", "{% set x = "),
        *(
            "message.content",
            "messages",
            "'a'",
            " in ",
            " == ",
            " ~ ",
            "range(9)",
            "x",
            "|",
            "length",
            ".split(",
            ")",
            "[0]",
        ),
        *(
            "tools",
            "{% macro f(content) %}",
            "{% endmacro %}",
            "f(",
            "loop.index0",
            "namespace(a=1)",
            "raise_exception(",
            "-",
        ),
    )
)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(_PIECES, max_size=14).map("".join),
        st.lists(_PIECES, max_size=8).map(lambda parts: CHATML + "".join(parts)),
    )
)
def test_any_template(template: str) -> None:
    diagnosis = examine(template, bos="<s>", eos="</s>", seconds=0.5)
    assert diagnosis.findings
    for finding in diagnosis.findings:
        for language in ("zh", "en"):
            assert wording.text(f"doctor.finding.{finding.key}", language, **finding.fields)


def test_worst_first() -> None:
    findings = [Finding(key=severity.value, severity=severity) for severity in Severity]
    assert [finding.key for finding in worst_first(findings)] == ["broken", "warning", "note", "fine"]
    assert Diagnosis(findings=()).severity is Severity.FINE
