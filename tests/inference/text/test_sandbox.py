"""Templates come from strangers: no way out, no bombs."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from inference.errors import TemplateFailed
from inference.text import template as template_module
from inference.text.limits import LimitExceeded, Meter
from inference.text.template import ChatTemplate
from inference.values import ChatMessage, ChatPrompt

ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ messages.__class__.__init__.__globals__ }}",
    "{{ raise_exception.__globals__.x }}",
    "{{ strftime_now.__self__.x }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context.environment }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ (''|attr('__class__')).x }}",
    "{{ '{0.__class__.__mro__}'.format('') }}",
    "{{ ('{0.__class__.__mro__}'|attr('format'))('') }}",
    "{{ ['{0.__class__.__mro__}']|map('format', '')|first }}{{ [''.format]|map('attr', '__self__')|first.x }}",
    "{{ (messages|map('upper')).gi_frame.f_globals }}",
    "{{ 'a'.encode() }}",
    "{{ 'a'.translate({97: 'b'}) }}",
    "{{ (1).to_bytes(8) }}",
    "{{ dict.mro() }}",
    "{% include 'a' %}",
    "{% import 'os' as os %}",
    "{% extends 'a' %}",
]
BOMBS = [
    "{{ 'a' * 10**9 }}",
    "{{ [0] * 10**9 }}",
    "{{ 10 ** (9 ** 9) }}",
    "{{ 'a'|center(10**9) }}",
    "{{ 'a'.center(10**9) }}",
    "{{ ('x'|safe).center(10**9) }}",
    "{{ 'a\tb'.expandtabs(10**9) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (10**9, 1) }}",
    "{{ '%.999999999f'|format(1.5) }}",
    "{{ '{:>1000000000}'.format('x') }}",
    "{{ '{:>{w}}'.format('x', w=10**9) }}",
    "{{ 'a'|indent(10**9, true) }}",
    "{{ range(10**9) }}",
    "{{ 1.5|round(10**9, 'ceil') }}",
    "{{ [1]|batch(10**9, 'x')|list }}",
    "{{ [1]|slice(10**9)|list }}",
    "{{ {'a': 1}|tojson(indent=10**9) }}",
    "{{ strftime_now('%Y' * 10**6) }}",
    "{{ lipsum(n=10**9) }}",
    "{% set x = 'a' * 4000000 %}{{ x.replace('a', x) }}",
    "{% set x = 'a' * 4000000 %}{{ x|replace('a', x) }}",
    "{{ range(100000)|map('string')|join('x' * 10000000) }}",
    "{{ ('x' * 10000000).join(range(100000)|map('string')) }}",
    "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{{ x }}{% endfor %}",
    "{% set x = 'a' * 1000000 %}{% set l = [] %}{% for i in range(99999) %}{% set _ = l.append(x ~ i) %}{% endfor %}",
    "{% set x = 'a' * 1000000 %}{% set l = [] %}{% for i in range(99999) %}{% set _ = l.append(x[1:]) %}{% endfor %}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=1) %}{% for i in range(60) %}{% set n.x = {'a': n.x, 'b': n.x} %}{% endfor %}",
    "{% set n = namespace(x=1) %}{% for i in range(60) %}{% set n.x = (n.x, n.x) %}{% endfor %}{{ n.x == 1 }}",
    "{% set l = [1] %}{% for i in range(60) %}{% set _ = l.extend(l) %}{% endfor %}",
    "{% set l = [] %}{% set _ = l.append([l]) %}{{ l }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{% if a %}" * 500 + "{% endif %}" * 500,
    "x" * 300_000,
]
ENDLESS = [
    "{% set r = range(100000) %}{% for a in r %}{% for b in r %}{% for c in r %}{% endfor %}{% endfor %}{% endfor %}",
    "{% set r = range(100000) %}{% for a in r %}{% for b in r if false %}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% set r = range(100000)|list %}{% for a in r %}{% set _ = r.reverse() %}{% endfor %}",
]


def _render(source: str) -> str:
    template = ChatTemplate.compile(source, bos_token="", eos_token="", control_texts=frozenset())
    messages = (ChatMessage(role="user", content="hi"),)
    return template.render(ChatPrompt(messages=messages), now=datetime(2025, 1, 2)).text


@pytest.mark.parametrize("source", ESCAPES)
def test_no_way_out(source: str) -> None:
    with pytest.raises(TemplateFailed):
        _render(source)


@pytest.mark.parametrize("source", BOMBS, ids=range(len(BOMBS)))
def test_bombs_do_not_go_off(source: str) -> None:
    started = time.process_time()
    with pytest.raises(TemplateFailed):
        _render(source)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("source", ENDLESS, ids=range(len(ENDLESS)))
def test_endless_templates_are_stopped(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_module, "_PROBE_SECONDS", 0.05)
    monkeypatch.setattr(template_module, "RENDER_SECONDS", 0.1)
    with pytest.raises(TemplateFailed) as caught:
        _render(source)
    assert "time" in caught.value.detail


def test_nothing_of_a_template_is_computed_while_it_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(ChatTemplate, "_run", refuse)
    source = "{{ 'a' * 9 }}{{ 'a'|center(9) }}{{ raise_exception('x') }}{{ 'a' ~ 'b' }}{{ 'a'.upper() }}"
    monkeypatch.setattr("inference.text.sandbox._raise_exception", refuse)
    monkeypatch.setattr("inference.text.sandbox.SandboxEnvironment.joined", refuse)
    ChatTemplate.compile(source, bos_token="", eos_token="", control_texts=frozenset())


def test_the_meter_counts_what_is_shared_as_often_as_it_is_met() -> None:
    value: object = "a"
    for _ in range(30):
        value = [value, value]
    with pytest.raises(LimitExceeded):
        Meter().will_be_text(value)


def test_the_meter_obeys_its_clock() -> None:
    now = [0.0]
    meter = Meter(seconds=1, clock=lambda: now[0])
    meter.check_time()
    now[0] = 2
    with pytest.raises(LimitExceeded):
        for _ in range(1000):
            meter.step()
