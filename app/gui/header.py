"""The bar above the chat: the model and its state, its speed, the context meter, and the menus."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QToolButton, QWidget

from app import words
from app.gui import conversation, icons
from app.gui.look import Look
from app.gui.parts.basics import Badge, ElidedLabel, IconView, dress_button, ghost_button, menu_under, plain_label
from app.gui.parts.drawn import Ring
from app.gui.session import Session
from app.gui.theme.fonts import ui_font
from app.values import EngineStatus

HEIGHT = 58
ROOMY_WIDTH = 640


class ModelPill(QPushButton):
    """The model that answers: its name, quantization and state. Clicked, it offers the others."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.setProperty("kind", "pill")
        self.setFixedHeight(40)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._name = ElidedLabel("", 14, 600)
        self._name.setMaximumWidth(300)
        self._quantization = plain_label("", 12, shade=3)
        self._badge = Badge()
        self._arrow = IconView(16)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 10, 0)
        row.setSpacing(8)
        for widget in (self._name, self._quantization, self._badge, self._arrow):
            widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            row.addWidget(widget)

    def sizeHint(self) -> QSize:
        return self._row.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 40)

    def show_model(self, name: str, quantization: str, tone: str, state: str) -> None:
        self._name.show_text(name)
        self._quantization.setText(quantization)
        self._quantization.setVisible(bool(quantization))
        self._badge.show_state(self._look, tone, state)
        self._badge.setVisible(bool(state))
        self._arrow.show_icon("chevron-down", self._look.theme.text_third)
        self.setAccessibleName(self._look.say("header.model", name=name, state=state))
        self.setToolTip(self._look.say("header.choose_model"))
        self.updateGeometry()


