"""The cards for Qt's list view: made when they are painted, and made again when something of them changes."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from app.catalogue_values import CatalogueModel
from app.gui.discover.card import Card, make_card
from app.gui.discover.fetching import Fetching
from app.gui.discover.finding import Finding
from app.gui.look import Look

CARD_ROLE = Qt.ItemDataRole.UserRole + 1
_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


class CardModel(QAbstractListModel):
    """Follows fits and downloads by itself; `show_models` when the list is another one."""

    def __init__(self, look: Look, finding: Finding, fetching: Fetching) -> None:
        super().__init__()
        self._look, self._finding, self._fetching = look, finding, fetching
        self._models: tuple[CatalogueModel, ...] = ()
        self._rows: dict[str, int] = {}
        self._cards: dict[str, Card] = {}
        finding.fits_changed.connect(self._renew)
        fetching.changed.connect(lambda target: self._renew((target,)) if target else self.renew_all())
        look.changed.connect(self.renew_all)

    def show_models(self, models: tuple[CatalogueModel, ...]) -> None:
        """Another list, or another order."""
        if models == self._models:
            return
        if [one.id for one in models] == [one.id for one in self._models]:
            self._models = models
            self.renew_all()
            return
        self.beginResetModel()
        self._models = models
        self._rows = {model.id: row for row, model in enumerate(models)}
        self._cards.clear()
        self.endResetModel()

    def renew_all(self) -> None:
        """Everything may be another: the language, the queue of downloads."""
        self._cards.clear()
        if self._models:
            self.dataChanged.emit(self.index(0), self.index(len(self._models) - 1))

    def row_of(self, model_id: str) -> int:
        """-1 where it is not in the list."""
        return self._rows.get(model_id, -1)

    def ids(self, first: int, last: int) -> tuple[str, ...]:
        """Of these rows, both included."""
        return tuple(model.id for model in self._models[max(0, first) : last + 1])

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._models)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._models):
            return None
        if role == CARD_ROLE:
            return self._card(self._models[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return self._card(self._models[index.row()]).title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._card(self._models[index.row()]).spoken(self._look.language)
        return None

    def _card(self, model: CatalogueModel) -> Card:
        card = self._cards.get(model.id)
        if card is None:
            card = make_card(
                model,
                self._finding.fits.get(model.id),
                self._fetching.of(model.id),
                self._look.language,
                asked=self._fetching.asked(model.id),
            )
            self._cards[model.id] = card
        return card

    def _renew(self, ids: Iterable[str]) -> None:
        for one in ids:
            self._cards.pop(one, None)
            row = self._rows.get(one)
            if row is not None:
                self.dataChanged.emit(self.index(row), self.index(row))
