"""One model of the list as it is to be painted: every word chosen, nothing measured. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app import words
from app.catalogue_values import CatalogueFit, CatalogueModel
from app.download_values import DownloadStatus
from app.gui.discover import phrases
from app.gui.plans.lists import VERDICT_TONES
from app.values import Language


class Part(StrEnum):
    """What of a card can be pressed."""

    DOWNLOAD = "download"
    CHAT = "chat"
    ALTERNATIVE = "alternative"
    SEE = "versions"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """badge: (tone, words), tone "plain" for one without an icon; None while nothing is known. action: the button.

    progress: of a download, 0..1, with its parts in `controls`. filled: of the device that is fullest, 1 is its budget.
    note: said where the bar would be, when there is none.
    """

    model: CatalogueModel
    title: str
    facts: str
    badge: tuple[str, str] | None
    action: Part | None
    primary: bool
    progress: float | None
    progress_words: str
    controls: tuple[Part, ...]
    filled: float | None
    numbers: str
    speed: str
    size: str
    note: str

    def spoken(self, language: Language) -> str:
        """The card as a screen reader says it."""
        state = [self.badge[1] if self.badge else "", self.progress_words, self.numbers, self.speed, self.size]
        said = ", ".join(part for part in (*state, self.note) if part)
        return phrases.say(language, "card.spoken", name=self.title, facts=self.facts, state=said)


def make_card(
    model: CatalogueModel,
    fit: CatalogueFit | None,
    status: DownloadStatus | None,
    language: Language,
    *,
    asked: bool = False,
) -> Card:
    """asked: its download was asked for a moment ago."""
    say = phrases.say
    known = fit if fit is not None and fit.error is None and fit.verdict is not None else None
    progress, progress_words, controls = _progress(status, language)
    if asked and status is None:
        progress, progress_words, controls = 0.0, say(language, "download.queued"), ()
    quantization = known.quantization if known else ""
    facts = [
        phrases.of(model.vendor, language),
        phrases.parameters(model, language),
        quantization,
        say(language, "commercial.unknown") if model.commercial == "unknown" else phrases.of(model.licence, language),
    ]
    action = None if progress is not None else _action(model, known)
    return Card(
        model=model,
        title=phrases.of(model.name, language),
        facts=" · ".join(part for part in facts if part),
        badge=_badge(model, known, language),
        action=action,
        primary=action is Part.DOWNLOAD and known is not None,
        progress=progress,
        progress_words=progress_words,
        controls=controls,
        filled=known.needed_bytes / known.budget_bytes if known and known.budget_bytes > 0 else None,
        numbers=_numbers(known, language),
        speed=phrases.speed(known.decode, language) if known and known.decode else "",
        size=words.shown_bytes(known.size_bytes) if known and known.size_bytes else "",
        note=_note(model, fit, language),
    )


def _badge(model: CatalogueModel, fit: CatalogueFit | None, language: Language) -> tuple[str, str] | None:
    if model.state != "ready" and not model.local:
        return "plain", phrases.say(language, f"card.{model.state}")
    if fit is not None and fit.verdict is not None:
        return VERDICT_TONES[fit.verdict], phrases.verdict(fit, language)
    return ("plain", phrases.say(language, "card.unconfirmed")) if not model.confirmed else None


def _action(model: CatalogueModel, fit: CatalogueFit | None) -> Part | None:
    if model.local:
        return Part.CHAT if "chat" in model.abilities else None
    if model.state == "use_successor":
        return Part.ALTERNATIVE
    if model.state != "ready":
        return None
    if fit is None:
        return Part.SEE
    return Part.ALTERNATIVE if fit.verdict == "does_not_fit" else Part.DOWNLOAD


def _progress(status: DownloadStatus | None, language: Language) -> tuple[float | None, str, tuple[Part, ...]]:
    if status is None or status.state == "done":
        return None, "", ()
    told = phrases.download(status, language)
    turn = Part.RESUME if status.state in ("paused", "failed") else Part.PAUSE
    return phrases.percent(status) / 100, told, (turn, Part.CANCEL)


def _numbers(fit: CatalogueFit | None, language: Language) -> str:
    if fit is None or fit.budget_bytes <= 0:
        return ""
    used, whole = words.shown_bytes(fit.needed_bytes), words.shown_bytes(fit.budget_bytes)
    if used[-2:] == whole[-2:]:
        used = used[:-3]  # "5.9 / 8.0 GB"
    return phrases.say(language, "card.of", used=used, all=whole)


def _note(model: CatalogueModel, fit: CatalogueFit | None, language: Language) -> str:
    if model.state != "ready" and not model.local:
        return phrases.of(model.reason, language) if model.reason else ""
    if fit is None:
        return phrases.say(language, "card.waiting" if model.plannable else "card.not_known")
    if fit.error is not None:
        return words.describe(fit.error.code, fit.error.fields, language)
    return ""
