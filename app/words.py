"""Turns every error into words, an HTTP status and an exit code, from `resources/texts/errors.toml`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from app.errors import RemoteError
from app.values import ErrorBody, Language, PlanChange
from resources import wording

# Said when an error has no words of its own: a bug, but never a crash.
UNKNOWN = "UnexpectedError"
# Texts from model files and logs are shown to terminals: a long or hostile one must not fill or control the screen.
LONGEST_VALUE_CHARACTERS = 600

_OPTIONAL_PART = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def describe(code: str, fields: Mapping[str, Any], language: Language) -> str:
    """The error `code` (an exception's class name) as a sentence. Never raises, whatever the fields are."""
    table = _table(code)
    sentence: str = table[language]
    if code != UNKNOWN:
        fields = {"code": code, **fields}

    def value(name: str) -> str:
        named = table.get(f"{name}_words", {}).get(str(fields.get(name)), {}).get(language)
        return named or shown(name, fields.get(name), language)

    return _filled(sentence, fields, value)


def _filled(sentence: str, fields: Mapping[str, Any], value: Callable[[str], str]) -> str:
    def optional(match: re.Match[str]) -> str:
        names = _PLACEHOLDER.findall(match[1])
        return match[1] if all(fields.get(name) not in (None, "", [], ()) for name in names) else ""

    return _PLACEHOLDER.sub(lambda match: value(match[1]), _OPTIONAL_PART.sub(optional, sentence))


def describe_problem(problem: Mapping[str, Any], language: Language) -> str:
    """What was wrong with one source of a model (a SourceProblem as it crosses a wire), in words. Never raises."""
    kind = str(problem.get("kind"))
    try:
        sentence: str = wording.entry(f"hubs.problem.{kind}")[language]
    except wording.MissingText:
        sentence = wording.entry("hubs.problem.other")[language]
    # A 0 says that there is no such number.
    problem = {name: value or None for name, value in problem.items()}
    said = _filled(sentence, problem, lambda name: shown(name, problem.get(name), language))
    return f"{_harmless(str(problem.get('source')))}{'：' if language == 'zh' else ': '}{said}"


def describe_error(error: BaseException, language: Language) -> str:
    """The exception as a sentence; one that came from the service is said as what it was there."""
    body = error_body(error)
    return describe(body.code, body.fields, language)


def describe_changes(changes: Sequence[PlanChange], language: Language) -> str:
    """In one line, what was lowered after memory ran out; of steps of one kind the first "before" and the last "after".

    Never raises, whatever the fields are.
    """
    folded: dict[str, dict[str, Any]] = {}
    for change in changes:
        before = folded.get(change.kind, {})
        first = {name: value for name, value in before.items() if name.startswith("before")}
        folded[change.kind] = {**change.fields, **first}
    lines = (_describe_change(kind, fields, language) for kind, fields in folded.items())
    return ("" if language == "zh" else " ").join(lines)


def _describe_change(kind: str, fields: Mapping[str, Any], language: Language) -> str:
    try:
        sentence: str = wording.entry(f"plan.ladder.{kind}")[language]
    except wording.MissingText:
        return f"{_harmless(kind)}: {shown('fields', list(fields.values()), language)}"
    return _PLACEHOLDER.sub(lambda match: shown(match[1], fields.get(match[1]), language), sentence)


def error_body(error: BaseException) -> ErrorBody:
    """The exception as it crosses a wire. One that is not ours keeps its message as the field `detail`."""
    if isinstance(error, RemoteError):
        return ErrorBody(code=error.code, fields=error.fields)
    names = tuple(getattr(type(error), "__dataclass_fields__", ()))
    if names or has_words(type(error).__name__):
        fields = {name: _as_json(getattr(error, name)) for name in names}
        return ErrorBody(code=type(error).__name__, fields=fields)
    return ErrorBody(code=UNKNOWN, fields={"detail": f"{type(error).__name__}: {error}"})


def _as_json(value: Any) -> Any:
    """Fields that are values of their own, as they would come back from a wire."""
    if isinstance(value, tuple):
        return tuple(map(_as_json, value))
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def http_status(code: str) -> int:
    """The HTTP status that goes with an error; 500 for one without words."""
    return int(_table(code).get("http", 500))


def exit_code(code: str) -> int:
    """The exit code (1-119) of a command that ended with this error; 1 for one without words."""
    return int(_table(code).get("exit", 1))


def has_words(code: str) -> bool:
    """Whether errors.toml knows this error."""
    try:
        wording.entry(f"errors.{code}")
    except wording.MissingText:
        return False
    return True


def _table(code: str) -> dict[str, Any]:
    return wording.entry(f"errors.{code if has_words(code) else UNKNOWN}")


def shown(name: str, value: Any, language: Language) -> str:
    """A field's value as a person reads it; the name's ending tells the unit (_bytes, _seconds, _tokens)."""
    if value is None or isinstance(value, bool):
        return {None: "?", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        if name.endswith("_bytes"):
            return shown_bytes(value)
        if name.endswith("_seconds"):
            return shown_seconds(value, language)
        if name.endswith("_tokens") or name in ("tokens", "limit", "waiting"):
            return f"{value:,}"
        return str(value)
    if isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value):
        return ("；" if language == "zh" else "; ").join(describe_problem(item, language) for item in value)
    if isinstance(value, list | tuple | set | frozenset):
        return ("、" if language == "zh" else ", ").join(_harmless(str(item)) for item in value)
    return _harmless(str(value))


def shown_bytes(count: float) -> str:
    """Bytes in decimal units, as hubs and disk makers count: "491 MB", "1.12 GB"."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if abs(count) >= size * 0.9995:
            number = count / size
            digits = 0 if number >= 99.95 else 1 if number >= 9.995 else 2
            return f"{number:.{digits}f} {unit}"
    return f"{count:.0f} B"


def shown_seconds(seconds: float, language: Language) -> str:
    """A duration: "0.3 s", "12 s", "2 min 5 s"; in Chinese with 秒 and 分."""
    minute, second = ("分", "秒") if language == "zh" else ("min", "s")
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + f" {second}"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0 or round(seconds) < 120:
        return f"{round(seconds)} {second}"
    return f"{minutes} {minute}" + (f" {rest} {second}" if rest else "")


def language_for(setting: str, environment: Mapping[str, str]) -> Language:
    """The language to speak: the setting if it names one, else that of the locale variables (zh… is Chinese)."""
    if setting == "zh":
        return "zh"
    if setting == "en":
        return "en"
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        locale = environment.get(variable)
        if locale:
            return "zh" if locale.lower().startswith("zh") else "en"
    return "en"


def _harmless(text: str) -> str:
    clean = "".join(character if character.isprintable() else " " for character in text)
    return clean if len(clean) <= LONGEST_VALUE_CHARACTERS else clean[:LONGEST_VALUE_CHARACTERS] + "…"
