"""Is the chat template a template, small enough, and not nested beyond reason?

It is only parsed here, never compiled or run: constants are folded when a template is compiled, and a hostile one can
make that take for ever. Rendering happens in the engine child, under its limits.
"""

from __future__ import annotations

from collections.abc import Iterator

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from models_catalog.errors import TemplateRefused
from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.header import GgufHeader

MAX_TEMPLATE_BYTES = 256 * 1024
MAX_TEMPLATES = 32
# Real templates nest some 25 deep; a chain of elif counts with its length.
MAX_NESTING = 120
MAX_BRACKETS = 200
_MAX_DIGITS = 20


class _GenerationTag(Extension):
    """The {% generation %} blocks of some publishers, which mark the answer for training; they print what they hold."""

    tags = {"generation"}  # noqa: RUF012  # the base class declares it so

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def check_templates(header: GgufHeader) -> None:
    """Raises TemplateRefused for the first template that is not fit."""
    for key, value in header.values.items():
        if key.startswith("tokenizer.chat_template") and not isinstance(value, str | StringArray):
            raise TemplateRefused(header.path, f"{key} is no text")
    templates = header.chat_templates
    size = sum(map(len, templates.values()))
    if len(templates) > MAX_TEMPLATES or size > 2 * MAX_TEMPLATE_BYTES:
        raise TemplateRefused(header.path, f"{len(templates)} templates of {size} characters")
    for template in templates.values():
        problem = template_problem(template)
        if problem:
            raise TemplateRefused(header.path, problem)


def template_problem(template: str) -> str | None:
    """What is wrong with a template, in technical English; None if nothing is. Takes a second at most."""
    size = len(template.encode("utf-8", "replace"))
    if size > MAX_TEMPLATE_BYTES:
        return f"{size} bytes"
    if problem := _token_problem(template):
        return problem
    environment = ImmutableSandboxedEnvironment(
        extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do", _GenerationTag],
        trim_blocks=True,
        lstrip_blocks=True,
        optimized=False,
        cache_size=0,
    )
    try:
        tree = environment.parse(template)
    except jinja2.TemplateError as error:
        return f"line {getattr(error, 'lineno', '?')}: {error.message}"
    except (RecursionError, ValueError, OverflowError, MemoryError) as error:
        return type(error).__name__
    deepest = max(_depths(tree))
    return f"nested {deepest} deep" if deepest > MAX_NESTING else None


def _token_problem(template: str) -> str | None:
    """Bounds what the recursive parser will meet, before it meets it."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)  # only its lexer is used
    brackets = 0
    run = 0
    try:
        for _, kind, text in environment.lex(template):
            if kind == "operator":
                brackets += (text in "([{") - (text in ")]}")
                run += 1
            elif kind in ("integer", "float") and len(text) > _MAX_DIGITS:
                return f"a number of {len(text)} digits"
            elif kind not in ("whitespace", "name"):
                run = 0
            if brackets > MAX_BRACKETS or run > 4 * MAX_BRACKETS:
                return "too many operators in one expression"
    except jinja2.TemplateError as error:
        return f"line {getattr(error, 'lineno', '?')}: {error.message}"
    return None


def _depths(tree: nodes.Node) -> Iterator[int]:
    stack = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        yield depth
        # A compiled elif is a block within the one before it.
        inner = depth + 1 + (len(node.elif_) if isinstance(node, nodes.If) else 0)
        stack.extend((child, inner) for child in node.iter_child_nodes())
