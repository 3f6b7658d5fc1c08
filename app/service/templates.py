"""What the template doctor says of the models on this computer; each template is examined once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.service.template_reports import TemplateReports
from app.values import LocalModel, TemplateFinding, TemplateReport
from models_catalog.gguf.header import read_header

if TYPE_CHECKING:
    from inference.text.doctor.subject import Subject
    from inference.text.doctor.values import Diagnosis
    from inference.values import ModelManner

MannerOf = Callable[[LocalModel], Awaitable["ModelManner | None"]]


class Templates:
    """For the service's loop only. examine: takes a second or two, in a child process.

    manner_of: how the catalogue says that a model is talked to; its built-in profile is the one that is offered.
    """

    def __init__(
        self,
        reports: TemplateReports,
        manner_of: MannerOf | None = None,
        examine: Callable[[Subject], Awaitable[Diagnosis]] | None = None,
    ) -> None:
        self._reports = reports
        self._manner_of = manner_of
        self._examine = examine or _examine
        self._one_at_a_time = asyncio.Lock()

    def known(self, model: LocalModel) -> Diagnosis | None:
        """What was said of the file in this state."""
        return self._reports.of_model(model)

    async def diagnosis(self, model: LocalModel) -> Diagnosis:
        """Of the default template in the model's file. Raises leaves of ModelFileRefused."""
        from inference.text.doctor.subject import subject_of

        async with self._one_at_a_time:
            if (known := self.known(model)) is not None:
                return known
            manner = await self._manner_of(model) if self._manner_of is not None else None
            header = await asyncio.to_thread(read_header, Path(model.path))
            subject = subject_of(header, manner.template if manner is not None else None)
            found = self._reports.of_subject(subject) or await self._examine(subject)
            self._reports.keep(model, subject, found)
            return found

    async def report(self, model: LocalModel) -> TemplateReport:
        """The same for faces."""
        return report_of(model, await self.diagnosis(model))


def report_of(model: LocalModel, found: Diagnosis) -> TemplateReport:
    """A diagnosis as faces know it."""
    return TemplateReport(
        model=model.id,
        severity=found.severity,
        usable=found.usable,
        tools=found.tools,
        thinking=found.thinking,
        chat_profile=found.offered,
        findings=tuple(
            TemplateFinding(key=one.key, severity=one.severity, fields=one.fields) for one in found.findings
        ),
    )


async def _examine(subject: Subject) -> Diagnosis:
    # Imported when it is needed: the doctor brings the template engine along.
    from inference.worker.examination import examine_in_child

    return await examine_in_child(subject)
