"""With which plan a model is loaded, and how that plan was lowered after failures. Decisions only, no effects."""

from __future__ import annotations

import logging
from dataclasses import replace

from app.errors import ModelTooLarge
from app.service.engines.residuals import overdrawn
from app.values import PlanChange
from inference.errors import EngineDied, EngineDiedLoading, OutOfMemoryLoading
from inference.planning.ladder import AllocationFailedAtLoad, Failure, OutOfMemoryInUse, OverBudget, step_down
from inference.planning.values import HOST, Limits, PlanAnswer, Wish
from inference.values import MeasuredMemory

log = logging.getLogger(__name__)

# The ladder ends by itself; this holds even for a planner that does not obey its limits.
_MOST_STEPS = 24


class PlanCourse:
    """Belongs to one Slot. wish: what the user fixed; it is never lowered.

    answer: the plan of the present or the last child, kept for its successor; None: to be planned (anew).
    changes: what was lowered since the model was loaded, as the user is told.
    """

    def __init__(self, model_id: str, wish: Wish) -> None:
        self._model_id = model_id
        self.wish = wish
        self.limits = Limits()
        self.answer: PlanAnswer | None = None
        self.changes: tuple[PlanChange, ...] = ()
        self.measured: MeasuredMemory | None = None

    def start_over(self) -> None:
        """Forget what failures taught: the user asks again, and memory may be free now."""
        self.limits, self.answer, self.changes, self.measured = Limits(), None, (), None

    def lower(self, failure: Failure) -> bool:
        """Go down one rung; False when there is none below. The next child is to be planned anew."""
        if self.answer is None or len(self.changes) >= _MOST_STEPS:
            return False
        step = step_down(self.answer.plan, self.limits, failure)
        if step is None:
            return False
        log.warning("plan of %s is lowered after %r: %s", self._model_id, failure, step.changed)
        self.limits, self.answer, self.measured = step.limits, None, None
        self.changes = (*self.changes, PlanChange(kind=step.changed.kind, fields=dict(step.changed.fields)))
        return True

    def over_budget(self) -> OverBudget | None:
        """Whether the child holds more than there was room for, reserve included."""
        if self.answer is None or self.measured is None:
            return None
        worst = overdrawn(self.answer.bill, self.measured)
        return None if worst is None else OverBudget(device=worst[0], by_bytes=worst[1])

    def too_large(self, answer: PlanAnswer) -> ModelTooLarge:
        """The ladder's end, with the smaller quantization that the planner offers, if any."""
        offers = (advice.fields.get("quantization") for advice in answer.advice)
        fullest = max(answer.bill.devices, key=lambda bar: bar.hard_bytes - bar.free_bytes)
        return ModelTooLarge(
            model=self._model_id,
            needed_bytes=fullest.hard_bytes,
            free_bytes=fullest.free_bytes,
            smaller=next((str(offer) for offer in offers if offer), ""),
        )

    def held_bytes(self) -> dict[str, int]:
        """By device, what would become free if the child ended; measured where it can be, else as planned."""
        if self.answer is None:
            return {}
        held = {bar.name: bar.hard_bytes for bar in self.answer.bill.devices}
        if self.measured is not None and self.measured.private_bytes:
            held[HOST] = self.measured.private_bytes
        return held

    def note_private_bytes(self, private_bytes: int) -> None:
        """The child says how much of the host's memory it holds now."""
        if self.measured is not None:
            self.measured = replace(self.measured, private_bytes=private_bytes)


def load_failure(error: Exception) -> Failure | None:
    """The shortage of memory that a failed load tells of; None when it failed for another reason."""
    match error:
        case OutOfMemoryLoading(device=device):
            return AllocationFailedAtLoad(device=device)
        case EngineDiedLoading(cause="out_of_memory"):
            return AllocationFailedAtLoad()
        case _:
            return None


def use_failure(death: EngineDied) -> Failure | None:
    """The same of a child that ended while it answered."""
    return OutOfMemoryInUse() if death.cause == "out_of_memory" else None
