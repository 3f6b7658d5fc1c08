"""Does every turn reach the model, in its order, with its words, and is the model asked to answer?"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from inference.text.doctor import fixtures as fix
from inference.text.doctor.fixtures import answer, system, user
from inference.text.doctor.patient import Outcome, Patient
from inference.text.doctor.values import Finding, Severity
from inference.values import ChatMessage

_EXCERPT = 160
_MARK_CHARACTERS = 12
# Fewer letters before the first question are marks, not a prompt.
_PROMPT_LETTERS = 20
_ODD = '<b>&amp;"引号"\'{{ x }}{% y %}\t😀\\n'
_ANOTHER_DAY = datetime(2031, 11, 17, 18, 19, 20)


def check_turns(patient: Patient, *, bos: str) -> list[Finding]:
    """All findings about plain conversations; a template that refuses a single question gets nothing else said."""
    single = patient.render(user())
    if single.text is None:
        return [Finding(key="refuses_all", severity=Severity.BROKEN, fields={"detail": single.detail})]
    if fix.FIRST not in single.text:
        return [Finding(key="question_lost", severity=Severity.BROKEN)]
    several = patient.render(*fix.TURNS)
    return [
        *_several(several),
        *_header(patient, single.text, several),
        *_system(patient, single.text, several, bos),
        *_orders(patient),
        *_contents(patient),
        *_continuation(patient, single.text),
        *_bos(single.text, bos),
        *_date(patient),
    ]


def _several(several: Outcome) -> list[Finding]:
    if several.text is None:
        return [Finding(key="turns_refused", severity=Severity.BROKEN, fields={"detail": several.detail})]
    places = [several.text.find(message.content) for message in fix.TURNS]
    lost = sorted({turn.role for turn, place in zip(fix.TURNS, places, strict=True) if place < 0})
    if lost:
        return [Finding(key="turns_lost", severity=Severity.BROKEN, fields={"roles": ", ".join(lost)})]
    if any(after < before for before, after in pairwise(places)):
        return [Finding(key="turns_disordered", severity=Severity.BROKEN)]
    return []


def _header(patient: Patient, single: str, several: Outcome) -> list[Finding]:
    """Is there after the last question what stands between a question and its answer?"""
    tail = single.partition(fix.FIRST)[2].rstrip()
    wanted = _between(several.text or "", fix.SECOND, fix.ANSWER_2).rstrip()
    missing = wanted[len(tail) :] if wanted.startswith(tail) else ""
    if patient.tags is not None:  # a finished answer may begin with an empty thinking block
        missing = missing.replace(patient.tags.open, "").replace(patient.tags.close, "")
    if missing.strip():
        return [Finding(key="no_generation_prompt", severity=Severity.BROKEN, fields={"missing": missing.strip()})]
    return []


def _system(patient: Patient, single: str, several: Outcome, bos: str) -> list[Finding]:
    found: list[Finding] = []
    with_system = patient.render(system(), user())
    if with_system.text is None:
        found.append(Finding(key="system_refused", severity=Severity.WARNING, fields={"detail": with_system.detail}))
    elif fix.SYSTEM not in with_system.text:
        found.append(Finding(key="system_ignored", severity=Severity.WARNING))
    elif fix.FIRST not in with_system.text:
        found.append(Finding(key="question_lost_by_system", severity=Severity.BROKEN))
    else:
        _, mark = _before_first(single, several, bos)
        if mark and mark not in _between(with_system.text, fix.SYSTEM, fix.FIRST):
            found.append(Finding(key="system_merged", severity=Severity.NOTE))
    default, _ = _before_first(single, several, bos)
    if sum(map(str.isalpha, default)) >= _PROMPT_LETTERS:
        found.append(Finding(key="default_system", severity=Severity.NOTE, fields={"prompt": default[:_EXCERPT]}))
    return found


def _before_first(single: str, several: Outcome, bos: str) -> tuple[str, str]:
    """What stands before the first question: (what does not stand before later ones, the end of what always does)."""
    before = single.partition(fix.FIRST)[0].removeprefix(bos)
    usual = _between(several.text or "", fix.ANSWER, fix.SECOND)
    common = 0
    while common < min(len(before), len(usual)) and before[-1 - common] == usual[-1 - common]:
        common += 1
    mark = before[len(before) - common :].strip() or usual.strip()
    return before[: len(before) - common].strip(), mark[-_MARK_CHARACTERS:]


def _orders(patient: Patient) -> list[Finding]:
    """Conversations out of the usual order, which other programs send."""
    orders: dict[str, tuple[ChatMessage, ...]] = {
        "user, user": (user(fix.FIRST), user(fix.SECOND)),
        "assistant, user": (answer(), user(fix.FIRST)),
        "user, assistant, system, user": (user(), answer(), system(), user(fix.SECOND)),
    }
    refused, lost = [], []
    for name, messages in orders.items():
        outcome = patient.render(*messages)
        if outcome.text is None:
            refused.append(name)
        elif not outcome.holds(*(message.content for message in messages)):
            lost.append(name)
    return [
        Finding(key=key, severity=Severity.NOTE, fields={"orders": "; ".join(names)})
        for key, names in (("orders_refused", refused), ("orders_lossy", lost))
        if names
    ]


def _contents(patient: Patient) -> list[Finding]:
    found: list[Finding] = []
    trimmed, changed, refused = [], [], []
    for role in ("system", "user", "assistant"):
        padded = f"\n  {fix.SECOND} \n"
        outcome = patient.render(*_around(role, padded))
        if outcome.holds(fix.SECOND) and not outcome.holds(padded):
            trimmed.append(role)
        odd = patient.render(*_around(role, fix.SECOND + _ODD + fix.THIRD))
        if odd.holds(fix.SECOND) and not odd.holds(fix.SECOND + _ODD + fix.THIRD):
            changed.append(role)
        empty = patient.render(*_around(role, ""))
        if empty.text is None and outcome.text is not None:
            refused.append(role)
        elif empty.text is not None and "None" in empty.text.replace(patient.render(user()).text or "", ""):
            changed.append(role)
    for key, severity, roles in (
        ("content_trimmed", Severity.NOTE, trimmed),
        ("content_changed", Severity.WARNING, changed),
        ("empty_refused", Severity.NOTE, refused),
    ):
        if roles:
            found.append(Finding(key=key, severity=severity, fields={"roles": ", ".join(dict.fromkeys(roles))}))
    return found


def _around(role: str, content: str) -> tuple[ChatMessage, ...]:
    """A conversation with this content in the middle."""
    match role:
        case "system":
            return (system(content), user())
        case "user":
            return (user(content), answer(), user(fix.FIRST))
        case _:
            return (user(), answer(content), user(fix.ANSWER_2))


def _continuation(patient: Patient, single: str) -> list[Finding]:
    partial = patient.render(user(), answer(), continue_last=True)
    if partial.text is not None and partial.text.endswith(fix.ANSWER):
        return []
    return [Finding(key="not_continued", severity=Severity.WARNING, fields={"detail": partial.detail})]


def _bos(single: str, bos: str) -> list[Finding]:
    if bos and single.startswith(bos + bos):
        return [Finding(key="bos_doubled", severity=Severity.NOTE, fields={"bos": bos})]
    return []


def _date(patient: Patient) -> list[Finding]:
    if patient.render(system(), user()) != patient.render(system(), user(), now=_ANOTHER_DAY):
        return [Finding(key="dated", severity=Severity.NOTE)]
    return []


def _between(text: str, left: str, right: str) -> str:
    return text.partition(left)[2].partition(right)[0]
