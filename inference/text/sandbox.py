"""The jinja2 environment chat templates run in: what transformers offers them, without escapes and without bombs."""

from __future__ import annotations

import functools
import html
import json
import re
import types
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import loopcontrols
from jinja2.runtime import Context, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter

from inference.text.guarded_code import Generation, GuardedCode, instrument
from inference.text.limits import MAX_ITEMS, MAX_SOURCE_CHARS, MAX_WIDTH, LimitExceeded, Meter

_REMOVED_FILTERS = ("pprint", "random", "urlize", "wordwrap", "xmlattr")

_STRING_METHODS = (
    *("capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format", "format_map", "index"),
    *("isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable"),
    *("isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "partition", "removeprefix"),
    *("removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines"),
    *("startswith", "strip", "swapcase", "title", "upper", "zfill"),
)
_LIST_METHODS = ("append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort")

# Methods templates may call on values, by type; everything else that a value has is out of reach.
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(_STRING_METHODS),
    # Lists and dicts are copies made for this rendering, so templates may change them (Kimi K2 queues tool calls).
    list: frozenset(_LIST_METHODS),
    dict: frozenset(["clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"]),
    tuple: frozenset(("count", "index")),
    bool: frozenset(),
    int: frozenset(),
    float: frozenset(("is_integer",)),
    bytes: frozenset(),
}
# "*" takes the width from the values.
_WIDE_PERCENT = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(?:[\d.]*\d{5}|[\d.]*\*)")
_PADDING = frozenset(("center", "ljust", "rjust", "zfill", "expandtabs"))


class TemplateRaised(Exception):
    """The template itself refused the conversation with `raise_exception(message)`."""


class _Formatter(SandboxedFormatter):
    def __init__(self, environment: SandboxEnvironment) -> None:
        super().__init__(environment)
        self._sandbox = environment

    def format_field(self, value: Any, format_spec: str) -> str:
        _check_widths(format_spec)
        text: str = super().format_field(self._sandbox.meter.will_be_text(value), format_spec)
        return str(self._sandbox.meter.made(text))


