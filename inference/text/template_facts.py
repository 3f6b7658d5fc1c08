"""What a template's syntax tree tells about the strings it works with."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import nodes

_CUTTING = frozenset(("split", "rsplit", "partition", "rpartition", "replace", "removeprefix", "removesuffix"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFacts:
    """literal: strings and names the template compares or looks up. separators: strings it takes out of others."""

    literal: frozenset[str]
    separators: frozenset[str]


def template_facts(tree: nodes.Template) -> TemplateFacts:
    """Read the syntax tree; nothing is run."""
    literal = {node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)}
    literal |= {node.attr for node in tree.find_all(nodes.Getattr)}
    separators: set[str] = set()
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr) and call.node.attr in _CUTTING:
            separators |= _strings(call.args)
    for filtered in tree.find_all(nodes.Filter):
        if filtered.name == "replace":
            separators |= _strings(filtered.args)
    return TemplateFacts(literal=frozenset(literal), separators=frozenset(separators - {""}))


def _strings(arguments: list[nodes.Expr]) -> set[str]:
    return {arg.value for arg in arguments[:1] if isinstance(arg, nodes.Const) and isinstance(arg.value, str)}
