"""The foot of the panel: download the chosen quantization, follow its download, or begin a chat with what is here."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QProgressBar, QVBoxLayout, QWidget

from app import words
from app.download_values import DownloadStatus
from app.gui import icons
from app.gui.discover import phrases
from app.gui.discover.choosing import Choosing
from app.gui.discover.fetching import Fetching, target_of
from app.gui.discover.source_rows import hub_name
from app.gui.look import Look
from app.gui.parts.basics import ElidedLabel, menu_under, plain_label, push_button, set_property
from app.gui.parts.holding import Message
from app.gui.parts.icon_button import IconButton
from app.gui.session import Session
from app.gui.theme.fonts import ui_font

_STOPPED = frozenset({"paused", "failed"})


class Foot(QFrame):
    """Follows what is chosen and its download by itself. `chat_wanted`: with this local model; `cancel_wanted`: the
    download of the chosen model, after a question; `downloads_wanted`: the page of all downloads."""

    chat_wanted = Signal(str)
    cancel_wanted = Signal(str)
    downloads_wanted = Signal()

    def __init__(self, look: Look, session: Session, choosing: Choosing, fetching: Fetching) -> None:
        super().__init__()
        self.setObjectName("foot")
        self._look, self._session, self._choosing, self._fetching = look, session, choosing, fetching
        self._local_id = ""
        self.trouble = Message(look)
        self.sentence = plain_label("", 12, shade=2, wrap=True)
        self.source = push_button("words", 500)
        self.source.setFont(ui_font(12, 500))
        self.download = push_button("primary", 600)
        self.chat = push_button("primary", 600)
        self._moving = QWidget()
        self._progress = ElidedLabel("", 13, 500)
        self._bar = QProgressBar()
        self._rate = ElidedLabel("", 12, shade=3)
        self.turn = IconButton(look)
        self.cancel = IconButton(look)
        self.all = push_button("words", 500)
        self.all.setFont(ui_font(12, 500))
        self._arrange()
        self._connect()
        self.show_state()

    def _arrange(self) -> None:
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        low = QHBoxLayout()
        low.setSpacing(4)
        low.addWidget(self._progress, 1)
        low.addWidget(self.turn)
        low.addWidget(self.cancel)
        moving = QVBoxLayout(self._moving)
        moving.setContentsMargins(0, 0, 0, 0)
        moving.setSpacing(4)
        moving.addLayout(low)
        moving.addWidget(self._bar)
        links = QHBoxLayout()
        links.addWidget(self.source)
        links.addWidget(self._rate, 1)
        links.addWidget(self.all)
        links.addStretch(0)
        for button in (self.download, self.chat):
            button.setMinimumHeight(42)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 12, 20, 14)
        column.setSpacing(7)
        for widget in (self.trouble, self.sentence, self._moving):
            column.addWidget(widget)
        column.addLayout(links)
        column.addWidget(self.download)
        column.addWidget(self.chat)

    def _connect(self) -> None:
        self.download.clicked.connect(self._download)
        self.chat.clicked.connect(lambda: self.chat_wanted.emit(self._local_id))
        self.source.clicked.connect(self._open_sources)
        self.turn.clicked.connect(self._turn)
        self.cancel.clicked.connect(lambda: self.cancel_wanted.emit(self._choosing.target))
        self.all.clicked.connect(self.downloads_wanted)
        self._choosing.changed.connect(self.show_state)
        self._fetching.changed.connect(
            lambda target: self.show_state() if target in ("", self._choosing.target) else None
        )
        self._session.models_changed.connect(self.show_state)
        self._look.changed.connect(self.show_state)

    # What is to be seen

    def show_state(self) -> None:
        choosing = self._choosing
        status = self._fetching.of(choosing.target)
        moving = status is not None and status.state != "done"
        self._local_id = self._local(status)
        obtainable = self._obtainable
        self._show_moving(status if moving else None)
        self._show_trouble(status)
        self._show_sentence(obtainable and not moving)
        self._show_buttons(obtainable and not moving)
        self.setVisible(bool(choosing.target) and (moving or obtainable or bool(self._local_id)))

    @property
    def _obtainable(self) -> bool:
        """There is something to download that is not here."""
        model, quantization = self._choosing.model, self._choosing.quantization
        if model is not None and model.state != "ready":
            return False
        return quantization is not None and not self._here(quantization.name)

    def _here(self, quantization: str) -> str:
        """The local model that is this quantization, "" for none."""
        model = self._choosing.model
        ids = model.local if model is not None else ()
        wanted = quantization.casefold()
        return next(
            (one.id for one in self._session.usable_models if one.id in ids and one.quantization.casefold() == wanted),
            "",
        )

    def _local(self, status: DownloadStatus | None) -> str:
        """What a chat would be begun with: the chosen quantization if it is here, else what else is."""
        quantization, model = self._choosing.quantization, self._choosing.model
        if quantization is not None and (same := self._here(quantization.name)):
            return same
        if model is not None and model.local:
            return model.local[0]
        if status is not None and status.state == "done":
            return next((one.id for one in self._session.usable_models if _ends_with(one.path, status.files)), "")
        return ""

    def _show_moving(self, status: DownloadStatus | None) -> None:
        self._moving.setVisible(status is not None)
        self.all.setVisible(status is not None)
        self._rate.setVisible(status is not None)
        self.all.setText(self._say("download.all"))
        if status is None:
            return
        self._progress.show_text(phrases.download(status, self._look.language))
        rate = f"{words.shown_bytes(status.bytes_per_second)}/s" if status.bytes_per_second > 0 else ""
        self._rate.show_text(" · ".join(part for part in (rate, status.source) if part))
        self._bar.setValue(10 * phrases.percent(status))
        self._bar.setAccessibleName(f"{status.name or status.model} {self._progress.accessibleName()}")
        stopped = status.state in _STOPPED
        name = self._say("download.resume" if stopped else "download.pause")
        self.turn.dress("play" if stopped else "pause", name, status.name)
        self.cancel.dress("x", self._say("download.cancel"), status.name)

    def _show_trouble(self, status: DownloadStatus | None) -> None:
        language = self._look.language
        trouble = self._fetching.troubles.get(self._choosing.target)
        if trouble is not None:
            self.trouble.show_text("bad", words.describe_error(trouble, language))
        elif status is not None and status.error is not None:
            tone = "bad" if status.state == "failed" else "warn"
            self.trouble.show_text(tone, words.describe(status.error.code, status.error.fields, language))
        else:
            self.trouble.show_text("plain", "")

    def _show_sentence(self, offered: bool) -> None:
        """Before a download: what its licence asks for, and that it will not run here."""
        model, quantization = self._choosing.model, self._choosing.quantization
        said = []
        if offered and model is not None and model.commercial in ("form", "no", "unknown"):
            said.append(self._say(f"commercial.{model.commercial}_before"))
        plan = quantization.plan if quantization is not None else None
        if offered and plan is not None and plan.verdict == "does_not_fit":
            said.append(self._say("panel.too_large"))
        if self._local_id and not offered and model is not None and "chat" not in model.abilities:
            said.append(f"{self._say('panel.here')}{self._say('panel.no_chat')}")
        self.sentence.setText("\n".join(said))
        self.sentence.setVisible(bool(said))

    def _show_buttons(self, offered: bool) -> None:
        theme, quantization = self._look.theme, self._choosing.quantization
        model = self._choosing.model
        self.source.setVisible(offered and self._choosing.target != "" and "://" not in self._choosing.target)
        taken = hub_name(self._choosing.source) if self._choosing.source else self._say("panel.automatic")
        self.source.setText(self._say("panel.take_from", source=taken))
        self.source.setAccessibleName(self.source.text())
        self.download.setVisible(offered)
        if quantization is not None:
            size = words.shown_bytes(quantization.size_bytes) if quantization.size_bytes else ""
            key = "panel.download" if size else "panel.download_plain"
            self.download.setText(" " + self._say(key, quantization=quantization.name, size=size))
        self.download.setIcon(icons.icon("download", theme.on_accent, 17))
        self.download.setEnabled(not self._fetching.asked(self._choosing.target))
        chats = bool(self._local_id) and (model is None or "chat" in model.abilities)
        self.chat.setVisible(chats)
        set_property(self.chat, "kind", "" if offered else "primary")
        self.chat.setText(" " + self._say("panel.chat"))
        self.chat.setIcon(icons.icon("message-square", theme.text if offered else theme.on_accent, 17))

    # What the user does

    def _download(self) -> None:
        quantization = self._choosing.quantization
        if quantization is not None:
            sources = (self._choosing.source,) if self._choosing.source else ()
            target = self._choosing.target
            exact = _is_file(target) or target_of(target) != target
            self._fetching.add(target, "" if exact else quantization.name, sources)

    def _turn(self) -> None:
        status = self._fetching.of(self._choosing.target)
        if status is not None:
            act = self._fetching.resume if status.state in _STOPPED else self._fetching.pause
            act(self._choosing.target)

    def sources_menu(self) -> QMenu:
        """Automatic, and each hub that has the model."""
        detail = self._choosing.detail
        hubs = dict.fromkeys(one.hub for one in detail.sources) if detail is not None else {}
        names = list(hubs) or ["modelscope", "huggingface"]
        if "huggingface" in names:
            names.append("hf-mirror")
        menu = menu_under(self)
        group = QActionGroup(menu)
        for name in ("", *names):
            action = QAction(hub_name(name) if name else self._say("panel.automatic"), menu)
            action.setCheckable(True)
            action.setChecked(name == self._choosing.source)
            action.triggered.connect(lambda _=False, name=name: self._choosing.take_from(name))
            group.addAction(action)
            menu.addAction(action)
        return menu

    def _open_sources(self) -> None:
        menu = self.sources_menu()
        menu.popup(self.source.mapToGlobal(self.source.rect().topLeft()) - menu.rect().bottomLeft())

    def _say(self, key: str, **fields: object) -> str:
        return phrases.say(self._look.language, key, **fields)


def _is_file(target: str) -> bool:
    """Whether the target names one file already."""
    return target.split("?")[0].lower().endswith(".gguf")


def _ends_with(path: str, files: tuple[str, ...]) -> bool:
    plain = path.replace("\\", "/")
    return any(plain.endswith(file.replace("\\", "/")) for file in files)
