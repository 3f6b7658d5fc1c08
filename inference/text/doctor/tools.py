"""Are tools shown to the model, and in which dialect are its calls written?"""

from __future__ import annotations

import re

from inference.text.doctor import fixtures as fix
from inference.text.doctor.fixtures import answer, call, result, user
from inference.text.doctor.patient import Patient
from inference.text.doctor.values import Finding, Severity

UNKNOWN = "unknown"
_NAME = re.escape(fix.TOOL_NAME)
_CITY = re.escape(fix.CITY)
# The most telling first: dialects borrow from each other.
_DIALECTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.DOTALL))
    for name, pattern in (
        ("kimi-k2", r"<\|tool_calls_section_begin\|>"),
        ("dsml", r"<｜DSML｜(?:invoke|function_calls|tool_calls)"),
        ("deepseek-r1", rf"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{_NAME}\n```json"),
        ("deepseek-v3.1", rf"<｜tool▁call▁begin｜>{_NAME}<｜tool▁sep｜>"),
        ("minimax-m2", rf'<minimax:tool_call>\s*<invoke name="{_NAME}">'),
        ("minimax-m1", r"<tool_calls>\s*\{\"name\""),
        ("hy3", rf"<tool_calls[^>]*>\s*<tool_call[^>]*>{_NAME}<tool_sep[^>]*>"),
        ("seed", rf"<seed:tool_call>\s*<function={_NAME}>"),
        ("qwen3-coder", rf"<tool_call>\s*<function={_NAME}>"),
        ("glm45", rf"<tool_call>{_NAME}\s*<arg_key>"),
        ("minicpm5", rf'<function name="{_NAME}">\s*<param name='),
        ("hermes", rf"<tool_call>\s*\{{\s*\"name\":\s*\"{_NAME}\""),
        ("glm4", rf"<\|assistant\|>{_NAME}\n\{{"),
    )
)


def check_tools(patient: Patient) -> tuple[list[Finding], str | None]:
    """(findings, the dialect of calls or None where tools are not known)."""
    shown = patient.render(user(), tools=(fix.TOOL,))
    if shown.text is None:
        return [Finding(key="tools_refused", severity=Severity.NOTE, fields={"detail": shown.detail})], None
    if not shown.holds(fix.TOOL_NAME):
        dialect = _dialect(patient.render(user(), call(), result(), tools=(fix.TOOL,)).text or "")
        if dialect == UNKNOWN:
            return [Finding(key="tools_ignored", severity=Severity.NOTE)], None
        return [Finding(key="tools_unannounced", severity=Severity.NOTE, fields={"dialect": dialect})], dialect
    found: list[Finding] = []
    if not shown.holds(fix.TOOL_WORDS) or not shown.holds("zqcity"):
        found.append(Finding(key="tools_abridged", severity=Severity.WARNING))
    if not shown.holds(fix.FIRST):
        found.append(Finding(key="question_lost_by_tools", severity=Severity.BROKEN))
    called = patient.render(user(), call(), result(), tools=(fix.TOOL,))
    if called.text is None:
        found.append(Finding(key="calls_refused", severity=Severity.WARNING, fields={"detail": called.detail}))
        return found, UNKNOWN
    if not called.holds(fix.CITY):
        found.append(Finding(key="calls_lost", severity=Severity.WARNING))
    if not called.holds(fix.RESULT):
        found.append(Finding(key="results_lost", severity=Severity.WARNING))
    later = patient.render(user(), call(), result(), answer(), user(fix.SECOND), tools=(fix.TOOL,))
    if called.holds(fix.CITY) and not later.holds(fix.CITY):
        found.append(Finding(key="old_calls_lost", severity=Severity.NOTE))
    dialect = _dialect(called.text.partition(fix.FIRST)[2] if called.holds(fix.CITY) else "")
    severity = Severity.NOTE if dialect == UNKNOWN else Severity.FINE
    key = "tools_unknown" if dialect == UNKNOWN else "tools_known"
    return [*found, Finding(key=key, severity=severity, fields={"dialect": dialect})], dialect


def _dialect(text: str) -> str:
    return next((name for name, pattern in _DIALECTS if pattern.search(text)), UNKNOWN)
