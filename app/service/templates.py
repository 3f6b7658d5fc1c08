"""What the template doctor says of the models on this computer; each template is examined once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.values import LocalModel
from models_catalog.gguf.header import read_header

if TYPE_CHECKING:
    from inference.text.doctor.subject import Subject
    from inference.text.doctor.values import Diagnosis

_MOST_KEPT = 256


class Templates:
    """For the service's loop only. examine: takes a second or two, in a child process."""

    def __init__(self, examine: Callable[[Subject], Awaitable[Diagnosis]] | None = None) -> None:
        self._examine = examine or _examine
        self._known: dict[Subject, Diagnosis] = {}
        self._one_at_a_time = asyncio.Lock()

    async def diagnosis(self, model: LocalModel) -> Diagnosis:
        """Of the default template in the model's file. Raises leaves of ModelFileRefused."""
        from inference.text.doctor.subject import subject_of

        subject = subject_of(await asyncio.to_thread(read_header, Path(model.path)))
        async with self._one_at_a_time:
            if subject not in self._known:
                found = await self._examine(subject)
                if len(self._known) >= _MOST_KEPT:
                    del self._known[next(iter(self._known))]
                self._known[subject] = found
            return self._known[subject]


async def _examine(subject: Subject) -> Diagnosis:
    # Imported when it is needed: the doctor brings the template engine along.
    from inference.worker.examination import examine_in_child

    return await examine_in_child(subject)
