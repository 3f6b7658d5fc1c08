"""What the template doctor finds in a model file, for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app.values import Language
from app.words import shown
from resources.wording import text

if TYPE_CHECKING:
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


def lines(diagnosis: Diagnosis, language: Language) -> Iterator[str]:
    """What the user has to know: nothing for a template that works as it should."""
    telling = [finding for finding in diagnosis.findings if finding.severity in ("warning", "broken")]
    for finding in telling[:_MAX_LINES]:
        yield f"{text(f'doctor.severity.{finding.severity}', language)}{_colon(language)}{_sentence(finding, language)}"
    if diagnosis.offered:
        yield text("doctor.summary.offered", language, profile=diagnosis.offered)


def _sentence(finding: Finding, language: Language) -> str:
    fields = {name: shown(name, value, language) for name, value in finding.fields.items()}
    return text(f"doctor.finding.{finding.key}", language, **fields)


def _colon(language: Language) -> str:
    return "：" if language == "zh" else ": "
