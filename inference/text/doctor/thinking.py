"""Does the model think, and what turns it on and off?"""

from __future__ import annotations

import re

from inference.text.doctor import fixtures as fix
from inference.text.doctor.fixtures import answer, call, result, user
from inference.text.doctor.patient import Outcome, Patient
from inference.text.doctor.values import Finding, Severity

SWITCHES = ("enable_thinking", "thinking", "thinking_budget", "reasoning_effort")
_SOFT = re.compile(r"(?<!<)/(?:no_?)?think\b")


def check_thinking(patient: Patient, *, names: frozenset[str]) -> tuple[list[Finding], str | None]:
    """(findings, how thinking is switched: see Diagnosis). names: those that the template reads."""
    tags = patient.tags
    if tags is None:
        return [], None
    unsaid, on, off = (patient.render(user(), enable_thinking=wish) for wish in (None, True, False))
    if unsaid.text is None or on.text is None or off.text is None:
        detail = next((outcome.detail for outcome in (unsaid, on, off) if outcome.text is None), "")
        return [Finding(key="thinking_refused", severity=Severity.WARNING, fields={"detail": detail})], "never"
    how = _how(unsaid, on, off)
    fields = {
        "open": tags.open,
        "close": tags.close,
        "default": "on" if unsaid.text == on.text else "off" if unsaid.text == off.text else "open",
    }
    if how == "variable":
        fields["variable"] = ", ".join(name for name in SWITCHES if name in names)
    elif how == "soft":
        fields["word"] = _SOFT.findall(off.text)[0]
    severity = Severity.FINE if how in ("variable", "soft") else Severity.NOTE
    return [Finding(key=f"thinking_{how}", severity=severity, fields=fields), *_past(patient)], how


def _how(unsaid: Outcome, on: Outcome, off: Outcome) -> str:
    if on.text != off.text:
        return "soft" if len(_SOFT.findall(off.text or "")) > len(_SOFT.findall(on.text or "")) else "variable"
    return "always" if unsaid.opens_thinking else "never"


def _past(patient: Patient) -> list[Finding]:
    """What becomes of earlier thinking."""
    found: list[Finding] = []
    past = patient.render(user(), answer(fix.ANSWER, fix.REASONING), user(fix.SECOND), enable_thinking=True)
    kept = past.holds(fix.REASONING)
    if kept:
        found.append(Finding(key="reasoning_kept", severity=Severity.NOTE))
    working = patient.render(user(), call("", fix.REASONING), result(), tools=(fix.TOOL,), enable_thinking=True)
    if working.holds(fix.RESULT) and not working.holds(fix.REASONING):
        found.append(Finding(key="reasoning_lost_between_calls", severity=Severity.NOTE))
    return found
