"""From a template to its diagnosis. Pure: the clock is only looked at to stay within the allowance."""

from __future__ import annotations

import time

from inference.errors import TemplateFailed
from inference.text.doctor.conditions import check_conditions
from inference.text.doctor.differences import check_differences
from inference.text.doctor.patient import OutOfTime, Patient
from inference.text.doctor.reading import Reading, read_template
from inference.text.doctor.thinking import SWITCHES, check_thinking
from inference.text.doctor.tools import check_tools
from inference.text.doctor.turns import check_turns
from inference.text.doctor.values import Diagnosis, Finding, Severity, worst_first
from inference.text.limits import LimitExceeded
from inference.text.profiles import ChatProfile
from inference.text.sandbox import SandboxEnvironment
from inference.text.template import ChatTemplate
from models_catalog.gguf.screening.template import template_problem

ALLOWANCE_SECONDS = 4.0
_GIVEN = frozenset(("messages", "tools", "documents", "add_generation_prompt", "bos_token", "eos_token", *SWITCHES))
_MAX_DETAIL = 300


def examine(
    template: str | None,
    *,
    bos: str = "",
    eos: str = "",
    control_texts: frozenset[str] = frozenset(),
    profile: ChatProfile | None = None,
    seconds: float = ALLOWANCE_SECONDS,
) -> Diagnosis:
    """What the template does with conversations. Never raises, whatever the template is.

    profile: the built-in one that fits the model; it is offered where the template is of no use, and else compared.
    seconds: what the renderings may take in all; reading the template is not counted (it is bounded by its length).
    """
    offered = profile.name if profile else None
    if template is None or not template.strip():
        return Diagnosis(findings=(Finding(key="missing", severity=Severity.BROKEN),), offered=offered)
    try:
        reading, compiled = _read(template, bos, eos, control_texts)
    except _Unreadable as problem:
        return Diagnosis(findings=(problem.finding,), offered=offered)
    found: list[Finding] = [*_read_findings(reading)]
    patient = Patient(compiled, deadline=time.monotonic() + seconds)
    tools = thinking = None
    try:
        turns = check_turns(patient, bos=bos)
        found += turns
        if not any(finding.key in ("refuses_all", "question_lost") for finding in turns):
            more, thinking = check_thinking(patient, names=reading.names)
            found += more
            more, tools = check_tools(patient)
            found += more
            if profile is not None:
                found += check_differences(patient, profile, bos=bos, eos=eos)
            found += check_conditions(patient, reading)
    except OutOfTime:
        found.append(Finding(key="unfinished", severity=Severity.NOTE))
    except TemplateFailed:
        found.append(Finding(key="over_limit", severity=Severity.BROKEN, fields={"limit": patient.over_limit}))
    diagnosis = Diagnosis(findings=worst_first(found), tools=tools, thinking=thinking)
    if diagnosis.usable:
        return diagnosis
    return Diagnosis(findings=diagnosis.findings, tools=tools, thinking=thinking, offered=offered)


class _Unreadable(Exception):
    def __init__(self, key: str, detail: str) -> None:
        super().__init__(key)
        self.finding = Finding(key=key, severity=Severity.BROKEN, fields={"detail": detail[:_MAX_DETAIL]})


def _read(template: str, bos: str, eos: str, control_texts: frozenset[str]) -> tuple[Reading, ChatTemplate]:
    problem = template_problem(template)
    if problem is not None:
        raise _Unreadable("invalid", problem)
    environment = SandboxEnvironment()
    try:
        reading = read_template(environment.parse_limited(template), environment)
        return reading, ChatTemplate.compile(template, bos_token=bos, eos_token=eos, control_texts=control_texts)
    except TemplateFailed as failure:
        raise _Unreadable("invalid", failure.detail) from failure
    except LimitExceeded as failure:
        raise _Unreadable("too_long", str(len(template))) from failure
    except Exception as failure:  # whatever a hostile template makes the parser or the walk raise
        raise _Unreadable("invalid", f"{type(failure).__name__}: {failure}") from failure


def _read_findings(reading: Reading) -> list[Finding]:
    found = []
    for key, severity, names in (
        ("dangerous", Severity.WARNING, reading.dangers),
        ("heavy", Severity.WARNING, reading.heavy),
        ("options", Severity.NOTE, sorted(reading.variables - _GIVEN)),
    ):
        if names:
            found.append(Finding(key=key, severity=severity, fields={"names": ", ".join(list(names)[:12])}))
    return found
