"""From a model's file to its load plan for this computer as it is now: the desk is asked, with what was learned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.planning.desk import PlanDesk
from app.service.engines.residuals import ResidualBook
from app.values import LocalModel
from inference.planning.values import Limits, PlanAnswer, Wish


class PlanMaker:
    """See MakePlan."""

    def __init__(self, desk: PlanDesk, residuals: ResidualBook) -> None:
        self._desk, self._residuals = desk, residuals

    async def __call__(
        self, model: LocalModel, wish: Wish, limits: Limits, freed_bytes: Mapping[str, int]
    ) -> PlanAnswer:
        """The plan for this model now. Raises leaves of ModelFileRefused and ModelRefused."""
        return await self._desk.plan_file(
            Path(model.path),
            wish,
            limits=limits,
            residuals=self._residuals.of(model.architecture),
            freed_bytes=freed_bytes,
        )