class SandboxEnvironment(ImmutableSandboxedEnvironment):
    """Compiles and renders chat templates under limits. Not thread safe: one rendering at a time.

    on_item, on_loop_end: called at the beginning of each loop iteration with the loop's item, and after each loop.
    """

    intercepted_binops = frozenset(("+", "*", "**", "%"))
    code_generator_class = GuardedCode

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[loopcontrols, Generation],
            optimized=False,  # constants would be computed while compiling
            finalize=_finalize,
            cache_size=0,
        )
        self.meter = Meter()
        self.now = datetime.min
        self.on_item: Callable[[Any], None] = lambda item: None
        self.on_loop_end: Callable[[], None] = lambda: None
        del self.globals["lipsum"]
        self.globals |= {"raise_exception": _raise_exception, "strftime_now": self._strftime_now}
        for name in _REMOVED_FILTERS:
            del self.filters[name]
        self.filters |= {
            "tojson": _tojson,
            "from_json": json.loads,
            "format": self._format_filter,
            "items": _items,
            "safe": str,
            "e": _escaped,
            "escape": _escaped,
            "forceescape": _escaped,
        }
        for name, function in self.filters.items():
            self.filters[name] = self._guarded_filter(name, function)

    def compile_guarded(self, tree: nodes.Template) -> jinja2.Template:
        """Compile a parsed template whose loops report to `on_item` and `on_loop_end`."""
        instrument(tree)
        return jinja2.Template.from_code(self, self.compile(tree), dict(self.globals))

    def parse_limited(self, source: str) -> nodes.Template:
        """The syntax tree of a template. LimitExceeded for a long one, jinja2.TemplateSyntaxError for a wrong one."""
        if len(source) > MAX_SOURCE_CHARS:
            raise LimitExceeded("source")
        return self.parse(source)

    # Called by compiled templates.

    def made(self, value: Any) -> Any:
        """Counts a value that an expression made."""
        return self.meter.made(value)

    def joined(self, parts: tuple[Any, ...]) -> str:
        """`a ~ b ~ c`."""
        self.meter.reserve(sum(len(part) for part in parts if isinstance(part, str)))
        for part in parts:
            self.meter.will_be_text(part)
        return str_join(parts)

    def concat(self, parts: Iterable[str]) -> str:
        """Text of a macro or a `set` block."""
        parts = list(parts)
        self.meter.reserve(sum(map(len, parts)))
        return "".join(parts)

    def loop_item(self, item: Any) -> None:
        """A loop iteration begins."""
        self.meter.step()
        self.on_item(item)

    def loop_end(self) -> None:
        """A loop has ended."""
        self.on_loop_end()

    # Hooks of jinja2's sandbox.

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        allowed = _METHODS.get(type(obj))
        if allowed is not None:
            return attr in allowed
        return super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        match operator:
            case "+" if isinstance(left, (str, list, tuple)) and isinstance(right, (str, list, tuple)):
                self.meter.reserve(len(left) + len(right))
            case "*":
                self._check_product(left, right)
            case "**":
                _check_power(left, right)
            case "%" if isinstance(left, str):
                return self._percent(left, right)
        value = self.binop_table[operator](left, right)
        return value if isinstance(value, str) else self.meter.made(value)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        __self.meter.step()
        owner = getattr(__obj, "__self__", None)
        if isinstance(__obj, types.BuiltinMethodType) and owner is not None:
            if isinstance(owner, str) and __obj.__name__ == "join":
                args = tuple(map(_listed, args))
            __self._check_method(owner, __obj.__name__, args, kwargs)
        return __self.meter.made(super().call(__context, __obj, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        if super().wrap_str_format(value) is None:
            return None
        template = str(value.__self__)
        formatter = _Formatter(self)

        def formatted(*args: Any, **kwargs: Any) -> str:
            return formatter.vformat(template, args, kwargs)

        def formatted_map(mapping: Any) -> str:
            return formatter.vformat(template, (), mapping)

        return formatted_map if value.__name__ == "format_map" else formatted

    # Checks before an operation.

    def _check_product(self, left: Any, right: Any) -> None:
        for one, other in ((left, right), (right, left)):
            if isinstance(one, (str, list, tuple)) and isinstance(other, int):
                self.meter.reserve(len(one) * max(0, other))

    def _percent(self, template: str, values: Any) -> str:
        if _WIDE_PERCENT.search(template):
            raise LimitExceeded("width")
        each = values.values() if isinstance(values, dict) else values if isinstance(values, tuple) else (values,)
        fields = template.count("%")
        for value in each:
            self.meter.will_be_text(value)
            self.meter.reserve(len(value) * fields if isinstance(value, str) else fields)
        return str(self.meter.made(template % values))

    def _format_filter(self, template: Any, *args: Any, **kwargs: Any) -> str:
        return self._percent(str(template), kwargs or args)

    def _check_method(self, owner: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if isinstance(owner, str):
            if name in _PADDING:
                _check_numbers((*args, *kwargs.values()))
                self.meter.reserve(len(owner) * (MAX_WIDTH if name == "expandtabs" and "\t" in owner and args else 1))
            elif name == "replace" and len(args) >= 2:
                self._check_replace(owner, args[0], args[1])
            elif name == "join" and args:
                self._check_join(owner, args[0])
        elif isinstance(owner, (list, dict)):
            if len(owner) > MAX_ITEMS:
                raise LimitExceeded("size")
            for arg in args:
                self.meter.made(arg)  # put into the container, a shared one again and again

    def _check_replace(self, text: str, old: Any, new: Any) -> None:
        if isinstance(old, str) and isinstance(new, str):
            self.meter.reserve(len(text) + text.count(old) * len(new))

    def _check_join(self, separator: Any, parts: Any) -> None:
        if isinstance(parts, (list, tuple, dict, str, range)):
            self.meter.reserve(
                len(str(separator)) * len(parts) + sum(len(part) for part in parts if isinstance(part, str))
            )

    def _guarded_filter(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        passed = 1 if hasattr(function, "jinja_pass_arg") else 0

        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self.meter.step()
            if name == "join":
                args = (*args[:passed], *map(_listed, args[passed : passed + 1]), *args[passed + 1 :])
            values = args[passed:]
            _check_numbers((*values[1:], *kwargs.values()))
            if name not in _READS_ONLY:
                for value in values:
                    self.meter.will_be_text(value)
            if name == "replace" and len(values) >= 3:
                self._check_replace(str(values[0]), values[1], values[2])
            elif name == "join":
                self._check_join(values[1] if len(values) > 1 else kwargs.get("d", ""), values[0])
            elif name == "indent":
                width = values[1] if len(values) > 1 else kwargs.get("width", 4)
                unit = len(width) if isinstance(width, str) else width
                self.meter.reserve(len(str(values[0])) + (str(values[0]).count("\n") + 1) * unit)
            return self.meter.made(function(*args, **kwargs))

        return guarded

    def _strftime_now(self, layout: str) -> str:
        if len(layout) > 256:
            raise LimitExceeded("width")
        return self.now.strftime(layout)


# Filters that look at a container without writing it as text.
_READS_ONLY = frozenset(
    (
        *("attr", "batch", "count", "d", "default", "dictsort", "first", "groupby", "items", "last", "length", "list"),
        *("map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "slice", "sort", "sum"),
        "unique",
    )
)


@jinja2.pass_context
def _finalize(context: Context, value: Any) -> Any:
    """Every value a template writes passes here. As it takes the context, jinja2 computes no output while compiling."""
    if isinstance(value, (list, tuple, dict)):
        environment = context.environment
        assert isinstance(environment, SandboxEnvironment)
        environment.meter.will_be_text(value)
    return value


def _escaped(value: Any) -> str:
    """HTML escapes as a plain string: jinja2's own would escape whatever is added to it later."""
    return html.escape(str(value))


def _raise_exception(message: Any = "") -> NoReturn:
    raise TemplateRaised(str(message))


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """As transformers has it: no HTML escapes, keys in their order, Chinese as it is."""
    if isinstance(indent, (int, str)) and (indent if isinstance(indent, int) else len(indent)) > 16:
        raise LimitExceeded("width")
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    """Pairs of a mapping; nothing for an undefined value."""
    if isinstance(value, jinja2.Undefined):
        return []
    if not isinstance(value, dict):
        raise TypeError("items needs a mapping")
    return list(value.items())


def _check_numbers(values: Iterable[Any]) -> None:
    if any(isinstance(value, int) and abs(value) > MAX_WIDTH for value in values):
        raise LimitExceeded("width")


def _check_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > MAX_WIDTH:
        raise LimitExceeded("number")


def _listed(parts: Any) -> Any:
    """A generator as a list, so that its length is known."""
    return list(islice(parts, MAX_ITEMS)) if isinstance(parts, Iterator) else parts


def _check_widths(layout: str) -> None:
    """A number of five digits and more in a format is a width or a precision that no chat needs."""
    digits = 0
    for char in layout:
        digits = digits + 1 if char.isdigit() else 0
        if digits > 4:
            raise LimitExceeded("width")
