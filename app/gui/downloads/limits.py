"""The limits that all downloads keep, as small dialogs: what is kept in the settings, with errors at the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app import words
from app.download_hours import parse_hours
from app.errors import RemoteError
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button, set_property
from app.gui.session import Session
from app.gui.theme.fonts import ui_font
from resources.wording import text

SPEEDS = (1_000_000, 2_000_000, 5_000_000, 10_000_000)
# The sources as the setting names them.
SOURCES = ("ModelScope", "Hugging Face", "hf-mirror", "Python package index")
FIRST_HOURS = ("23:00", "07:00")


class LimitDialog(QDialog):
    """A title, what it means, fields, a line for what is wrong, and two buttons. It closes once the limit is kept."""

    def __init__(self, look: Look, session: Session, parent: QWidget, kind: str) -> None:
        super().__init__(parent)
        self._look, self._session, self._kind = look, session, kind
        self.setWindowTitle(self.say("title"))
        self.setMinimumWidth(440)
        self.problem = plain_label("", 13, wrap=True)
        self.problem.setVisible(False)
        self.no, self.yes = push_button(), push_button("primary", 500)
        self.no.setText(look.say("dialog.cancel"))
        self.yes.setText(text("downloads.limits.save", look.language))
        self.yes.setDefault(True)
        self.no.setAutoDefault(False)
        self.fields = QVBoxLayout()
        self.fields.setSpacing(8)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(10)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.no)
        self.buttons.addWidget(self.yes)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(12)
        column.addWidget(plain_label(self.say("title"), 16, 600))
        column.addWidget(plain_label(self.say("text"), 14, shade=2, wrap=True))
        column.addLayout(self.fields)
        column.addWidget(self.problem)
        column.addSpacing(6)
        column.addLayout(self.buttons)
        self.no.clicked.connect(self.reject)

    def say(self, key: str, **fields: Any) -> str:
        """A text of this dialog."""
        return text(f"downloads.{self._kind}.{key}", self._look.language, **fields)

    def new_field(self, value: str, name: str) -> QLineEdit:
        """A line to write in; writing takes the mark of an error away."""
        field = QLineEdit(value)
        field.setFont(ui_font(14))
        field.setAccessibleName(name)
        field.textEdited.connect(lambda: self.show_problem(""))
        return field

    def show_problem(self, sentence: str, *at: QLineEdit) -> None:
        """At the fields that are wrong; the first of them gets the focus."""
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        for field in self.findChildren(QLineEdit):
            set_property(field, "tone", "bad" if field in at else "")
        if at:
            at[0].setFocus()
            at[0].selectAll()
            at[0].setAccessibleDescription(sentence)

    def keep(self, at: tuple[QLineEdit, ...], **changes: Any) -> None:
        """Keep the settings and close; what the service refuses is said at the fields."""

        def failed(error: Exception) -> None:
            self.yes.setEnabled(True)
            refused = isinstance(error, RemoteError) and error.code == "SettingInvalid"
            self.show_problem(words.describe_error(error, self._look.language), *(at if refused else ()))

        self.yes.setEnabled(False)
        self._session.link.ask(lambda client: client.update_settings(**changes), lambda _: self.accept(), failed)


class SpeedDialog(LimitDialog):
    """Any speed limit."""

    def __init__(self, look: Look, session: Session, parent: QWidget) -> None:
        super().__init__(look, session, parent, "speed")
        now = int(session.settings.get("download_bytes_per_second", 0))
        self.field = self.new_field(f"{now / 1e6:g}" if now else "", self.say("field"))
        self.fields.addWidget(plain_label(self.say("field"), 13, shade=2))
        self.fields.addWidget(self.field)
        self.yes.clicked.connect(self._save)
        self.field.setFocus()

    def _save(self) -> None:
        try:
            megabytes = float(self.field.text().replace(",", ".").replace("，", "."))
            bytes_per_second = int(megabytes * 1e6)
        except (ValueError, OverflowError):
            self.show_problem(self.say("not_a_number"), self.field)
            return
        self.keep((self.field,), download_bytes_per_second=bytes_per_second)


class HoursDialog(LimitDialog):
    """The hours of the day that downloads run in."""

    def __init__(self, look: Look, session: Session, parent: QWidget) -> None:
        super().__init__(look, session, parent, "hours")
        begin, end = FIRST_HOURS
        if kept := str(session.settings.get("download_hours", "")):
            hours = parse_hours(kept)
            begin, end = hours.start.strftime("%H:%M"), hours.end.strftime("%H:%M")
        self.begin = self.new_field(begin, self.say("from"))
        self.end = self.new_field(end, self.say("until"))
        row = QHBoxLayout()
        row.setSpacing(10)
        for name, field in (("from", self.begin), ("until", self.end)):
            row.addWidget(plain_label(self.say(name), 14, shade=2))
            row.addWidget(field)
        row.addStretch(1)
        self.fields.addLayout(row)
        self.always = push_button()
        self.always.setText(self.say("always"))
        self.always.setAutoDefault(False)
        self.buttons.insertWidget(0, self.always)
        self.always.clicked.connect(lambda: self.keep((), download_hours=""))
        self.yes.clicked.connect(self._save)
        self.begin.setFocus()

    def _save(self) -> None:
        times = [field.text().strip().replace("：", ":") for field in (self.begin, self.end)]
        wrong = [field for field, time in zip((self.begin, self.end), times, strict=True) if not _is_time(time)]
        if wrong:
            self.show_problem(self.say("not_a_time"), *wrong)
            return
        hours = parse_hours("-".join(times))
        if hours.start == hours.end:
            self.show_problem(self.say("same"), self.end)
            return
        self.keep((self.begin, self.end), download_hours="-".join(times))


class ProxiesDialog(LimitDialog):
    """A proxy for each source: the system's, none, or one of its own."""

    def __init__(self, look: Look, session: Session, parent: QWidget) -> None:
        super().__init__(look, session, parent, "proxies")
        self._kept: Mapping[str, str] = session.settings.get("download_proxies") or {}
        self.choices: dict[str, dict[str, QPushButton]] = {}
        self.addresses: dict[str, QLineEdit] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(10)
        grid.setColumnStretch(4, 1)
        for row, source in enumerate(dict.fromkeys((*SOURCES, *self._kept))):
            self._add_source(grid, row, source)
        self.fields.addLayout(grid)
        self.setMinimumWidth(620)
        self.yes.clicked.connect(self._save)

    def _add_source(self, grid: QGridLayout, row: int, source: str) -> None:
        name = self.say("package_index") if source == SOURCES[-1] else source
        kept = self._kept.get(source, "system")
        own = kept not in ("system", "none")
        address = self.addresses[source] = self.new_field(kept if own else "", self.say("address_name", source=name))
        address.setEnabled(own)
        group = QButtonGroup(self)
        grid.addWidget(plain_label(name, 14), row, 0)
        self.choices[source] = {}
        for column, choice in enumerate(("system", "none", "address"), 1):
            button = push_button("chip")
            button.setText(self.say(choice))
            button.setAccessibleName(self.say("choice_name", source=name, choice=self.say(choice)))
            button.setCheckable(True)
            button.setAutoDefault(False)
            button.setChecked(choice == ("address" if own else kept))
            group.addButton(button)
            grid.addWidget(button, row, column)
            self.choices[source][choice] = button
        self.choices[source]["address"].toggled.connect(address.setEnabled)
        self.choices[source]["address"].toggled.connect(
            lambda chosen: address.setPlaceholderText(self.say("example") if chosen else "")
        )
        self.choices[source]["address"].clicked.connect(lambda: address.setFocus())
        grid.addWidget(address, row, 4)

    def _save(self) -> None:
        wished: dict[str, str] = {}
        own: list[QLineEdit] = []
        for source, choices in self.choices.items():
            choice = next(name for name, button in choices.items() if button.isChecked())
            if choice == "address":
                own.append(self.addresses[source])
                wished[source] = self.addresses[source].text().strip()
            elif choice == "none":
                wished[source] = "none"
        wrong = [field for field in own if "://" not in field.text()]
        if wrong:
            self.show_problem(self.say("wrong"), *wrong)
            return
        self.keep(tuple(own), download_proxies=wished)


def _is_time(value: str) -> bool:
    try:
        parse_hours(f"{value}-{value}")
    except ValueError:
        return False
    return True
