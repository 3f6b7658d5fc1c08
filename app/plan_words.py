"""A plan in sentences, for the window and the terminal alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.plan_values import PlanAdvice, PlanReason, PlanSpeed, PlanView
from app.values import Language
from app.words import shown, shown_bytes
from resources.wording import text


def verdict(plan: PlanView, language: Language) -> str:
    """Whether it fits, in one sentence."""
    return text(f"plan.verdict_sentence.{plan.verdict}", language)


def short_verdict(plan: PlanView, language: Language) -> str:
    """The verdict as a word or two, for badges and tables."""
    return text(f"plan.verdict.{plan.verdict}", language)


def basis(plan: PlanView, language: Language) -> str:
    """Whether the bytes are exact or estimated."""
    return text(f"plan.basis_sentence.{plan.basis}", language)


def bill_name(kind: str, language: Language) -> str:
    """What a line of the memory bill is for."""
    return text(f"plan.bill.{kind}", language)


def advice(one: PlanAdvice, language: Language) -> str:
    """A change that would help, and what it saves."""
    return text(f"plan.advice.{one.kind}", language, **_shown(one.fields, language))


def reason(one: PlanReason, language: Language) -> str:
    """Why a number is what it is."""
    return text(f"plan.{one.reason}", language)


def field_name(name: str, language: Language) -> str:
    """What one number of a plan is called; `name` is a field of the load plan."""
    return text(f"plan.field.{name}", language)


def field_value(one: PlanReason, language: Language) -> str:
    """A number of a plan as a person reads it."""
    if one.value in ("true", "false"):
        return text("plan.on" if one.value == "true" else "plan.off", language)
    return f"{int(one.value):,}" if one.value.isdigit() else one.value


def rate(values: tuple[float, float, float], language: Language) -> str:
    """ "18–25 tokens/s"; one number where both ends look alike."""
    low, high = _number(values[0]), _number(values[2])
    return text("plan.rate", language, range=low if low == high else f"{low}–{high}")


def speed_origin(speed: PlanSpeed, language: Language) -> str:
    """Where the forecast comes from."""
    return text(f"plan.origin.{speed.origin}", language)


def listing_age(seconds: float, language: Language) -> str:
    """That no hub can be asked now, and how old what is known is."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= length:
            return text(f"hubs.listing_age.{unit}", language, count=int(seconds // length))
    return text("hubs.listing_age.now", language)


def size_of(plan: PlanView) -> str:
    """All memory of the plan."""
    return shown_bytes(plan.total_bytes)


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    if value < 1:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _shown(fields: Mapping[str, Any], language: Language) -> dict[str, str]:
    return {name: shown(name, value, language) for name, value in fields.items()}
