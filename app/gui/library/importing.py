"""What is dropped or chosen to be imported, and what became of it, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.values import ImportReport, Language
from app.words import describe
from resources.wording import text

_MOST_NAMED = 3


def model_paths(paths: Sequence[str]) -> tuple[str, ...]:
    """Those that may hold models: GGUF files and folders."""
    return tuple(path for path in paths if path.casefold().endswith(".gguf") or Path(path).is_dir())


def report_words(report: ImportReport, language: Language) -> tuple[str, str]:
    """Tone and sentences: what was added, and why others were not."""
    lines = []
    if len(report.models) > _MOST_NAMED:
        lines.append(text("shelf.import.added_many", language, count=len(report.models)))
    elif report.models:
        named = ("、" if language == "zh" else ", ").join(model.name for model in report.models)
        lines.append(text("shelf.import.added", language, models=named))
    for error in report.refused[:_MOST_NAMED]:
        lines.append(text("shelf.import.refused", language, problem=describe(error.code, error.fields, language)))
    if (more := len(report.refused) - _MOST_NAMED) > 0:
        lines.append(text("shelf.import.refused_more", language, count=more))
    tone = "good" if not report.refused else "warn" if report.models else "bad"
    return tone, "\n".join(lines)
