"""Files with chat templates that are faulty, huge, or hostile when they are compiled or rendered."""

from __future__ import annotations

from collections.abc import Iterator

from tests.models_catalog.gguf.gguf_bytes import GgufPieces
from tests.models_catalog.gguf.hostile.case import TEXT, UINT32, Case


def templates(pieces: GgufPieces) -> Iterator[Case]:
    templates = {
        "empty": "",
        "no tags": "hello",
        "unclosed": "{% for m in messages %}{{ m.content }}",
        "unknown tag": "{% bomb %}",
        "unknown filter": "{{ messages | explode }}",
        "300 KB": "x" * 300_000,
        "deep brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "150 brackets": "{{ " + "[" * 150 + "1" + "]" * 150 + " }}",
        "deep ifs": "{% if true %}" * 2000 + "{% endif %}" * 2000,
        "deep fors": "{% for x in messages %}" * 60 + "{% endfor %}" * 60,
        "many elifs": "{% if a %}" + "{% elif b %}x" * 5000 + "{% endif %}",
        "long chain": "{{ " + " + ".join(["1"] * 20_000) + " }}",
        "nots": "{{ " + "not " * 50_000 + "1 }}",
        "minuses": "{{ " + "-" * 50_000 + "1 }}",
        "attributes": "{{ a" + ".b" * 50_000 + " }}",
        "filters": "{{ a" + "|upper" * 20_000 + " }}",
        "power": "{{ 9 ** 9 ** 9 }}",
        "long number": "{{ " + "9" * 20_000 + " }}",
        "repeated text": "{{ 'x' * 10000000000 }}",
        "repeated list": "{{ [0] * 10000000000 }}",
        "endless loop": "{% for i in range(99999) %}{% for j in range(99999) %}{{ i }}{% endfor %}{% endfor %}",
        "doubling": "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s * 2 %}{% endfor %}{{n.s}}",
        "recursive macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "include": "{% include '/etc/passwd' %}",
        "escape": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "format": "{{ '%9999999999d' | format(1) }}",
        "wide format": "{{ '{:9999999999}'.format(1) }}",
        "center": "{{ 'x'.center(10000000000) }}",
        "raises": "{{ raise_exception('no') }}",
        "zero division": "{{ 1 / 0 }}",
        "zero byte": "a\0b{{ messages }}",
        "expensive words": "{{ " + "a" * 200_000 + " }}",
        "open comments": "{#" * 50_000,
        "open blocks": "{%" * 50_000,
        "blanks": "{{ 1 " + " " * 200_000 + "!",
        "set": "{% set x = " * 2000,
    }
    for name, template in templates.items():
        yield Case("template", name, pieces.with_value("tokenizer.chat_template", template.encode()))
    yield Case("template", "no UTF-8", pieces.with_value("tokenizer.chat_template", b"\xff{{ messages }}"))
    yield Case("template", "a number", pieces.with_pair("tokenizer.chat_template", UINT32, 1))
    many = pieces
    for index in range(100):
        many = many.with_pair(f"tokenizer.chat_template.t{index}", TEXT, b"{{ 1 }}")
    yield Case("template", "a hundred", many)
