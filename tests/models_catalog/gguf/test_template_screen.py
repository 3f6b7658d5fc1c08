"""Templates as publishers write them pass; those that would choke a parser or compiler do not, and quickly."""

from __future__ import annotations

import pytest

from models_catalog.gguf.screening.template import MAX_NESTING, template_problem
from tests.tiny_models import CHATML, CHATML_THINKING


@pytest.mark.parametrize(
    "template",
    [
        CHATML,
        CHATML_THINKING,
        "",
        "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{% break %}{% endfor %}",
        "{% generation %}{{ messages[-1].content }}{% endgeneration %}",
        "{% set ns = namespace(x=1) %}{% do messages.append(1) %}{{ tools | tojson(indent=4) }}",
        "{% macro f(x) %}{{ x }}{% endmacro %}{% call f(1) %}{% endcall %}{{ raise_exception('no') }}",
        "{{ '<｜User｜>' ~ messages[0]['content'] | trim }}{# 你好 #}",
        "{% if a %}" * 30 + "{% endif %}" * 30,
    ],
)
def test_real_templates_pass(template: str) -> None:
    assert template_problem(template) is None


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}",
        "{% bomb %}",
        "{{ 1 +",
        "{{ 'a",
        "{% if a %}" * 2000 + "{% endif %}" * 2000,
        "{% if a %}" + "{% elif b %}" * (MAX_NESTING + 1) + "{% endif %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "not " * 20_000 + "1 }}",
        "{{ " + "-" * 20_000 + "1 }}",
        "{{ " + "a." * 20_000 + "b }}",
        "{{ " + "1 + " * 10_000 + "1 }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ [" * 3000,
        "字" * 100_000,
    ],
)
def test_others_do_not(template: str) -> None:
    assert template_problem(template)


@pytest.mark.parametrize("template", ["{{ 9 ** 9 ** 9 }}", "{{ 'x' * 10 ** 12 }}", "{{ [0] * 10 ** 10 }}"])
def test_constants_are_not_computed(template: str) -> None:
    assert template_problem(template) is None
