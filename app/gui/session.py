"""What the window knows about the service, and what the user can ask of it. Widgets read it and follow its signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.catalogue_values import CatalogueFit
from app.client.events import (
    Bye,
    CatalogueChanged,
    ChatDeleted,
    Delta,
    DownloadsReordered,
    EngineUnloaded,
    Gap,
    Happening,
    ModelsChanged,
    PlanChanged,
    SettingsChanged,
)
from app.client.http import APPEND, AppendHere, ServiceClient
from app.download_values import DownloadRemoved, DownloadStatus
from app.gui import conversation
from app.gui.link import LinkState, Online, ServiceLink, Starting
from app.plan_values import CalibrationStatus, PlanWish
from app.values import (
    Chat,
    ChatMessage,
    ChatSummary,
    EngineStatus,
    FetchStatus,
    LibraryWork,
    LocalModel,
    ServiceStatus,
    StarterOffer,
    TemplateReport,
)

STATUS_MILLISECONDS = 3_000
RUNNING_FETCH = frozenset({"choosing_source", "transferring", "verifying"})


class Session(QObject):
    """Lives in the Qt thread; every call to the service goes through the link and returns at once."""

    link_changed = Signal()
    chats_changed = Signal()
    chat_replaced = Signal()
    message_changed = Signal(str)
    models_changed = Signal()
    engines_changed = Signal()
    offers_changed = Signal()
    fetches_changed = Signal()
    status_changed = Signal()
    settings_changed = Signal()
    sent = Signal()
    trouble = Signal(object)

    def __init__(self, link: ServiceLink) -> None:
        super().__init__()
        self.link = link
        self.state: LinkState = Starting()
        self.chats: tuple[ChatSummary, ...] = ()
        self.chat: ChatSummary | None = None
        self.messages: conversation.Messages = ()
        self.models: tuple[LocalModel, ...] | None = None
        self.engines: dict[str, EngineStatus] = {}
        self.offers: tuple[StarterOffer, ...] = ()
        self.fetches: dict[str, FetchStatus] = {}
        self.status: ServiceStatus | None = None
        self.settings: dict[str, Any] = {}
        self.draft_model = ""
        self._refetching = False
        link.state_changed.connect(self._on_state)
        link.happened.connect(self._on_happening)
        link.trouble.connect(self.trouble)
        self._status_timer = QTimer(self, interval=STATUS_MILLISECONDS)
        self._status_timer.timeout.connect(self._refresh_status)

    # What is to be seen

    @property
    def online(self) -> bool:
        return isinstance(self.state, Online)

    @property
    def model(self) -> LocalModel | None:
        """The model that answers the next message of the chat on the screen."""
        models = {model.id: model for model in self.usable_models}
        wishes = (
            self.chat.model if self.chat else "",
            self.draft_model,
            *self.engines,
            str(self.settings.get("default_model", "")),
        )
        return next((models[wish] for wish in wishes if wish in models), next(iter(models.values()), None))

    @property
    def usable_models(self) -> tuple[LocalModel, ...]:
        """The models on this computer whose files are sound."""
        return tuple(model for model in self.models or () if model.problem is None)

    @property
    def engine(self) -> EngineStatus | None:
        """The engine of `model`, if it is loaded or loading."""
        return self.engines.get(self.model.id) if self.model else None

    @property
    def writing(self) -> ChatMessage | None:
        """The answer that is being written on the screen now."""
        return conversation.writing(self.messages)

    # What the user can do

    def new_chat(self) -> None:
        """Show an empty chat; it is created with its first message."""
        self._show(None, ())

    def open_chat(self, chat_id: str) -> None:
        self.link.ask(lambda client: client.chat(chat_id), self._show_chat)

    def rename_chat(self, chat_id: str, title: str) -> None:
        self.link.ask(lambda client: client.update_chat(chat_id, title=title), self._note_chat)

    def delete_chat(self, chat_id: str) -> None:
        self.link.ask(lambda client: client.delete_chat(chat_id), lambda _: self._on_happening(ChatDeleted(id=chat_id)))

    def send(self, text: str, parent_id: str | AppendHere | None = APPEND) -> None:
        """Write a message, in a new chat if none is shown; `sent` is emitted when the service keeps it."""
        chat_id = self.chat.id if self.chat else None
        model = self.model.id if self.model else None

        def work(client: ServiceClient) -> tuple[Chat | None, ChatMessage, ChatMessage]:
            chat = client.create_chat(model=model) if chat_id is None else None
            exchange = client.send_message(chat_id or (chat.summary.id if chat else ""), text, parent_id=parent_id)
            return chat, exchange.user, exchange.assistant

        def done(result: tuple[Chat | None, ChatMessage, ChatMessage]) -> None:
            chat, user, assistant = result
            if chat is not None and self.chat is None:
                self._show(chat.summary, ())
            self.sent.emit()
            self._on_reply(user)
            self._on_reply(assistant)

        self.link.ask(work, done)

    def stop(self) -> None:
        """Stop the answer on the screen."""
        message = self.writing
        if message is not None:
            self.link.ask(lambda client: client.stop_message(message.chat_id, message.id))

    def regenerate(self, message: ChatMessage) -> None:
        self.link.ask(lambda client: client.regenerate(message.chat_id, message.id), self._on_reply)

    def continue_message(self, message: ChatMessage) -> None:
        self.link.ask(lambda client: client.continue_message(message.chat_id, message.id))

    def show_version(self, message: ChatMessage, sibling_id: str) -> None:
        self.link.ask(lambda client: client.show_branch(message.chat_id, sibling_id), self._show_chat)

    def choose_model(self, model_id: str, wish: PlanWish | None = None) -> None:
        """Use a model for the chat on the screen, and load it; wish: numbers that its plan has to keep."""
        self.draft_model = model_id
        if self.chat is not None:
            chat_id = self.chat.id
            self.chat = replace(self.chat, model=model_id)
            self.link.ask(lambda client: client.update_chat(chat_id, model=model_id), self._note_chat)
        self.models_changed.emit()
        self.load_model(model_id, wish)

    def load_model(self, model_id: str, wish: PlanWish | None = None) -> None:
        self.link.ask(lambda client: client.load_engine(model_id, wish=wish), self._on_engine)

    def import_model(self, path: str, failed: Callable[[Exception], None] | None = None) -> None:
        """Add a GGUF file of this computer and use it; without `failed`, `trouble` is emitted."""

        def done(model: LocalModel) -> None:
            self._set_models([*(known for known in self.models or () if known.id != model.id), model])
            self.choose_model(model.id)

        self.link.ask(lambda client: client.import_model(path), done, failed)

    def refresh_models(self) -> None:
        """Ask anew which models there are; needed where another setting lists others."""
        self.link.ask(lambda client: client.models(), self._set_models)

    def fetch_starter(self, key: str) -> None:
        def done(fetch: FetchStatus) -> None:
            known = self.fetches.get(key)
            if known is None or known.state not in RUNNING_FETCH:  # else events were faster and know more
                self._on_fetch(fetch)

        self.link.ask(lambda client: client.fetch_starter(key), done)

    def cancel_fetch(self, key: str) -> None:
        self.link.ask(lambda client: client.cancel_fetch(key))

    def change_settings(self, **changes: Any) -> None:
        """Keep settings; those of the window apply at once, so a service that is away only forgets them."""
        self.link.ask(lambda client: client.update_settings(**changes), self._set_settings, failed=lambda _: None)

    def load_offers(self) -> None:
        self.link.ask(lambda client: (client.starter_offers(), client.fetches()), self._set_offers)

    # What the service reports

    def _on_state(self, state: LinkState) -> None:
        self.state = state
        if isinstance(state, Online):
            self._status_timer.start()
            self._refresh()
        else:
            self._status_timer.stop()
            self.engines = {}
            self.engines_changed.emit()
        self.link_changed.emit()

    def _refresh(self) -> None:
        """Everything again: after a (re)connection, or when events were lost, nothing is certain."""

        def done(result: tuple[list[ChatSummary], list[LocalModel], dict[str, Any], ServiceStatus]) -> None:
            chats, models, settings, status = result
            self.chats = tuple(chats)
            self.chats_changed.emit()
            self._set_settings(settings)
            self._set_status(status)
            self._set_models(models)

        self.link.ask(lambda client: (client.chats(), client.models(), client.settings(), client.status()), done)
        self.load_offers()
        self._refetch_chat()

    def _refresh_status(self) -> None:
        self.link.ask(lambda client: client.status(), self._set_status, failed=lambda _: None)

    def _refetch_chat(self) -> None:
        """The chat on the screen again; once at a time, however many gaps are seen meanwhile."""
        if self.chat is None or self._refetching:
            return
        chat_id = self.chat.id
        self._refetching = True

        def done(chat: Chat) -> None:
            self._refetching = False
            if self.chat is not None and self.chat.id == chat_id:
                self._show_chat(chat)

        def failed(error: Exception) -> None:
            self._refetching = False
            self.trouble.emit(error)

        self.link.ask(lambda client: client.chat(chat_id), done, failed)

    def _on_happening(self, happening: Happening) -> None:
        match happening:
            case Delta():
                self._on_delta(happening)
            case ChatMessage():
                self._on_message(happening)
            case EngineStatus():
                self._on_engine(happening)
            case FetchStatus():
                self._on_fetch(happening)
            case ChatSummary():
                self._note_summary(happening)
            case ChatDeleted(id=chat_id):
                self.chats = tuple(chat for chat in self.chats if chat.id != chat_id)
                self.chats_changed.emit()
                if self.chat is not None and self.chat.id == chat_id:
                    self.new_chat()
            case ModelsChanged():
                self.refresh_models()
                self.load_offers()
            case SettingsChanged():
                self.link.ask(lambda client: client.settings(), self._set_settings)
            case EngineUnloaded(model=model):
                self.engines = {name: engine for name, engine in self.engines.items() if name != model}
                self.engines_changed.emit()
            case Gap():
                self._refresh()
            case CalibrationStatus() | CatalogueFit() | CatalogueChanged() | TemplateReport():
                pass  # for single pages only, which listen to the link themselves
            case DownloadStatus() | DownloadRemoved() | DownloadsReordered() | LibraryWork():
                pass  # the same
            case Bye() | PlanChanged():
                pass  # the engine's own event says the latter, too

    def _on_delta(self, delta: Delta) -> None:
        if self.chat is None or delta.chat_id != self.chat.id:
            return
        messages = conversation.with_delta(self.messages, delta)
        if messages is None:
            self._refetch_chat()
        else:
            self.messages = messages
            self.message_changed.emit(delta.message_id)

    def _on_message(self, message: ChatMessage) -> None:
        if self.chat is None or message.chat_id != self.chat.id:
            return
        self.messages = conversation.with_message(self.messages, message)
        self.message_changed.emit(message.id)

    def _on_reply(self, message: ChatMessage) -> None:
        """A new message as a call returned it. Events tell the same in their right order, and may be ahead."""
        if all(shown.id != message.id for shown in self.messages):
            self._on_message(message)

    def _on_engine(self, engine: EngineStatus) -> None:
        self.engines = {**self.engines, engine.model: engine}
        self.engines_changed.emit()

    def _on_fetch(self, fetch: FetchStatus) -> None:
        self.fetches = {**self.fetches, fetch.key: fetch}
        self.fetches_changed.emit()

    def _note_chat(self, chat: Chat) -> None:
        self._note_summary(chat.summary)

    def _note_summary(self, summary: ChatSummary) -> None:
        others = [chat for chat in self.chats if chat.id != summary.id]
        self.chats = tuple(sorted([summary, *others], key=lambda chat: -chat.updated_at))
        if self.chat is not None and self.chat.id == summary.id:
            self.chat = summary
        self.chats_changed.emit()

    def _show_chat(self, chat: Chat) -> None:
        self._show(chat.summary, chat.messages)

    def _show(self, summary: ChatSummary | None, messages: conversation.Messages) -> None:
        self.chat = summary
        self.messages = messages
        self.chat_replaced.emit()

    def _set_models(self, models: list[LocalModel]) -> None:
        first = not self.models
        self.models = tuple(models)
        self.models_changed.emit()
        if first and self.model is not None and not self.engines:
            self.load_model(self.model.id)  # while the user still thinks about the first words

    def _set_offers(self, result: tuple[list[StarterOffer], list[FetchStatus]]) -> None:
        offers, fetches = result
        self.offers = tuple(offers)
        self.fetches = {fetch.key: fetch for fetch in fetches} | self.fetches
        self.offers_changed.emit()

    def _set_settings(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.settings_changed.emit()

    def _set_status(self, status: ServiceStatus) -> None:
        self.status = status
        self.engines = {engine.model: engine for engine in status.engines}
        self.status_changed.emit()
        self.engines_changed.emit()