class Header(QFrame):
    """Follows the session by itself. The signals are for what the window has to do."""

    show_side_wanted = Signal()
    import_wanted = Signal()
    starter_wanted = Signal()
    api_wanted = Signal()
    update_wanted = Signal()
    language_wanted = Signal(str)
    theme_wanted = Signal(str)

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self.setObjectName("header")
        self.setFixedHeight(HEIGHT)
        self._look, self._session = look, session
        self.show_side = ghost_button(look, "panel-left", "side.show")
        self.show_side.hide()
        self.pill = ModelPill(look)
        self._speed = plain_label("", 13, shade=2)
        self._ring = Ring(look)
        self._context = plain_label("", 13, shade=2)
        self._theme_button = ghost_button(look, "moon", "header.dark")
        self._language_button = ghost_button(look, "globe", "header.language")
        self._language_button.setFont(ui_font(12, 500))
        self._language_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.settings_button = ghost_button(look, "settings", "header.settings")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 14, 0)
        row.setSpacing(7)
        row.addWidget(self.show_side)
        row.addWidget(self.pill)
        row.addStretch(1)
        for widget in (self._speed, self._ring, self._context):
            row.addWidget(widget)
        row.addSpacing(8)
        for button in (self._language_button, self._theme_button, self.settings_button):
            row.addWidget(button)
        self.show_side.clicked.connect(self.show_side_wanted)
        self.pill.clicked.connect(lambda: self.model_menu().popup(_below(self.pill)))
        self.settings_button.clicked.connect(lambda: self.settings_menu().popup(_below(self.settings_button)))
        self._language_button.clicked.connect(self._switch_language)
        self._theme_button.clicked.connect(self._switch_theme)
        for signal in (session.models_changed, session.engines_changed, session.chat_replaced, session.link_changed):
            signal.connect(self._show)
        session.message_changed.connect(lambda _: self._show_context())
        look.changed.connect(self._refresh)
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_context()

    def model_menu(self) -> QMenu:
        """The models on this computer, and how to get more."""
        theme, say = self._look.theme, self._look.say
        menu = menu_under(self)
        menu.setToolTipsVisible(True)
        chosen = self._session.model
        for model in self._session.models or ():
            label = f"{model.name}    {model.quantization} · {model.size_bytes / 1e9:.2f} GB".replace("&", "&&")
            action = self._choice(menu, label, chosen is not None and model.id == chosen.id)
            action.triggered.connect(lambda _=False, model_id=model.id: self._session.choose_model(model_id))
            if model.problem is not None:
                action.setEnabled(False)
                action.setToolTip(words.describe(model.problem.code, model.problem.fields, self._look.language))
        if self._session.models:
            menu.addSeparator()
        if any(not offer.installed for offer in self._session.offers):
            fetch = menu.addAction(icons.icon("download", theme.text_second, 15), say("header.starter"))
            fetch.triggered.connect(self.starter_wanted)
        bring = menu.addAction(icons.icon("folder", theme.text_second, 15), say("header.import"))
        bring.triggered.connect(self.import_wanted)
        return menu

    def settings_menu(self) -> QMenu:
        """Language, theme, how other programs reach the models, and newer versions of the program."""
        look = self._look
        menu = menu_under(self)
        for language, name in (("zh", "简体中文"), ("en", "English")):
            action = self._choice(menu, name, look.language == language)
            action.triggered.connect(lambda _=False, language=language: self.language_wanted.emit(language))
        menu.addSeparator()
        for theme in ("system", "light", "dark"):
            action = self._choice(menu, look.say(f"header.theme_{theme}"), look.theme_choice == theme)
            action.triggered.connect(lambda _=False, theme=theme: self.theme_wanted.emit(theme))
        if self._session.online:
            menu.addSeparator()
            api = menu.addAction(icons.icon("plug", look.theme.text_second, 15), look.say("header.api"))
            api.triggered.connect(self.api_wanted)
        menu.addSeparator()
        update = menu.addAction(icons.icon("refresh-cw", look.theme.text_second, 15), look.say("header.update"))
        update.triggered.connect(self.update_wanted)
        return menu

    def _choice(self, menu: QMenu, name: str, chosen: bool) -> QAction:
        """An entry of which one is chosen, marked like every other entry by an icon."""
        action = menu.addAction(name)
        if chosen:
            action.setIcon(icons.icon("check", self._look.theme.accent, 15))
        return action

    def _switch_language(self) -> None:
        self.language_wanted.emit("en" if self._look.language == "zh" else "zh")

    def _switch_theme(self) -> None:
        self.theme_wanted.emit("light" if self._look.theme.name == "dark" else "dark")

    def _refresh(self) -> None:
        look = self._look
        dress_button(look, self.show_side, "panel-left", "side.show")
        dark = look.theme.name == "dark"
        dress_button(look, self._theme_button, "sun" if dark else "moon", "header.light" if dark else "header.dark")
        dress_button(look, self._language_button, "globe", "header.language")
        self._language_button.setText(" EN" if look.language == "zh" else " 中")
        dress_button(look, self.settings_button, "settings", "header.settings")
        self._show()

    def _show(self) -> None:
        session, say = self._session, self._look.say
        model, engine = session.model, session.engine
        if model is None:
            self.pill.setVisible(False)
        else:
            tone, state = state_words(self._look, engine)
            self.pill.show_model(model.name, model.quantization, tone, state if session.online else "")
            self.pill.setVisible(True)
        speed = engine.tokens_per_second if engine else 0.0
        self._speed.setText(say("header.speed", speed=f"{speed:.1f}") + "   " if speed > 0 else "")
        self._show_context()

    def _show_context(self) -> None:
        engine = self._session.engine
        known = engine is not None and engine.context_tokens > 0
        roomy = self.width() >= ROOMY_WIDTH  # else the model's name gets the room; the ring's tool tip has the rest
        self._ring.setVisible(known)
        self._context.setVisible(known and roomy)
        self._speed.setVisible(roomy)
        if engine is None or not known:
            return
        used = conversation.used_context_tokens(self._session.messages)
        self._ring.show_fraction(used / engine.context_tokens)
        text = self._look.say("header.context", used=_short(used), all=_short(engine.context_tokens))
        self._context.setText(text)
        tip = self._look.say("header.context_tip", used=f"{used:,}", all=f"{engine.context_tokens:,}")
        for widget in (self._ring, self._context):
            widget.setToolTip(tip)
            widget.setAccessibleName(tip)


def state_words(look: Look, engine: EngineStatus | None) -> tuple[str, str]:
    """Tone and words of a model's state."""
    if engine is None:
        return "busy", look.say("engine.unloaded")
    if engine.state == "loading":
        return "busy", look.say("engine.loading", percent=round(engine.load_fraction * 100))
    tone = {"ready": "good", "restarting": "warn", "failed": "bad"}[engine.state]
    return tone, look.say(f"engine.{engine.state}")


def _short(tokens: int) -> str:
    return f"{tokens / 1024:.1f}K".replace(".0K", "K") if tokens >= 1024 else str(tokens)


def _below(widget: QToolButton | QPushButton | QWidget) -> QPoint:
    return widget.mapToGlobal(QPoint(0, widget.height() + 4))
