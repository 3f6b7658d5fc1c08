"""What the page knows of the model that was chosen: all about it, and the plans of its quantizations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.catalogue_values import CatalogueDetail, CatalogueModel
from app.client.http import ServiceClient
from app.gui.session import Session
from app.plan_values import PlannedQuantization, Plans, PlanWish

T = TypeVar("T")


class Choosing(QObject):
    """Lives in the Qt thread. `changed`: anything of what is chosen.

    target: id of a model of the catalogue, or a repository or an address; "" while nothing is chosen. model: None for
    what is not of the catalogue. source: the hub to download from, "" for the fastest.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.target = ""
        self.model: CatalogueModel | None = None
        self.detail: CatalogueDetail | None = None
        self.plans: Plans | None = None
        self.trouble: Exception | None = None
        self.plans_trouble: Exception | None = None
        self.source = ""
        self._quantization = ""
        self._epoch = 0

    @property
    def quantization(self) -> PlannedQuantization | None:
        """The one that would be downloaded: the user's choice, else the best, else the smallest."""
        if self.plans is None or not self.plans.quantizations:
            return None
        known = self.plans.quantizations
        chosen = next((one for one in known if one.name == self._quantization), None)
        if chosen is not None:
            return chosen
        if self.plans.best is not None:
            return known[self.plans.best]
        return min(known, key=lambda one: (one.plan is None, one.size_bytes))

    @property
    def reading(self) -> bool:
        """The quantizations are on their way."""
        return self._plannable and self.plans is None and self.plans_trouble is None

    @property
    def _plannable(self) -> bool:
        return bool(self.target) and (self.model is None or self.model.state == "ready")

    def look_at(self, target: str, model: CatalogueModel | None) -> None:
        """Choose another model; everything about it is asked anew. The same one again changes nothing."""
        if target == self.target and self.trouble is None and self.plans_trouble is None:
            return
        self.target, self.model = target, model
        self.detail, self.plans = None, None
        self._quantization = self.source = ""
        self.retry()

    def leave(self) -> None:
        """Nothing is chosen any more."""
        self._epoch += 1
        self.target, self.model, self.detail, self.plans = "", None, None, None
        self.trouble = self.plans_trouble = None
        self.changed.emit()

    def update_model(self, model: CatalogueModel) -> None:
        """The catalogue says it anew; it may lie on this computer now."""
        if model.id == self.target and model != self.model:
            self.model = model
            self.changed.emit()

    def choose(self, quantization: str) -> None:
        self._quantization = quantization
        self.changed.emit()

    def take_from(self, source: str) -> None:
        """source: name of a hub, "" for the fastest."""
        self.source = source
        self.changed.emit()

    def retry(self) -> None:
        """Ask for what is not known."""
        self._epoch += 1
        self.trouble = self.plans_trouble = None
        target = self.target
        if target and self.model is not None and self.detail is None:
            self._ask(lambda client: client.catalogue_model(target), self._set_detail, self._set_trouble)
        if self._plannable and self.plans is None:
            self._ask(
                lambda client: client.plans(target, PlanWish(), advice=False), self._set_plans, self._set_plans_trouble
            )
        self.changed.emit()

    def plan_again(self) -> None:
        """The same with what is free now; the present answer stays until then."""
        target = self.target
        if self._plannable and self.plans is not None:
            self._ask(lambda client: client.plans(target, PlanWish(), advice=False), self._set_plans, lambda _: None)

    def _ask(
        self, work: Callable[[ServiceClient], T], done: Callable[[T], None], failed: Callable[[Exception], None]
    ) -> None:
        """An answer about a model that is no longer looked at is dropped."""
        epoch = self._epoch

        def arrived(answer: T) -> None:
            if epoch == self._epoch:
                done(answer)
                self.changed.emit()

        def refused(error: Exception) -> None:
            if epoch == self._epoch:
                failed(error)
                self.changed.emit()

        self._session.link.ask(work, arrived, refused)

    def _set_detail(self, detail: CatalogueDetail) -> None:
        self.detail, self.model = detail, detail.model

    def _set_plans(self, plans: Plans) -> None:
        self.plans = plans

    def _set_trouble(self, error: Exception) -> None:
        self.trouble = error

    def _set_plans_trouble(self, error: Exception) -> None:
        self.plans_trouble = error
