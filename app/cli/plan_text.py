"""Plans as lines of text for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len

from app import plan_words
from app.plan_values import PlanDevice, PlannedQuantization, Plans, PlanView
from app.values import Language
from app.words import describe, shown_bytes
from resources.wording import text

_BAR_CELLS = 32
# Weights, keys and values or state, working memory, other, and what is free; told apart without colours too.
_MARKS = "█▓▒▚·"
# Lines of the bill that the plan does not take.
_NOT_OURS = frozenset({"others", "reserve"})
_VERDICT_COLOURS = {"fits": 32, "tight": 33, "partly_on_cpu": 33, "larger_than_memory": 33, "does_not_fit": 31}
_VERDICT_MARKS = {"fits": "✓", "tight": "!", "partly_on_cpu": "!", "larger_than_memory": "!", "does_not_fit": "✗"}


def lines(plans: Plans, language: Language, *, everything: bool, colours: bool) -> Iterator[str]:
    """The best quantization in full (all of them with `everything`) and one line for each of the others."""
    if plans.hypothetical:
        yield text("cli.plan.hypothetical", language, machine=" + ".join(plans.machine))
        yield ""
    if plans.listing_age_seconds is not None:
        yield plan_words.listing_age(plans.listing_age_seconds, language)
        yield ""
    shown = plans.best if plans.best is not None else 0
    for index, quantization in enumerate(plans.quantizations):
        if everything or index == shown:
            yield from _one(quantization, language, colours)
            yield ""
    if len(plans.quantizations) > 1:
        yield text("cli.plan.quantizations", language)
        yield from _table(
            [
                _summary(quantization, index == plans.best, language)
                for index, quantization in enumerate(plans.quantizations)
            ]
        )
        if plans.best is None:
            yield text("cli.plan.none_fits", language)


def _one(quantization: PlannedQuantization, language: Language, colours: bool) -> Iterator[str]:
    plan = quantization.plan
    if plan is None:
        yield f"{quantization.name}  {shown_bytes(quantization.size_bytes)}"
        yield _problem(quantization, language)
        return
    yield f"{plan.model}  {plan.quantization}  {shown_bytes(plan.file_bytes)}"
    mark = f"{_VERDICT_MARKS[plan.verdict]} {plan_words.verdict(plan, language)}"
    yield f"\x1b[{_VERDICT_COLOURS[plan.verdict]}m{mark}\x1b[0m" if colours else mark
    yield _speed(plan, language)
    yield ""
    for device in plan.devices:
        yield from _device(plan, device, language)
    yield plan_words.basis(plan, language)
    yield ""
    yield from _table(list(_numbers(plan, language)))
    if plan.advice:
        yield ""
        yield text("cli.plan.advice", language)
        for advice in plan.advice:
            yield f"  · {plan_words.advice(advice, language)}"


def _speed(plan: PlanView, language: Language) -> str:
    speed = plan.speed
    return text(
        "cli.plan.speed",
        language,
        decode=plan_words.rate(speed.decode, language),
        prefill=plan_words.rate(speed.prefill, language),
        depth=f"{speed.depth_tokens:,}",
        origin=plan_words.speed_origin(speed, language),
    )


def _device(plan: PlanView, device: PlanDevice, language: Language) -> Iterator[str]:
    sizes = {"used": shown_bytes(device.total_bytes), "budget": shown_bytes(device.budget_bytes)}
    yield text("cli.plan.device", language, name=device.description or device.name, **sizes)
    yield f"  {_bar(device)}"
    ours, others = (
        [
            f"{plan_words.bill_name(line.kind, language)} {shown_bytes(line.bytes)}"
            for line in plan.bill
            if line.device == device.name and line.bytes >= 500_000 and (line.kind in _NOT_OURS) == foreign
        ]
        for foreign in (False, True)
    )
    yield "  " + " · ".join(ours)
    if others:
        yield "  " + text("cli.plan.besides", language, parts=" · ".join(others))
    if device.soft_bytes:
        yield "  " + text("cli.plan.soft", language, bytes=shown_bytes(device.soft_bytes))
    if device.measured_bytes is not None:
        yield "  " + text("cli.plan.measured", language, bytes=shown_bytes(device.measured_bytes))


def _bar(device: PlanDevice) -> str:
    whole = max(device.budget_bytes, device.total_bytes, 1)
    cells, filled, drawn = "", 0, 0
    sizes = (device.weights_bytes, device.state_bytes, device.compute_bytes, device.other_bytes)
    for mark, size in zip(_MARKS, sizes, strict=False):
        filled += size
        upto = round(_BAR_CELLS * filled / whole)
        cells += mark * (upto - drawn)
        drawn = upto
    return cells + _MARKS[-1] * (_BAR_CELLS - drawn)


def _numbers(plan: PlanView, language: Language) -> Iterator[tuple[str, str, str]]:
    for reason in plan.reasons:
        yield (
            f"  {plan_words.field_name(reason.field, language)}",
            plan_words.field_value(reason, language),
            plan_words.reason(reason, language),
        )


def _summary(quantization: PlannedQuantization, best: bool, language: Language) -> tuple[str, ...]:
    plan = quantization.plan
    name = f"{'→' if best else ' '} {quantization.name}"
    if plan is None:
        return name, shown_bytes(quantization.size_bytes), _problem(quantization, language)
    return (
        name,
        shown_bytes(quantization.size_bytes),
        f"{_VERDICT_MARKS[plan.verdict]} {plan_words.short_verdict(plan, language)}",
        plan_words.rate(plan.speed.decode, language),
    )


def _problem(quantization: PlannedQuantization, language: Language) -> str:
    error = quantization.error
    return describe(error.code, error.fields, language) if error is not None else ""


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Rows with aligned columns; wide characters count as two."""
    columns = max((len(row) for row in rows), default=0)
    widths = [max((cell_len(row[column]) for row in rows if column < len(row)), default=0) for column in range(columns)]
    for row in rows:
        padded = [cell + " " * (widths[column] - cell_len(cell)) for column, cell in enumerate(row)]
        yield "  ".join(padded).rstrip()
