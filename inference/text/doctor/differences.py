"""Where the model's own template writes other prompts than the built-in profile of its family."""

from __future__ import annotations

from inference.errors import TemplateFailed
from inference.text.doctor import fixtures as fix
from inference.text.doctor.fixtures import answer, system, user
from inference.text.doctor.patient import SOME_DAY, Patient
from inference.text.doctor.values import Finding, Severity
from inference.text.profiles import ChatProfile
from inference.text.template import ChatTemplate
from inference.values import ChatMessage, ChatPrompt

_AROUND = 40
# With a system prompt, as templates differ much in what they say without one.
_CASES: tuple[tuple[str, tuple[ChatMessage, ...]], ...] = (
    ("system, user", (system(), user())),
    ("system, user, assistant, user", (system(), user(), answer(), user(fix.SECOND))),
)


def check_differences(patient: Patient, profile: ChatProfile, *, bos: str, eos: str) -> list[Finding]:
    """At most one finding: the first conversation that differs in more than blanks, both texts around the place."""
    ours = ChatTemplate.compile(profile.template, bos_token=bos, eos_token=eos, control_texts=frozenset())
    for name, messages in _CASES:
        theirs = patient.render(*messages)
        try:
            expected = ours.render(ChatPrompt(messages=messages), now=SOME_DAY).text
        except TemplateFailed:
            continue
        if theirs.text is None or _bare(theirs.text, bos) == _bare(expected, bos):
            continue
        place = _first_difference(theirs.text, expected)
        begin = max(0, place - _AROUND)
        fields = {
            "profile": profile.name,
            "turns": name,
            "found": theirs.text[begin : place + _AROUND],
            "expected": expected[begin : place + _AROUND],
        }
        return [Finding(key="differs_from_profile", severity=Severity.NOTE, fields=fields)]
    return []


def _bare(text: str, bos: str) -> str:
    return "".join(text.removeprefix(bos).split())


def _first_difference(one: str, other: str) -> int:
    shorter = min(len(one), len(other))
    return next((place for place in range(shorter) if one[place] != other[place]), shorter)
