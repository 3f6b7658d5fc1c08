"""The right side: one model with all that is known of it, and what can be done with it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.gui.library.rows import duplicate_words, place_name, problem_words
from app.gui.library.template import TemplateView
from app.gui.library.watch import LibraryWatch
from app.gui.library.work_view import WorkView
from app.gui.look import Look
from app.gui.parts.basics import plain_label, push_button
from app.gui.parts.holding import Message, TextRows, breakable, heading
from app.gui.parts.icon_button import IconButton
from app.gui.session import Session
from app.values import LocalModel
from app.words import shown_bytes
from resources.wording import text

# Not a place of ours: models there can be copied into the models folder.
_OUTSIDE = frozenset({"added", "ollama", "lm-studio", "jan", "huggingface", "modelscope"})


class ModelPanel(QFrame):
    """The signals carry the model's id, `delete_wanted` and `folder_wanted` the model itself."""

    chat_wanted = Signal(str)
    plan_wanted = Signal(str)
    delete_wanted = Signal(object)
    folder_wanted = Signal(object)
    back_wanted = Signal()

    def __init__(self, look: Look, session: Session, watch: LibraryWatch) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._look, self._session, self._watch = look, session, watch
        self.model: LocalModel | None = None
        self.back = IconButton(look)
        self._name = plain_label("", 19, 700, wrap=True)
        self._name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._nothing = plain_label("", 14, shade=3, wrap=True)
        self.problem = Message(look)
        self.duplicate = Message(look)
        self.check = WorkView(look, watch)
        self._facts = TextRows()
        self._path = plain_label("", 12, shade=3, wrap=True)
        self._path.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.plan, self.verify, self.copy = push_button(), push_button(), push_button()
        self.folder, self.delete = push_button(), push_button()
        self._template_title = heading()
        self.template = TemplateView(look, session, watch)
        self.chat = push_button("primary", 600)
        self.chat.setMinimumHeight(42)
        self._inside = self._arrange()
        self._connect()
        self.refresh()

    def _arrange(self) -> QWidget:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self._name, 1)
        actions = QGridLayout()
        actions.setSpacing(8)
        for number, button in enumerate((self.plan, self.verify, self.folder, self.delete)):
            actions.addWidget(button, number // 2, number % 2)
        actions.addWidget(self.copy, 2, 0, 1, 2)
        inside = QWidget()
        inside.setObjectName("page")
        inside.setMinimumWidth(1)
        column = QVBoxLayout(inside)
        column.setContentsMargins(22, 20, 22, 20)
        column.setSpacing(12)
        column.addLayout(top)
        for widget in (self.problem, self.duplicate, self.check, self._facts, self._path):
            column.addWidget(widget)
        column.addLayout(actions)
        column.addSpacing(6)
        column.addWidget(self._template_title)
        column.addWidget(self.template)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        self._foot = QFrame()
        self._foot.setObjectName("foot")
        foot = QVBoxLayout(self._foot)
        foot.setContentsMargins(22, 12, 22, 14)
        foot.addWidget(self.chat)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        self._nothing.setContentsMargins(22, 24, 22, 0)
        whole.addWidget(self._nothing, 0, Qt.AlignmentFlag.AlignTop)
        whole.addWidget(area, 1)
        whole.addWidget(self._foot)
        self._area = area
        return inside

    def _connect(self) -> None:
        self.back.clicked.connect(self.back_wanted)
        for button, signal in ((self.chat, self.chat_wanted), (self.plan, self.plan_wanted)):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit(self.model.id if self.model else ""))
        for button, wish in ((self.delete, self.delete_wanted), (self.folder, self.folder_wanted)):
            button.clicked.connect(lambda _=False, wish=wish: wish.emit(self.model))
        self.verify.clicked.connect(lambda: self._watch.verify(self.model.id if self.model else ""))
        self.copy.clicked.connect(lambda: self._watch.copy(self.model.path if self.model else ""))
        self.duplicate.pressed.connect(self._watch.compare)
        self._watch.works_changed.connect(self._show_works)
        self._session.engines_changed.connect(self._show_works)
        self._look.changed.connect(self.refresh)

    def stand_alone(self, alone: bool) -> None:
        """Whether it takes the whole page, so that there has to be a way back."""
        self.back.setVisible(alone)

    def show_model(self, model: LocalModel | None) -> None:
        """Another model, or the same one with other facts."""
        if model == self.model:
            return
        before, self.model = self.model, model
        if before is None or model is None or before.id != model.id:
            self._area.verticalScrollBar().setValue(0)
        self.refresh()

    def refresh(self) -> None:
        """Everything again."""
        model, language = self.model, self._look.language
        self.back.dress("chevron-left", self._page("back"))
        self._nothing.setText(self._page("choose"))
        self._nothing.setVisible(model is None)
        self._area.setVisible(model is not None)
        self._foot.setVisible(model is not None)
        if model is None:
            return
        self._name.setText(breakable(model.name or model.id))
        self.problem.show_text("warn" if model.missing else "bad", problem_words(model, language))
        self._show_facts(model)
        self._show_actions(model)
        self._template_title.setText(text("shelf.template.title", language))
        usable = model.problem is None and not model.missing
        for widget in (self._template_title, self.template):
            widget.setVisible(usable)
        if usable:
            self.template.show_model(model)
        self._show_works()

    def _show_facts(self, model: LocalModel) -> None:
        language = self._look.language

        def say(key: str, **fields: Any) -> str:
            return text(f"shelf.fact.{key}", language, **fields)

        tokens = say("tokens", count=f"{model.trained_context_tokens:,}") if model.trained_context_tokens else ""
        facts = (
            (say("quantization"), model.quantization),
            (say("size"), shown_bytes(model.size_bytes)),
            (say("architecture"), model.architecture),
            (say("context"), tokens),
            (say("licence"), model.licence or say("unknown")),
            (say("place"), place_name(model.place, language)),
        )
        rows = [(name, value, "") for name, value in facts if value]
        if model.origin:
            rows.append((say("origin"), "", breakable(model.origin)))
        self._facts.show_rows(rows)
        self._path.setText(breakable(model.path))

    def _show_actions(self, model: LocalModel) -> None:
        say, usable = self._action, model.problem is None and not model.missing
        deletes = model.place == "library" and not model.missing
        named: tuple[tuple[QPushButton, str, bool], ...] = (
            (self.chat, "chat", usable),
            (self.plan, "plan", usable),
            (self.verify, "verify", not model.missing),
            (self.copy, "copy", usable),
            (self.folder, "folder", not model.missing),
            (self.delete, "delete" if deletes else "forget", True),
        )
        for button, key, possible in named:
            button.setText(say(key))
            button.setAccessibleName(f"{say(key)} {model.name}")
            button.setEnabled(possible)
        self.verify.setToolTip(say("verify_tip"))
        self.copy.setVisible(model.place in _OUTSIDE)

    def _show_works(self) -> None:
        """Beside the work: a comparison that runs already is not offered."""
        model, works = self.model, self._watch.works
        if model is None:
            return
        running = [work for work in works.values() if work.state == "running"]
        duplicate = duplicate_words(model, self._look.language)
        offers = bool(model.maybe_duplicates and not model.duplicates) and all(
            work.kind != "compare" for work in running
        )
        self.duplicate.show_text("plain", duplicate, self._action("compare") if offers else "")
        verifying = next((one for one in works.values() if one.kind == "verify" and one.model == model.id), None)
        copying = next((one for one in works.values() if one.kind == "copy" and one.key == f"copy {model.path}"), None)
        self.check.show_work(verifying, model)
        usable = model.problem is None and not model.missing
        self.verify.setEnabled(not model.missing and (verifying is None or verifying.state != "running"))
        self.copy.setEnabled(usable and (copying is None or copying.state != "running"))

    def _action(self, key: str) -> str:
        return text(f"shelf.action.{key}", self._look.language)

    def _page(self, key: str) -> str:
        return text(f"shelf.page.{key}", self._look.language)
