"""The first page without a model: fetch an official starter model or bring a file; it ends in a chat."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from app import words
from app.gui.look import Look
from app.gui.parts.basics import Badge, plain_label, push_button, set_property
from app.gui.parts.drawn import Logo
from app.gui.session import RUNNING_FETCH, Session
from app.gui.theme.tokens import TITLE
from app.values import FetchStatus, StarterOffer

PAGE_WIDTH = 620


class OfferCard(QFrame):
    """One starter model: what it is and what it needs; while it is fetched, how far that is."""

    fetch_wanted = Signal(str)
    cancel_wanted = Signal(str)

    def __init__(self, look: Look, offer: StarterOffer) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setProperty("chosen", "true" if offer.recommended else "false")
        self._look, self._offer = look, offer
        self._fetch: FetchStatus | None = None
        self._badge = Badge()
        self._facts = plain_label("", 13, shade=2, wrap=True)
        self._button = push_button("primary" if offer.recommended else "", 500)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._progress = plain_label("", 13, shade=2, wrap=True)
        self._error = plain_label("", 13, wrap=True)
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addWidget(plain_label(offer.name, 16, 600))
        top.addWidget(self._badge)
        top.addStretch(1)
        top.addWidget(self._button)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 18, 16)
        column.setSpacing(8)
        column.addLayout(top)
        for widget in (self._facts, self._bar, self._progress, self._error):
            column.addWidget(widget)
        self._button.clicked.connect(self._on_button)
        self.show_fetch(None)

    def show_fetch(self, fetch: FetchStatus | None) -> None:
        """The offer as it is now, with its download if there is one."""
        self._fetch = fetch
        say, offer = self._look.say, self._offer
        running = fetch is not None and fetch.state in RUNNING_FETCH
        self._facts.setText(
            say(
                "first.facts",
                size=words.shown_bytes(offer.size_bytes),
                memory=words.shown_bytes(offer.needed_memory_bytes),
                licence=offer.licence,
            )
        )
        if not offer.fits:
            self._badge.show_state(self._look, "warn", say("first.tight"))
        elif offer.recommended:
            self._badge.show_state(self._look, "good", say("first.recommended"))
        self._badge.setVisible(not offer.fits or offer.recommended)
        set_property(self._button, "kind", "primary" if offer.recommended and not running else "")
        self._button.setText(say("first.cancel" if running else "first.fetch"))
        self._button.setAccessibleName(f"{self._button.text()} {offer.name}")
        self._bar.setVisible(running)
        self._progress.setVisible(running)
        self._bar.setAccessibleName(offer.name)
        if fetch is not None and running:
            self._bar.setValue(int(1000 * fetch.received_bytes / max(1, fetch.total_bytes)))
            self._progress.setText(progress_words(self._look, fetch))
        failed = fetch is not None and fetch.state == "failed" and fetch.error is not None
        self._error.setVisible(failed)
        if fetch is not None and fetch.error is not None and failed:
            self._error.setText(words.describe(fetch.error.code, fetch.error.fields, self._look.language))

    def _on_button(self) -> None:
        running = self._fetch is not None and self._fetch.state in RUNNING_FETCH
        (self.cancel_wanted if running else self.fetch_wanted).emit(self._offer.key)


def progress_words(look: Look, fetch: FetchStatus) -> str:
    """ "43 % · 211 MB / 491 MB · 12.4 MB/s · 还需 23 秒 · 来自 ModelScope" """
    if fetch.state == "choosing_source":
        return look.say("first.choosing")
    if fetch.state == "verifying":
        return look.say("first.verifying")
    percent = 100 * fetch.received_bytes / max(1, fetch.total_bytes)
    parts = [
        f"{percent:.0f} %",
        f"{words.shown_bytes(fetch.received_bytes)} / {words.shown_bytes(fetch.total_bytes)}",
        f"{words.shown_bytes(fetch.bytes_per_second)}/s",
    ]
    if fetch.bytes_per_second > 0:
        left = (fetch.total_bytes - fetch.received_bytes) / fetch.bytes_per_second
        parts.append(look.say("first.left", time=words.shown_seconds(left, look.language)))
    if fetch.source:
        parts.append(look.say("first.source", source=fetch.source))
    return " · ".join(parts)


class FirstRunPage(QScrollArea):
    """Offers come from the service. `import_wanted`: choose a file; `leave_wanted`: back to the chat."""

    import_wanted = Signal()
    leave_wanted = Signal()

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self._look, self._session = look, session
        self._cards: dict[str, OfferCard] = {}
        self._shown: tuple[StarterOffer, ...] = ()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        page = QWidget()
        page.setObjectName("page")
        self.setWidget(page)
        self._title = plain_label("", TITLE, 700)
        self._text = plain_label("", 15, shade=2, wrap=True)
        self._sources = plain_label("", 13, shade=3, wrap=True)
        self._own = plain_label("", 14, shade=2, wrap=True)
        self._import = push_button()
        self._back = push_button("chip")
        self._offers = QVBoxLayout()
        self._offers.setSpacing(12)
        self._arrange(page)
        self._import.clicked.connect(self.import_wanted)
        self._back.clicked.connect(self.leave_wanted)
        session.offers_changed.connect(self._show)
        session.fetches_changed.connect(self._show)
        session.models_changed.connect(self._show)
        look.changed.connect(self._refresh)
        self._refresh()

    def _arrange(self, page: QWidget) -> None:
        inner = QWidget()
        inner.setMaximumWidth(PAGE_WIDTH)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 36, 0, 36)
        column.setSpacing(10)
        column.addWidget(Logo(self._look, 56))
        column.addSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addSpacing(10)
        column.addLayout(self._offers)
        column.addWidget(self._sources)
        column.addSpacing(14)
        own = QHBoxLayout()
        own.addWidget(self._own, 1)
        own.addSpacing(16)
        own.addWidget(self._import)
        column.addLayout(own)
        column.addWidget(self._back, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        row = QHBoxLayout(page)
        row.setContentsMargins(24, 0, 24, 0)
        row.addStretch(1)
        row.addWidget(inner, 100)
        row.addStretch(1)

    def _refresh(self) -> None:
        say = self._look.say
        self._title.setText(say("first.title"))
        self._text.setText(say("first.text"))
        self._sources.setText(say("first.sources"))
        self.setAccessibleName(say("first.title"))
        self._own.setText(say("first.own"))
        self._import.setText(say("first.import"))
        self._back.setText(say("first.back"))
        self._shown = ()
        self._show()

    def _show(self) -> None:
        offers = tuple(offer for offer in self._session.offers if not offer.installed)
        if offers != self._shown:
            self._shown = offers
            self._make_cards(offers)
        for key, card in self._cards.items():
            card.show_fetch(self._session.fetches.get(key))
        self._sources.setVisible(bool(offers))
        self._back.setVisible(bool(self._session.usable_models))

    def _make_cards(self, offers: tuple[StarterOffer, ...]) -> None:
        for card in self._cards.values():
            self._offers.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = {}
        for offer in offers:
            card = OfferCard(self._look, offer)
            card.fetch_wanted.connect(self._session.fetch_starter)
            card.cancel_wanted.connect(self._session.cancel_fetch)
            self._offers.addWidget(card)
            self._cards[offer.key] = card
