"""What the template doctor finds in a model file, for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.cli.screen import note
from app.errors import AppError
from app.values import Language, TemplateFinding
from app.words import shown
from resources.wording import text

if TYPE_CHECKING:
    from app.client.http import ServiceClient
    from inference.text.doctor.values import Diagnosis, Finding

_MAX_LINES = 6


def as_json(diagnosis: Diagnosis, language: Language) -> dict[str, Any]:
    """Everything that was found, each with its sentence."""
    return {
        "severity": diagnosis.severity,
        "usable": diagnosis.usable,
        "tools": diagnosis.tools,
        "thinking": diagnosis.thinking,
        "chat_profile": diagnosis.offered,
        "findings": [{**asdict(finding), "message": _sentence(finding, language)} for finding in diagnosis.findings],
    }


def say_of(client: ServiceClient, model: str, language: Language) -> None:
    """For a model that is new here: what the user has to know of its template, if anything."""
    try:
        report = client.template_report(model)
    except AppError:
        return  # the model is here all the same
    for line in lines(report.findings, report.chat_profile, language):
        note(line)


def lines(findings: Sequence[Finding | TemplateFinding], offered: str | None, language: Language) -> Iterator[str]:
    """What the user has to know: nothing for a template that works as it should."""
    telling = [finding for finding in findings if finding.severity in ("warning", "broken")]
    for finding in telling[:_MAX_LINES]:
        yield f"{text(f'doctor.severity.{finding.severity}', language)}{_colon(language)}{_sentence(finding, language)}"
    if offered:
        yield text("doctor.summary.offered", language, profile=offered)


def _sentence(finding: Finding | TemplateFinding, language: Language) -> str:
    fields = {name: shown(name, value, language) for name, value in finding.fields.items()}
    return text(f"doctor.finding.{finding.key}", language, **fields)


def _colon(language: Language) -> str:
    return "：" if language == "zh" else ": "
