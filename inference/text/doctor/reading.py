"""What a template's syntax tree tells: strings, variables, constructs that no chat needs, hidden conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes

from inference.text.limits import MAX_WIDTH
from inference.text.sandbox import SandboxEnvironment

_CONTENT = frozenset(("content", "reasoning_content", "text"))
_LOOKS_INTO = frozenset(("startswith", "endswith", "find", "rfind", "index", "rindex", "count", "__contains__"))
# Change a text only at its edges, or not at all.
_PLAIN_CALLS = frozenset(("strip", "lstrip", "rstrip"))
_PLAIN_FILTERS = frozenset(("trim", "string", "default", "d", "safe"))
_LENGTH = frozenset(("length", "count"))
_STRANGE_NAMES = frozenset(("lipsum", "cycler", "joiner", "self"))
_EXCERPT = 120
# No walk visits more than this; the longest real template has some 3,000 nodes.
_MAX_NODES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """literals: the template's own strings. names: all that it reads. variables: those that it sets nowhere itself.

    dangers, heavy: constructs by name.

    hidden: lines with conditions on a message's words that cannot be told from strings alone. sliced: strings that are
    compared with a part of a message.
    """

    literals: tuple[str, ...]
    names: frozenset[str]
    variables: frozenset[str]
    dangers: tuple[str, ...]
    heavy: tuple[str, ...]
    hidden: tuple[int, ...]
    sliced: frozenset[str]


def read_template(tree: nodes.Template, environment: SandboxEnvironment) -> Reading:
    """Nothing is run. The tree is as parsed, not instrumented."""
    every = _walk(tree)
    constants = _constants(every)
    tainted = _tainted(every)
    hidden, sliced = _conditions(every, tainted, constants, _measured(every, tainted))
    return Reading(
        literals=tuple(dict.fromkeys(text for text in _literals(every) if text.strip())),
        names=frozenset(node.name for node in every if isinstance(node, nodes.Name) and node.ctx == "load"),
        variables=_variables(every) - environment.globals.keys(),
        dangers=tuple(dict.fromkeys(_dangers(every))),
        heavy=tuple(dict.fromkeys(_heavy(every))),
        hidden=tuple(dict.fromkeys(hidden)),
        sliced=frozenset(sliced),
    )


def _walk(tree: nodes.Node) -> list[nodes.Node]:
    found: list[nodes.Node] = []
    stack = [tree]
    while stack and len(found) < _MAX_NODES:
        node = stack.pop()
        found.append(node)
        stack += reversed(list(node.iter_child_nodes()))
    return found


def _folded(node: nodes.Node) -> str | None:
    """A constant text, also one that is put together from constants."""
    if isinstance(node, nodes.Const):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, nodes.Add):
        parts = [_folded(node.left), _folded(node.right)]
    elif isinstance(node, nodes.Concat):
        parts = [_folded(part) for part in node.nodes]
    else:
        return None
    return None if None in parts else "".join(part for part in parts if part is not None)


def _literals(every: list[nodes.Node]) -> Iterator[str]:
    for node in every:
        text = _folded(node) if isinstance(node, nodes.Const | nodes.Add | nodes.Concat) else None
        if text is not None:
            yield text


def _constants(every: list[nodes.Node]) -> frozenset[str]:
    """Names that only ever hold constant texts, or run over constant lists."""
    constant: set[str] = set()
    other: set[str] = set()
    for node in every:
        if isinstance(node, nodes.Assign):
            values = node.node.items if isinstance(node.node, nodes.List | nodes.Tuple) else [node.node]
            (constant if all(_folded(value) is not None for value in values) else other).update(_names(node.target))
        elif isinstance(node, nodes.For):
            fixed = isinstance(node.iter, nodes.List | nodes.Tuple) and all(
                _folded(value) is not None for value in node.iter.items
            )
            known = isinstance(node.iter, nodes.Name) and node.iter.name in constant
            (constant if fixed or known else other).update(_names(node.target))
    return frozenset(constant - other)


def _names(target: nodes.Node) -> Iterator[str]:
    if isinstance(target, nodes.Name):
        yield target.name
    elif isinstance(target, nodes.NSRef):
        yield f"{target.name}.{target.attr}"
    else:
        for part in target.iter_child_nodes():
            yield from _names(part)


def _tainted(every: list[nodes.Node]) -> frozenset[str]:
    """Names that may hold a message's words."""
    macros = {node.name: node for node in every if isinstance(node, nodes.Macro)}
    tainted: set[str] = set()
    for _ in range(8):  # as many steps as a text is passed on
        before = len(tainted)
        for node in every:
            if isinstance(node, nodes.Assign) and _is_words(node.node, tainted):
                tainted.update(_names(node.target))
            elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in macros:
                parameters = macros[node.node.name].args
                tainted.update(
                    parameter.name
                    for parameter, given in zip(parameters, node.args, strict=False)
                    if _is_words(given, tainted)
                )
        if len(tainted) == before:
            break
    return frozenset(tainted)


