"""What the doctor says of a chat template."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """Ascending: as it should be; good to know; answers may suffer; chats do not work."""

    FINE = "fine"
    NOTE = "note"
    WARNING = "warning"
    BROKEN = "broken"


_ORDER = tuple(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found. `key` is a table of resources/texts/doctor.toml; `fields` fill its placeholders."""

    key: str
    severity: Severity
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """findings: the worst first.

    tools: the dialect in which calls are written, None when the template writes none. thinking: how it is switched:
    "variable", "soft" (the template writes a word into the
    question), "always", "never" (it is up to the model), None when the template
    knows no thinking. offered: name of the built-in profile that fits the model, where its own template is of no use.
    """

    findings: tuple[Finding, ...]
    tools: str | None = None
    thinking: str | None = None
    offered: str | None = None

    @property
    def severity(self) -> Severity:
        """That of the worst finding."""
        return max((finding.severity for finding in self.findings), key=_ORDER.index, default=Severity.FINE)

    @property
    def usable(self) -> bool:
        """Chats work with this template."""
        return self.severity is not Severity.BROKEN


def worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Sorted by severity; within one as they were found."""
    return tuple(sorted(findings, key=lambda finding: -_ORDER.index(finding.severity)))
