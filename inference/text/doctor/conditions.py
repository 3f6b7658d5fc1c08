"""Does the template treat messages that hold certain words differently? Tried with every string that it knows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inference.text.doctor import fixtures as fix
from inference.text.doctor.fixtures import answer, call, said, system, user
from inference.text.doctor.patient import Patient
from inference.text.doctor.reading import Reading
from inference.text.doctor.values import Finding, Severity
from inference.text.reasoning import KNOWN_TAGS
from inference.values import ChatMessage

_NEUTRAL = "中立zqntr"
_MAX_LITERALS = 400
_MAX_CHARACTERS = 120
_MAX_SHOWN = 12
# Tags and switches that belong to the format; anything else is somebody's opinion on what users say.
_FORMAT_WORD = re.compile(
    r"(?:</?[^<>\s]{1,40}>|</?[\w:-]+(?: [\w-]+=.{0,20})?>|\[/?[A-Z_]+\]|/(?:no_?)?think|◁/?\w+▷|\s)+"
)


def check_conditions(patient: Patient, reading: Reading) -> list[Finding]:
    """Of each at most one: words of the format (note), other words (warning), what cannot be told (warning)."""
    roles_of: dict[str, list[str]] = {}
    for words in _candidates(reading.literals):
        roles = _roles_that_differ(patient, words)
        if roles:
            roles_of[words] = roles
    found = []
    for key, severity, chosen in (
        ("content_condition", Severity.WARNING, [words for words in roles_of if not _is_format(words)]),
        ("format_words", Severity.NOTE, [words for words in roles_of if _is_format(words)]),
    ):
        if chosen:
            concerned = dict.fromkeys(role for words in chosen for role in roles_of[words])
            fields = {"words": _shown(chosen), "roles": ", ".join(concerned)}
            found.append(Finding(key=key, severity=severity, fields=fields))
    unexplained = sorted(words for words in reading.sliced if words.strip() not in roles_of and not _is_format(words))
    if reading.hidden or unexplained:
        lines = ", ".join(map(str, reading.hidden[:_MAX_SHOWN])) or "?"
        fields = {"lines": lines, "words": _shown(unexplained)}
        found.append(Finding(key="hidden_condition", severity=Severity.WARNING, fields=fields))
    return found


def _candidates(literals: tuple[str, ...]) -> Iterator[str]:
    """Messages to try: each string alone (which also begins, ends and holds it), and what an opening and a closing tag
    enclose."""
    known = [text.strip() for text in literals if len(text.strip()) <= _MAX_CHARACTERS][:_MAX_LITERALS]
    yield from dict.fromkeys(known)
    for opening in dict.fromkeys(known):
        closing = f"</{opening[1:]}" if opening.startswith("<") else ""
        if closing in known:
            yield f"{opening}{fix.RESULT}{closing}"


def _roles_that_differ(patient: Patient, words: str) -> list[str]:
    """Roles in whose messages these words change more than themselves."""
    forms = (words, f"{fix.SECOND} {words} {fix.SECOND}")
    switches = (None, False) if patient.tags else (None,)
    together = [(form, wish) for form in forms for wish in switches if _differs(patient, "all", form, wish)]
    if not together:
        return []
    roles = [
        role
        for role in ("system", "user", "assistant", "tool")
        if any(_differs(patient, role, form, wish) for form, wish in together)
    ]
    return roles or ["all"]


def _differs(patient: Patient, role: str, content: str, wish: bool | None) -> bool:
    neutral = content.replace(content.strip(), _NEUTRAL)
    plain = patient.render(*_conversation(role, neutral), enable_thinking=wish)
    changed = patient.render(*_conversation(role, content), enable_thinking=wish)
    if plain.text is None:
        return False  # it refuses such a conversation whatever is said
    return changed.text != plain.text.replace(neutral, content)


def _conversation(role: str, content: str) -> tuple[ChatMessage, ...]:
    match role:
        case "system":
            return (system(content), user())
        case "user":
            return (user(content), answer(), user(content))
        case "assistant":
            return (user(), answer(content), user())
        case "tool":
            return (user(), call(), said("tool", content, name=fix.TOOL_NAME, tool_call_id="call00001"))
        case _:
            return (user(content), answer(content), user(content))


def _is_format(words: str) -> bool:
    for pair in KNOWN_TAGS:
        words = words.replace(pair.open, " ").replace(pair.close, " ")
    return _FORMAT_WORD.fullmatch(words.replace(fix.RESULT, " ")) is not None


def _shown(chosen: list[str]) -> str:
    return "  ".join(words.replace(fix.RESULT, "…") for words in chosen[:_MAX_SHOWN])
