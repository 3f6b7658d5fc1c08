"""Where a model's files are: one row for each repository, with the way to its page."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.catalogue_values import CatalogueDetail, CatalogueSource
from app.gui.discover import phrases
from app.gui.look import Look
from app.gui.parts.basics import ElidedLabel, plain_label
from app.gui.parts.holding import heading
from app.gui.parts.icon_button import IconButton

HUB_NAMES = {"modelscope": "ModelScope", "huggingface": "Hugging Face", "hf-mirror": "hf-mirror"}
COMMIT_CHARACTERS = 8


def hub_name(hub: str) -> str:
    """As the hub calls itself."""
    return HUB_NAMES.get(hub, hub)


class SourceRow(QWidget):
    """`open_wanted` carries the address of the page."""

    open_wanted = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._address = ""
        self._hub = plain_label("", 12, 500, shade=2)
        self._hub.setFixedWidth(92)
        self._name = ElidedLabel("", 12)
        self._note = plain_label("", 12, shade=3)
        self.button = IconButton(look, 14)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._hub)
        row.addWidget(self._name, 1)
        row.addWidget(self._note)
        row.addWidget(self.button)
        self.button.clicked.connect(lambda: self.open_wanted.emit(self._address))

    def show_source(self, source: CatalogueSource) -> None:
        language = self._look.language
        self._address = source.address
        self._hub.setText(hub_name(source.hub))
        self._name.show_text(source.repository)
        self._note.setText("" if source.confirmed else phrases.say(language, "panel.not_confirmed"))
        revision = source.revision[:COMMIT_CHARACTERS]
        self._name.setToolTip(
            f"{source.repository}\n{phrases.say(language, 'panel.pinned', revision=revision)}"
            if revision
            else source.repository
        )
        self.button.dress("globe", phrases.say(language, "panel.source_open", address=source.address))
        self.button.setVisible(bool(source.address))


class SourceRows(QWidget):
    """Repositories of files that can be used, and of the maker's own weights."""

    open_wanted = Signal(str)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._headings = (heading(14), heading(14))
        self._columns = (QVBoxLayout(), QVBoxLayout())
        self.rows: tuple[list[SourceRow], list[SourceRow]] = ([], [])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for title, rows in zip(self._headings, self._columns, strict=True):
            rows.setSpacing(0)
            column.addWidget(title)
            column.addLayout(rows)
        column.setSpacing(6)

    def show_detail(self, detail: CatalogueDetail | None) -> None:
        groups = (detail.sources, detail.original) if detail is not None else ((), ())
        for title, key in zip(self._headings, ("panel.sources", "panel.original"), strict=True):
            title.setText(phrases.say(self._look.language, key))
        for title, rows, column, group in zip(self._headings, self.rows, self._columns, groups, strict=True):
            title.setVisible(bool(group))
            while len(rows) < len(group):
                row = SourceRow(self._look)
                row.open_wanted.connect(self.open_wanted)
                rows.append(row)
                column.addWidget(row)
            for place, row in enumerate(rows):
                if place < len(group):
                    row.show_source(group[place])
                row.setVisible(place < len(group))
        self.setVisible(any(groups))
