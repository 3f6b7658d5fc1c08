"""The page of the models on this computer: the models folder and the list at the left, one model at the right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QDesktopServices,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app import words
from app.gui import icons
from app.gui.dialogs import Question
from app.gui.library.folder import FolderCard, ProgramsButton, library_bytes
from app.gui.library.importing import model_paths, report_words
from app.gui.library.list_view import ModelListView
from app.gui.library.panel import ModelPanel
from app.gui.library.removal import ask_to_remove
from app.gui.library.rows import rows_of
from app.gui.library.watch import LibraryWatch
from app.gui.library.work_view import WorkView
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.parts.holding import Message
from app.gui.parts.service_state import ServiceState
from app.gui.session import Session
from app.gui.theme.fonts import ui_font
from app.gui.theme.tokens import TITLE
from app.values import ImportReport, LocalModel, ModelRemoval
from resources.wording import text

PANEL_WIDTH = 340
# Narrower than this there is room for one side only: the list, or the model that was chosen in it.
BOTH_WIDTH = 800
# Lower than this the list needs the room.
ROOMY_HEIGHT = 520


class LibraryPage(QWidget):
    """Follows session and service by itself.

    `chat_wanted` and `plan_wanted` carry a model's id; `import_wanted`: choose a first file, and use it at once.
    """

    chat_wanted = Signal(str)
    plan_wanted = Signal(str)
    discover_wanted = Signal()
    import_wanted = Signal()

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self._look, self._session = look, session
        self.watch = LibraryWatch(session)
        self._title = plain_label("", TITLE, 700)
        self._text = plain_label("", 14, shade=2, wrap=True)
        self.import_files, self.import_folder = push_button("", 500), push_button("", 500)
        self.folder = FolderCard(look, session, self.watch)
        self.programs = ProgramsButton(look, session, self.watch)
        self.works = {kind: WorkView(look, self.watch) for kind in ("move", "copy", "compare")}
        self.message = Message(look)
        self.search = QLineEdit()
        self._glass = QAction(self)
        self.list = ModelListView(look)
        self._not_found = plain_label("", 13, shade=3, wrap=True)
        self._nothing = plain_label("", 18, 600)
        self._nothing_text = plain_label("", 14, shade=2, wrap=True)
        self.discover, self.bring = push_button("primary", 500), push_button("", 500)
        self._empty = self._arrange_empty()
        self.panel = ModelPanel(look, session, self.watch)
        self._shows_panel = False
        self._wanted = ""
        self._row_timer = QTimer(self, singleShot=True, interval=0)
        self._left = self._arrange()
        self.setAcceptDrops(True)
        self._connect()
        self._refresh()

    def _arrange_empty(self) -> QWidget:
        empty = QWidget()
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch(1)
        buttons.addWidget(self.discover)
        buttons.addWidget(self.bring)
        buttons.addStretch(1)
        column = QVBoxLayout(empty)
        column.setContentsMargins(0, 40, 0, 0)
        column.setSpacing(10)
        for label in (self._nothing, self._nothing_text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        column.addSpacing(8)
        column.addLayout(buttons)
        column.addStretch(1)
        return empty

    def _arrange(self) -> QWidget:
        self.search.setFont(ui_font(13))
        self.search.setClearButtonEnabled(True)
        policy = self.search.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.search.setSizePolicy(policy)
        self.search.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._buttons.addWidget(self.search, 1)
        self._buttons.addWidget(self.import_files)
        self._buttons.addWidget(self.import_folder)
        left = QWidget()
        left.setMinimumWidth(1)
        column = QVBoxLayout(left)
        column.setContentsMargins(26, 20, 16, 0)
        column.setSpacing(10)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addWidget(self.folder)
        for widget in (ServiceState(self._look, self._session), *self.works.values(), self.message):
            column.addWidget(widget)
        column.addLayout(self._buttons)
        column.addWidget(self.programs, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute)
        column.addWidget(self._not_found)
        column.addWidget(self._empty, 1)
        column.addWidget(self.list, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(left, 1)
        row.addWidget(self.panel)
        return left

    def _connect(self) -> None:
        self.discover.clicked.connect(self.discover_wanted)
        self.bring.clicked.connect(self.import_wanted)
        self.import_files.clicked.connect(self._choose_files)
        self.import_folder.clicked.connect(self._choose_folder)
        self.folder.open_wanted.connect(self._open_models_folder)
        self.folder.move_wanted.connect(self._move)
        self.search.textChanged.connect(self._show)
        self.list.looked_at.connect(self._look_at)
        self.list.clicked.connect(lambda _: self._show_panel(True))
        self.list.opened.connect(self._open)
        self.list.delete_wanted.connect(self._delete)
        self.panel.back_wanted.connect(self._leave_panel)
        self.panel.chat_wanted.connect(self.chat_wanted)
        self.panel.plan_wanted.connect(self.plan_wanted)
        self.panel.delete_wanted.connect(self.watch.ask_removal)
        self.panel.folder_wanted.connect(lambda model: _open(Path(model.path).parent))
        self.message.pressed.connect(lambda: self.message.show_text("plain", ""))
        self.watch.works_changed.connect(self._show_works)
        self.watch.begun.connect(lambda: self.message.show_text("plain", ""))
        self.watch.imported.connect(self._on_imported)
        self.watch.refused.connect(self._on_refused)
        self.watch.removal_known.connect(self._ask_to_remove)
        self._row_timer.timeout.connect(self._show)
        # Several of them come one after another, and the list is made once.
        for signal in (self._session.models_changed, self._session.engines_changed):
            signal.connect(self._row_timer.start)
        self._look.changed.connect(self._refresh)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.watch.look_at_folder()
        self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    # What the user does

    def _choose_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, self._say("page.import_files"), "", "GGUF (*.gguf)")
        self._import(tuple(paths))

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, self._say("page.import_folder"))
        self._import((path,) if path else ())

    def _import(self, paths: tuple[str, ...]) -> None:
        if paths:
            self.watch.import_paths(paths)
            self.message.show_text("plain", self._say("import.running"))

    def _move(self) -> None:
        path = QFileDialog.getExistingDirectory(self, self._say("folder.move_title"))
        if not path:
            return
        explained = self._say("folder.move_text", size=words.shown_bytes(library_bytes(self._session)))
        question = Question(
            self._look, self, self._say("folder.move_title"), explained, self._say("folder.move_yes"), path
        )
        if question.exec() == QDialog.DialogCode.Accepted:
            self.watch.move(path)

    def _open_models_folder(self) -> None:
        if self.watch.folder is not None:
            _open(self.watch.folder.path)

    def _open(self, model_id: str) -> None:
        """Clicked twice: begin to chat where that is possible and its details are seen already, else look closer."""
        model = self._model(model_id)
        if model is not None and model.problem is None and not model.missing and self.panel.isVisible():
            self.chat_wanted.emit(model_id)
        else:
            self._show_panel(True)

    def _delete(self, model_id: str) -> None:
        if (model := self._model(model_id)) is not None:
            self.watch.ask_removal(model)

    def _ask_to_remove(self, model: LocalModel, removal: ModelRemoval) -> None:
        loaded = model.id in self._session.engines
        if ask_to_remove(self._look, self, model, removal, loaded=loaded):
            self.watch.remove(model.id)

    def _on_imported(self, report: ImportReport) -> None:
        tone, sentence = report_words(report, self._look.language)
        self.message.show_text(tone, sentence, self._say("page.close"))
        if report.models:
            self._wanted = report.models[0].id

    def _on_refused(self, error: Exception) -> None:
        self.message.show_text("bad", words.describe_error(error, self._look.language), self._say("page.close"))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self.message.show_text("good", self._say("page.drop"))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.message.show_text("plain", "")

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        paths = model_paths(tuple(url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()))
        if paths:
            self._import(paths)
        else:
            self.message.show_text("warn", self._say("import.no_models"), self._say("page.close"))

    # What is shown

    def _look_at(self, model_id: str) -> None:
        self.panel.show_model(self._model(model_id))
        if not model_id:
            self._show_panel(False)

    def _show_panel(self, shown: bool) -> None:
        self._shows_panel = shown and bool(self.list.chosen)
        self._place()
        if self._shows_panel and not self._left.isVisible():
            self.panel.back.setFocus()

    def _leave_panel(self) -> None:
        self._show_panel(False)
        self.list.setFocus()

    def _place(self) -> None:
        self._text.setVisible(self.height() >= ROOMY_HEIGHT)
        any_model = bool(self._session.models)
        both = self.width() >= BOTH_WIDTH
        self._left.setVisible(both or not self._shows_panel)
        self.panel.setVisible(any_model if both else self._shows_panel)
        self.panel.stand_alone(not both)
        if both:
            self.panel.setFixedWidth(PANEL_WIDTH)
        else:
            self.panel.setMinimumWidth(0)
            self.panel.setMaximumWidth(16_777_215)

    def _refresh(self) -> None:
        say = self._say
        self.setAccessibleName(say("page.title"))
        self._title.setText(say("page.title"))
        self._text.setText(say("page.text"))
        for button, key in ((self.import_files, "import_files"), (self.import_folder, "import_folder")):
            button.setText(say(f"page.{key}"))
            button.setToolTip(say("page.import_tip"))
        self.search.setPlaceholderText(say("page.search"))
        self.search.setAccessibleName(say("page.search"))
        self._glass.setIcon(icons.icon("search", self._look.theme.text_third, 15))
        self.list.setAccessibleName(say("page.list"))
        self._nothing_text.setText(say("page.empty_text"))
        self.discover.setText(say("page.discover"))
        self.bring.setText(say("page.bring"))
        self._not_found.setText(say("page.not_found"))
        self.list.viewport().update()
        self._show()
        self._show_works()

    def _show(self) -> None:
        """Costs nothing while nobody looks."""
        if not self.isVisible():
            return
        models = self._session.models
        rows = rows_of(
            models or (),
            wanted=self.search.text(),
            engines=self._session.engines,
            works=tuple(self.watch.works.values()),
            language=self._look.language,
        )
        self.list.show_rows(rows)
        if not self._wanted and not self.list.chosen and self._session.model is not None:
            self._wanted = self._session.model.id
        if self._wanted and self.list.choose(self._wanted):
            self._wanted = ""
        self._nothing.setText(self._say("page.loading" if models is None else "page.empty"))
        self._nothing_text.setVisible(models is not None)
        for button in (self.discover, self.bring):
            button.setVisible(models is not None)
        self._empty.setVisible(not models)
        self._not_found.setVisible(bool(models) and not rows)
        self.list.setVisible(bool(models))
        self.search.setVisible(bool(models))
        self.panel.show_model(self._model(self.list.chosen))
        self._place()

    def _show_works(self) -> None:
        for kind, view in self.works.items():
            view.show_work(next((one for one in self.watch.works.values() if one.kind == kind), None))
        self._row_timer.start()

    def _model(self, model_id: str) -> LocalModel | None:
        return next((model for model in self._session.models or () if model.id == model_id), None)

    def _say(self, key: str, **fields: Any) -> str:
        return text(f"shelf.{key}", self._look.language, **fields)


def _open(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
