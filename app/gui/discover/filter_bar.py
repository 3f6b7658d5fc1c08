"""The chips that leave models out, and under them how many are left and in which order."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from app.gui import icons
from app.gui.discover import phrases
from app.gui.discover.finding import Finding
from app.gui.discover.wanted import SIZES, SORTS
from app.gui.look import Look
from app.gui.parts.basics import ElidedLabel, menu_under
from app.gui.parts.flow import FlowLayout
from app.gui.theme.fonts import ui_font

# What most people look for; the other abilities are found by their words.
ABILITIES = ("chat", "thinking", "tools", "vision", "code", "embedding")


class FilterBar(QWidget):
    """Follows the finding by itself."""

    def __init__(self, look: Look, finding: Finding) -> None:
        super().__init__()
        self._look, self._finding = look, finding
        self.all = _chip()
        self.fits = _chip()
        self.here = _chip()
        self.abilities = {name: _chip() for name in ABILITIES}
        self.size_button = _chip()
        self.commercial = _chip()
        self.count = ElidedLabel("", 12, shade=3)
        self.unconfirmed = _words_button()
        self.sort_button = _words_button()
        self._arrange()
        self._connect()
        look.changed.connect(self.show_state)
        finding.changed.connect(self.show_state)
        self.show_state()

    def _arrange(self) -> None:
        chips = QWidget()
        flow = FlowLayout(chips, 7)
        for chip in (self.all, self.fits, self.here, *self.abilities.values(), self.size_button, self.commercial):
            flow.addWidget(chip)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.count)
        row.addWidget(self.unconfirmed)
        row.addStretch(1)
        row.addWidget(self.sort_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(chips)
        column.addLayout(row)

    def _connect(self) -> None:
        change = self._finding.change
        self.all.clicked.connect(self.clear)
        self.fits.clicked.connect(lambda: change(fits=not self._finding.wanted.fits))
        self.here.clicked.connect(lambda: change(here=not self._finding.wanted.here))
        for name, chip in self.abilities.items():
            chip.clicked.connect(lambda _=False, name=name: self._turn_ability(name))
        self.size_button.clicked.connect(lambda: self._open(self.size_menu(), self.size_button))
        self.commercial.clicked.connect(lambda: change(commercial=not self._finding.wanted.commercial))
        self.unconfirmed.clicked.connect(lambda: change(unconfirmed=not self._finding.wanted.unconfirmed))
        self.sort_button.clicked.connect(lambda: self._open(self.sort_menu(), self.sort_button))

    def clear(self) -> None:
        """No filter any more."""
        self._finding.change(abilities=frozenset(), size="any", commercial=False, fits=False, here=False)
        self.show_state()  # a chip that was checked stays so when it is clicked again

    def size_menu(self) -> QMenu:
        return self._menu("size", tuple(SIZES), self._finding.wanted.size, self._set_size)

    def sort_menu(self) -> QMenu:
        """By how they match while there is something to match."""
        menu = self._menu("sort", SORTS, self._finding.wanted.sort, self._set_sort)
        if self._finding.wanted.text.strip():
            menu.actions()[0].setText(self._say("sort.match"))
        return menu

    def _menu(self, table: str, names: tuple[str, ...], now: str, chosen: Callable[[str], None]) -> QMenu:
        menu = menu_under(self)
        group = QActionGroup(menu)
        for name in names:
            action = QAction(self._say(f"{table}.{name}"), menu)
            action.setCheckable(True)
            action.setChecked(name == now)
            action.triggered.connect(lambda _=False, name=name: chosen(name))
            group.addAction(action)
            menu.addAction(action)
        return menu

    def _open(self, menu: QMenu, button: QPushButton) -> None:
        self.show_state()
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def _set_size(self, name: str) -> None:
        self._finding.change(size=name)
        self.show_state()

    def _set_sort(self, name: str) -> None:
        self._finding.change(sort=name)
        self.show_state()

    def _turn_ability(self, name: str) -> None:
        self._finding.change(abilities=self._finding.wanted.abilities ^ {name})

    def show_state(self) -> None:
        """Everything anew: language, theme, what is wanted and what was found."""
        wanted = self._finding.wanted
        self.setAccessibleName(self._say("filter.name"))
        _show(self.all, self._say("filter.all"), not wanted.filtered)
        _show(self.fits, self._say("filter.fits"), wanted.fits)
        _show(self.here, self._say("filter.here"), wanted.here)
        for name, chip in self.abilities.items():
            _show(chip, self._say(f"ability.{name}"), name in wanted.abilities)
        size = self._say("filter.size", size=self._say(f"size.{wanted.size}"))
        _show(self.size_button, size, wanted.size != "any")
        self._point_down(self.size_button)
        _show(self.commercial, self._say("filter.commercial"), wanted.commercial)
        sort = "match" if wanted.sort == "best" and wanted.text.strip() else wanted.sort
        self.sort_button.setText(self._say(f"sort.{sort}"))
        self.sort_button.setAccessibleName(f"{self._say('sort.name')} {self.sort_button.text()}")
        self._point_down(self.sort_button)
        self._show_count()

    def _show_count(self) -> None:
        finding = self._finding
        found, wanted = finding.found, finding.wanted
        number = len(finding.models)
        words = "" if found is None else self._say("page.count_one" if number == 1 else "page.count", count=number)
        if wanted.fits and finding.not_known:
            words += " · " + self._say("page.not_known", count=finding.not_known)
        hidden = found.hidden if found is not None else 0
        if hidden and not wanted.unconfirmed:
            words += " · " + self._say("page.hidden", count=hidden)
        self.count.show_text(words)
        self.unconfirmed.setVisible(bool(hidden) or wanted.unconfirmed)
        self.unconfirmed.setText(self._say("page.hide_hidden" if wanted.unconfirmed else "page.show_hidden"))
        self.unconfirmed.setToolTip(self._say("page.hidden_tip"))
        self.unconfirmed.setAccessibleName(
            f"{self._say('page.hidden', count=hidden)} {self.unconfirmed.text()}"
            if not wanted.unconfirmed
            else self.unconfirmed.text()
        )

    def _point_down(self, button: QPushButton) -> None:
        button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        button.setIcon(icons.icon("chevron-down", self._look.theme.text_second, 13))

    def _say(self, key: str, **fields: object) -> str:
        return phrases.say(self._look.language, key, **fields)


def _chip() -> QPushButton:
    chip = QPushButton()
    chip.setProperty("kind", "chip")
    chip.setFont(ui_font(13))
    chip.setCheckable(True)
    chip.setCursor(Qt.CursorShape.PointingHandCursor)
    return chip


def _words_button() -> QPushButton:
    button = QPushButton()
    button.setProperty("kind", "words")
    button.setFont(ui_font(12, 500))
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    return button


def _show(chip: QPushButton, words: str, checked: bool) -> None:
    chip.setText(words)
    chip.setAccessibleName(words)
    chip.setChecked(checked)