def _is_words(node: nodes.Node, tainted: set[str] | frozenset[str]) -> bool:
    """The expression is made of a message's words."""
    if isinstance(node, nodes.Name):
        return node.name in tainted
    if isinstance(node, nodes.Getattr):
        name = f"{node.node.name}.{node.attr}" if isinstance(node.node, nodes.Name) else ""
        return node.attr in _CONTENT or name in tainted or (node.attr not in _CONTENT and _is_words(node.node, tainted))
    if isinstance(node, nodes.Getitem):
        key = node.arg.value if isinstance(node.arg, nodes.Const) else None
        return key in _CONTENT or _is_words(node.node, tainted)
    if isinstance(node, nodes.Compare | nodes.Test | nodes.Not):
        return False
    if isinstance(node, nodes.CondExpr):
        return _is_words(node.expr1, tainted) or (node.expr2 is not None and _is_words(node.expr2, tainted))
    return any(_is_words(child, tainted) for child in node.iter_child_nodes())


def _conditions(
    every: list[nodes.Node], tainted: frozenset[str], constants: frozenset[str], measured: frozenset[str]
) -> tuple[list[int], list[str]]:
    hidden: list[int] = []
    sliced: list[str] = []

    def look(words: nodes.Node, other: nodes.Node) -> None:
        number = _measures(words) or (isinstance(words, nodes.Name) and words.name in measured)
        if isinstance(other, nodes.Const) and not isinstance(other.value, str):
            if number and isinstance(other.value, int) and other.value > 1:
                hidden.append(words.lineno)
        elif number:
            return  # compared with another count, no fixed one
        elif (text := _folded(other)) is not None:
            if text and not _is_plain(words):
                sliced.append(text)
        elif isinstance(other, nodes.List | nodes.Tuple):
            for item in other.items:
                look(words, item)
        elif not (isinstance(other, nodes.Name) and other.name in constants) and not _is_words(other, tainted):
            hidden.append(words.lineno)

    for node in every:
        if isinstance(node, nodes.Compare):
            left: nodes.Node = node.expr
            for operand in node.ops:
                right = operand.expr
                if _is_words(left, tainted):
                    look(left, right)
                elif _is_words(right, tainted):
                    look(right, left)
                left = right
        elif (
            isinstance(node, nodes.Call)
            and isinstance(node.node, nodes.Getattr)
            and node.node.attr in _LOOKS_INTO
            and node.args
            and _is_words(node.node.node, tainted)
        ):
            look(node.node.node, node.args[0])
    return hidden, sliced


def _measured(every: list[nodes.Node], tainted: frozenset[str]) -> frozenset[str]:
    """Names that hold numbers made of a message's words."""
    return frozenset(
        name
        for node in every
        if isinstance(node, nodes.Assign) and _is_words(node.node, tainted)
        if any(map(_measures, [node.node, *node.node.find_all(nodes.Filter), *node.node.find_all(nodes.Call)]))
        for name in _names(node.target)
    )


def _measures(words: nodes.Node) -> bool:
    """A number made of the words: their length, a place in them."""
    if isinstance(words, nodes.Filter):
        return words.name in _LENGTH
    return isinstance(words, nodes.Call) and isinstance(words.node, nodes.Getattr) and words.node.attr in _LOOKS_INTO


def _is_plain(words: nodes.Node) -> bool:
    """The words as they are, but for blanks around them."""
    match words:
        case nodes.Name() | nodes.Getattr():
            return True
        case nodes.Getitem():
            return isinstance(words.arg, nodes.Const) and words.arg.value in _CONTENT
        case nodes.Filter():
            return words.name in _PLAIN_FILTERS and words.node is not None and _is_plain(words.node)
        case nodes.Call() if isinstance(words.node, nodes.Getattr):
            return words.node.attr in _PLAIN_CALLS and _is_plain(words.node.node)
        case nodes.Call():
            return True  # a macro; what it does shows in rendering
        case _:
            return False


def _variables(every: list[nodes.Node]) -> frozenset[str]:
    """Names that are read and that the template sets nowhere itself."""
    names = [node for node in every if isinstance(node, nodes.Name)]
    own = {node.name for node in names if node.ctx != "load"}
    own |= {node.name for node in every if isinstance(node, nodes.Macro)} | {"loop", "caller", "varargs", "kwargs"}
    return frozenset(node.name for node in names) - own


def _dangers(every: list[nodes.Node]) -> Iterator[str]:
    """What has no place in a chat template and that the sandbox refuses."""
    for node in every:
        match node:
            case nodes.Include() | nodes.Import() | nodes.FromImport() | nodes.Extends():
                yield type(node).__name__.lower()
            case nodes.Getattr(attr=str(name)) if name.startswith("_"):
                yield name[:_EXCERPT]
            case nodes.Const(value=str(text)) if "__" in text and not text.strip("_").isupper():
                yield text[:_EXCERPT]
            case nodes.Name(name=name, ctx="load") if name in _STRANGE_NAMES:
                yield name


def _heavy(every: list[nodes.Node]) -> Iterator[str]:
    """Numbers that make a small template produce much."""
    for node in every:
        match node:
            case nodes.Call(node=nodes.Name(name="range"), args=arguments):
                if any(_number(argument) > MAX_WIDTH for argument in arguments):
                    yield "range"
            case nodes.Mul() | nodes.Pow():
                if max(_number(node.left), _number(node.right)) > MAX_WIDTH:
                    yield "*" if isinstance(node, nodes.Mul) else "**"


def _number(node: nodes.Node) -> int:
    if isinstance(node, nodes.Pow) and _number(node.left) > 1 and _number(node.right) > 4:
        return MAX_WIDTH + 1
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, int) else 0
