"""The chat: banner, transcript or welcome, composer. Turns what the user does there into calls of the session."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app import words
from app.client.http import APPEND, AppendHere
from app.gui.composer import Composer
from app.gui.dialogs import ExactPrompt, WholeText
from app.gui.link import Ended, Failed, Lost
from app.gui.look import Look
from app.gui.parts.basics import plain_label
from app.gui.session import Session
from app.gui.theme.tokens import COLUMN_WIDTH
from app.gui.transcript.notice import Notice
from app.gui.transcript.view import TranscriptView
from app.gui.welcome import Welcome
from app.values import ChatMessage, PlanChange


class Banner(QWidget):
    """One notice over the chat: the service is away, or a request failed."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.notice = Notice(look, self)
        self.hide()

    def show_text(self, tone: str, text: str, button: str) -> None:
        self.notice.show_notice(tone, text, button)
        self.setVisible(True)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        width = max(200, min(COLUMN_WIDTH, self.width() - 48))
        height = self.notice.fit(width)
        self.notice.move((self.width() - width) // 2, 10)
        self.setFixedHeight(height + 14)


class ChatPage(QWidget):
    """Follows the session by itself."""

    link_wanted = Signal(str)

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self._look, self._session = look, session
        self._edited: ChatMessage | None = None
        self._trouble: Exception | None = None
        self._seen_changes: tuple[PlanChange, ...] = ()
        self._chat_id = ""
        self.banner = Banner(look)
        self.transcript = TranscriptView(look)
        self.welcome = Welcome(look, session)
        self.composer = Composer(look)
        self._hint = plain_label("", 11, shade=3)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.welcome)
        self._stack.addWidget(self.transcript)
        self._arrange()
        self._connect()
        self._refresh()

    def _arrange(self) -> None:
        self.composer.setMaximumWidth(COLUMN_WIDTH + 20)
        middle = QHBoxLayout()
        middle.setContentsMargins(14, 0, 14, 0)
        middle.addStretch(1)
        middle.addWidget(self.composer, 100)
        middle.addStretch(1)
        hint = QHBoxLayout()
        hint.addStretch(1)
        hint.addWidget(self._hint)
        hint.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(6)
        column.addWidget(self.banner)
        column.addWidget(self._stack, 1)
        column.addLayout(middle)
        column.addLayout(hint)

    def _connect(self) -> None:
        session = self._session
        self.composer.send_wanted.connect(self._send)
        self.composer.stop_wanted.connect(session.stop)
        self.composer.edit_cancelled.connect(self._forget_edit)
        self.welcome.suggested.connect(self.composer.suggest)
        self.transcript.wanted.connect(self._act)
        self.transcript.link_wanted.connect(self.link_wanted)
        self.banner.notice.button.clicked.connect(self._on_banner)
        session.sent.connect(self._on_sent)
        session.chat_replaced.connect(self._show_chat)
        session.message_changed.connect(self._show_message)
        session.trouble.connect(self._show_trouble)
        for signal in (session.link_changed, session.models_changed, session.engines_changed):
            signal.connect(self._refresh_state)
        self._look.changed.connect(self._refresh)

    # Session → page

    def _show_chat(self) -> None:
        chat_id = self._session.chat.id if self._session.chat else ""
        another = chat_id != self._chat_id
        self._chat_id = chat_id
        if another:
            if self._edited is not None:
                self.composer.clear()
                self._edited = None
            self._trouble = None
        self.transcript.show_messages(self._session.messages, another_chat=another)
        self._stack.setCurrentWidget(self.transcript if self._session.messages else self.welcome)
        self._refresh_state()

    def _show_message(self, message_id: str) -> None:
        messages = self._session.messages
        message = next((one for one in messages if one.id == message_id), None)
        if message is None or self.transcript.message_ids != tuple(one.id for one in messages):
            self._stack.setCurrentWidget(self.transcript)
            self.transcript.show_messages(messages)
        else:
            self.transcript.update_message(message)
        if message is not None and message.role == "assistant" and message.state != "streaming":
            self._announce(self._look.say("chat.answer_ended"))
        if message is None or message.state != "streaming" or not message.text:
            self._refresh_state()

    def _refresh_state(self) -> None:
        session = self._session
        self.composer.set_ready(session.online and session.model is not None)
        self.composer.set_writing(session.writing is not None)
        self.transcript.name_models({model.id: model.name for model in session.models or ()})
        engine = session.engine
        loading = engine is not None and engine.state in ("loading", "restarting")
        if engine is not None and loading:
            waiting = self._look.say(f"answer.waiting_{engine.state}", percent=round(engine.load_fraction * 100))
        else:
            waiting = self._look.say("answer.waiting")
        self.transcript.show_waiting(waiting)
        self._show_banner()

    def _show_banner(self) -> None:
        say, state = self._look.say, self._session.state
        if isinstance(state, Lost):
            self.banner.show_text("warn", say("banner.lost"), "")
        elif isinstance(state, Ended):
            self.banner.show_text("plain", say("banner.ended"), say("banner.start"))
        elif isinstance(state, Failed):
            self.banner.show_text("bad", words.describe_error(state.error, self._look.language), say("banner.retry"))
        elif self._trouble is not None:
            self.banner.show_text("bad", words.describe_error(self._trouble, self._look.language), say("banner.close"))
        elif changes := self._new_changes():
            self.banner.show_text("warn", words.describe_changes(changes, self._look.language), say("banner.close"))
        else:
            self.banner.hide()

    def _new_changes(self) -> tuple[PlanChange, ...]:
        """What was lowered for want of memory, until the user has closed the notice."""
        engine = self._session.engine
        return engine.changes if engine is not None and engine.changes != self._seen_changes else ()

    def _show_trouble(self, error: Exception) -> None:
        self._trouble = error
        self.composer.release()
        self._show_banner()

    def _announce(self, text: str) -> None:
        """Tell a screen reader; it sees only the messages that exist as widgets."""
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.transcript, text))

    def _refresh(self) -> None:
        self._hint.setText(self._look.say("composer.hint"))
        self._refresh_state()

    # User → session

    def _send(self, text: str) -> None:
        parent: str | AppendHere | None = APPEND if self._edited is None else self._edited.parent_id
        self._session.send(text, parent)

    def _on_sent(self) -> None:
        self._edited = None
        self._trouble = None
        self.composer.clear()
        self.transcript.follow()

    def _forget_edit(self) -> None:
        self._edited = None

    def _on_banner(self) -> None:
        if isinstance(self._session.state, Ended | Failed):
            self._session.link.retry()
        else:
            if self._trouble is None and (engine := self._session.engine) is not None:
                self._seen_changes = engine.changes
            self._trouble = None
            self._show_banner()

    def _act(self, action: str, message: ChatMessage) -> None:
        """What was clicked in the transcript."""
        match action:
            case "copy":
                QGuiApplication.clipboard().setText(message.text)
            case "edit":
                self._edited = message
                self.composer.edit(message.text)
            case "regenerate":
                self._session.regenerate(message)
            case "continue":
                self._session.continue_message(message)
            case "previous" | "next":
                place = message.sibling_ids.index(message.id) + (1 if action == "next" else -1)
                self._session.show_version(message, message.sibling_ids[place])
            case "prompt":
                self._session.link.ask(
                    lambda client: client.message_prompt(message.chat_id, message.id),
                    lambda prompt: ExactPrompt(self._look, self, prompt).show(),
                    self._show_trouble,
                )
            case "whole":
                WholeText(self._look, self, message.text).show()
