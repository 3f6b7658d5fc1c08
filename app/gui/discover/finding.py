"""What the page knows of the catalogue: the models that were found, and how they would run here.

A question is asked when the typing has rested a moment; an answer to an older one is dropped. How a model fits is asked
where that needs no network, for those on the screen first; it arrives by events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.catalogue_values import CatalogueFit, CatalogueFound, CatalogueModel, CatalogueQuery
from app.client.events import CatalogueChanged, Gap, ModelsChanged
from app.gui.discover.wanted import Wanted, arranged, query
from app.gui.session import Session

TYPING_MILLISECONDS = 120
FITS_MILLISECONDS = 80
ORDER_MILLISECONDS = 200
# What of `Wanted` the service does not need to know.
_DECIDED_HERE = frozenset({"fits", "here", "sort"})


class Finding(QObject):
    """Lives in the Qt thread. `changed`: the list, its order, or that there is none; `fits_changed`: ids of models.

    settled: the user has begun to work with the list, so its order stays until something else is looked for.
    """

    changed = Signal()
    fits_changed = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.wanted = Wanted()
        self.found: CatalogueFound | None = None
        self.trouble: Exception | None = None
        self.models: tuple[CatalogueModel, ...] = ()
        self.fits: dict[str, CatalogueFit] = {}
        self.seen = False
        self.settled = False
        self._places: dict[str, int] = {}
        self._answered: CatalogueQuery | None = None
        self._epoch = self._fits_epoch = 0
        self._stale = True
        self._visible: tuple[str, ...] = ()
        self._fresh: set[str] = set()
        # What the service was asked for last, and what of it was on the screen then.
        self._sent: frozenset[str] = frozenset()
        self._sent_first: frozenset[str] = frozenset()
        self._typing = QTimer(self, interval=TYPING_MILLISECONDS, singleShot=True)
        self._typing.timeout.connect(self.ask)
        self._fits_timer = QTimer(self, interval=FITS_MILLISECONDS, singleShot=True)
        self._fits_timer.timeout.connect(self._ask_fits)
        self._order_timer = QTimer(self, interval=ORDER_MILLISECONDS, singleShot=True)
        self._order_timer.timeout.connect(self._reorder)
        session.link.happened.connect(self._on_happening)
        session.link_changed.connect(self._on_link)

    # What is to be seen

    @property
    def waiting(self) -> bool:
        """Nothing is known yet."""
        return self.found is None and self.trouble is None

    @property
    def not_known(self) -> int:
        """How many of the models that were found could be had, but nobody knows yet how they would run."""
        models = self.found.models if self.found is not None else ()
        return sum(one.state == "ready" and one.id not in self.fits for one in models)

    def model(self, model_id: str) -> CatalogueModel | None:
        """One of the models that were found."""
        return next((one for one in self.found.models if one.id == model_id), None) if self.found else None

    # What the user can do

    def start(self) -> None:
        """The page is on the screen: what is free may have changed since it was last seen."""
        self.seen, self.settled = True, False
        self._fresh.clear()
        self._sent = frozenset()
        if self._stale:
            self.ask()
        else:
            self._rearrange()
            self._fits_timer.start()

    def stop(self) -> None:
        """The page is not to be seen; nothing is asked any more."""
        self.seen = False
        for timer in (self._typing, self._fits_timer, self._order_timer):
            timer.stop()

    def search(self, text: str) -> None:
        """Look for something else, once the typing rests."""
        if text.strip() != self.wanted.text.strip():
            self.wanted = replace(self.wanted, text=text)
            self.settled = False
            self._typing.start()

    def change(self, **what: Any) -> None:
        """Other filters, another order."""
        wanted = replace(self.wanted, **what)
        if wanted == self.wanted:
            return
        self.wanted = wanted
        self.settled = False
        if what.keys() <= _DECIDED_HERE:
            self._rearrange()
        else:
            self.ask()

    def want_fits(self, visible: Sequence[str]) -> None:
        """These are on the screen now."""
        self._visible = tuple(visible)
        if self.seen:
            self._fits_timer.start()

    def ask(self) -> None:
        """The same question again, or the new one at once."""
        self._typing.stop()
        if not self._session.online or not self.seen:
            self._stale = True
            return
        self._stale = False
        self._epoch += 1
        epoch, question = self._epoch, query(self.wanted)

        def done(found: CatalogueFound) -> None:
            if epoch == self._epoch:
                self._take(question, found)

        def failed(error: Exception) -> None:
            if epoch == self._epoch:
                self.trouble, self._stale = error, True
                self.changed.emit()

        self._session.link.ask(lambda client: client.catalogue(question), done, failed)

    # What arrives

    def _take(self, question: CatalogueQuery, found: CatalogueFound) -> None:
        same, self._answered = question == self._answered, question
        self.found, self.trouble = found, None
        if replace(question, unconfirmed=False) == CatalogueQuery():
            families = dict.fromkeys(model.family for model in found.models)
            self._places = {family: place for place, family in enumerate(families)}
        before = {model.id: place for place, model in enumerate(self.models)}
        self._arrange()
        if same and self.settled:  # nothing moves under the user's hands
            self.models = tuple(sorted(self.models, key=lambda model: before.get(model.id, len(before))))
        self.changed.emit()
        self._fits_timer.start()

    def _arrange(self) -> None:
        models = self.found.models if self.found else ()
        self.models = arranged(models, self.fits, self._places, self.wanted)

    def _reorder(self) -> None:
        """New fits have arrived; the user may have begun to work with the list meanwhile."""
        if self._moves:
            self._rearrange()

    @property
    def _moves(self) -> bool:
        return self.wanted.fits or (self.wanted.sort == "best" and not self.settled)

    def _rearrange(self) -> None:
        before = self.models
        self._arrange()
        if self.models != before or not self.models:
            self.changed.emit()

    def _note_fits(self, fits: Sequence[CatalogueFit]) -> None:
        fresh = [fit for fit in fits if self.fits.get(fit.model) != fit]
        self._fresh.update(fit.model for fit in fits)
        if not fresh:
            return
        self.fits.update({fit.model: fit for fit in fresh})
        self.fits_changed.emit(frozenset(fit.model for fit in fresh))
        if self._moves and not self._order_timer.isActive():
            self._order_timer.start()

    def _ask_fits(self) -> None:
        """Those on the screen first. The service works only on what was asked for last, so all the others are named,
        too, unless they were already and nothing on the screen waits."""
        if not self.found or not self.seen or not self._session.online:
            return
        missing = [one.id for one in self.found.models if one.plannable and one.id not in self._fresh]
        first = [one for one in self._visible if one in missing]
        wanted = list(dict.fromkeys((*first, *missing)))
        if not wanted or (self._sent.issuperset(wanted) and self._sent_first.issuperset(first)):
            return
        self._sent, self._sent_first = frozenset(wanted), frozenset(first)
        epoch = self._fits_epoch

        def done(fits: list[CatalogueFit]) -> None:
            if epoch == self._fits_epoch:
                self._note_fits(fits)

        self._session.link.ask(lambda client: client.catalogue_fits(wanted), done, failed=lambda _: None)

    def _on_happening(self, happening: object) -> None:
        if isinstance(happening, CatalogueFit):
            self._note_fits([happening])
        elif isinstance(happening, CatalogueChanged | Gap):
            self._forget_fits()
            self.ask()
        elif isinstance(happening, ModelsChanged):
            self.ask()

    def _forget_fits(self) -> None:
        self._fits_epoch += 1
        self.fits, self._sent = {}, frozenset()
        self._fresh.clear()

    def _on_link(self) -> None:
        if self._session.online:
            self._sent = frozenset()
            self.ask()
