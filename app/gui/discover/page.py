"""The page "Discover": what open models there are, how each would run here, and a press away from having it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app import words
from app.catalogue_values import CatalogueDetail, CatalogueModel
from app.gui import dialogs, icons
from app.gui.discover import phrases
from app.gui.discover.card_list import CardList
from app.gui.discover.card_model import CardModel
from app.gui.discover.catalogue_line import CatalogueLine
from app.gui.discover.choosing import Choosing
from app.gui.discover.dropping import Dropping, gguf_files
from app.gui.discover.fetching import Fetching
from app.gui.discover.filter_bar import FilterBar
from app.gui.discover.finding import Finding
from app.gui.discover.pasted import LONGEST_TEXT, recognise
from app.gui.discover.pasted_card import PastedCard
from app.gui.discover.pressing import Pressing
from app.gui.look import Look
from app.gui.parts.basics import ElidedLabel, plain_label, push_button
from app.gui.parts.holding import Message
from app.gui.parts.machine import MachinePill, in_a_few_words
from app.gui.parts.service_state import ServiceState
from app.gui.session import Session
from app.gui.theme.fonts import ui_font
from app.gui.theme.tokens import TITLE
from app.plan_values import HardwareView

if TYPE_CHECKING:
    from app.gui.discover.panel import DetailPanel

PANEL_WIDTH = 372
# Narrower than this there is room for one side only: the list, or the model that was chosen in it.
BOTH_WIDTH = 800
# Lower than these the line under the title, and the title itself, would take room that the list needs.
LOW_HEIGHT, LOWEST_HEIGHT = 560, 480
PASSING_MILLISECONDS = 180


class DiscoverPage(QWidget):
    """Follows the session by itself, and asks the service only while it is to be seen.

    `chat_wanted` carries a local model, `plan_wanted` whatever names a model.
    """

    chat_wanted = Signal(str)
    plan_wanted = Signal(str)
    downloads_wanted = Signal()
    import_wanted = Signal()

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self._look, self._session = look, session
        self.finding, self.fetching, self.choosing = Finding(session), Fetching(session), Choosing(session)
        self._view: HardwareView | None = None
        self._shown = self.finding.wanted
        self._title = plain_label("", TITLE, 700)
        self._text = ElidedLabel("", 14, shade=2)
        self.pill = MachinePill(look)
        self._head = QWidget()
        self.field = QLineEdit()
        self._glass = QAction(self)
        self.import_button = push_button("", 500)
        self.filters = FilterBar(look, self.finding)
        self.pasted = PastedCard(look)
        self.service_state = ServiceState(look, session)
        self.trouble = Message(look)
        self.problems = Message(look)
        self.nothing = Message(look)
        self.drop = Dropping(look, session)
        self.cards = CardModel(look, self.finding, self.fetching)
        self.list = CardList(look, self.cards)
        self.line = CatalogueLine(look, session, self.finding)
        self.pressing = Pressing(look, self, self.finding, self.fetching)
        self.panel: DetailPanel | None = None
        self._passing = QTimer(self, interval=PASSING_MILLISECONDS, singleShot=True)
        self._left = self._arrange()
        self.setAcceptDrops(True)
        self._connect()
        self._add_shortcuts()
        self._refresh()
        self._place()

    def _arrange(self) -> QWidget:
        title = QHBoxLayout(self._head)
        title.setContentsMargins(0, 0, 0, 0)
        title.setSpacing(12)
        title.addWidget(self._title)
        title.addStretch(1)
        title.addWidget(self.pill, 0, Qt.AlignmentFlag.AlignVCenter)
        self.field.setFont(ui_font(14))
        self.field.setMinimumHeight(40)
        self.field.setMaxLength(LONGEST_TEXT)
        self.field.setClearButtonEnabled(True)
        self.field.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self.import_button.setMinimumHeight(40)
        search = QHBoxLayout()
        search.setSpacing(10)
        search.addWidget(self.field, 1)
        search.addWidget(self.import_button)
        left = QWidget()
        left.setObjectName("page")
        left.setMinimumWidth(1)
        column = QVBoxLayout(left)
        column.setContentsMargins(26, 20, 16, 12)
        column.setSpacing(10)
        column.addWidget(self._head)
        column.addWidget(self._text)
        column.addLayout(search)
        for part in (
            self.filters,
            self.drop,
            self.service_state,
            self.trouble,
            self.problems,
            self.pasted,
            self.nothing,
        ):
            column.addWidget(part)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        column.addWidget(self.line)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(left, 1)
        self._row = row
        return left

    def _connect(self) -> None:
        self.field.textChanged.connect(self._on_text)
        self.field.returnPressed.connect(self._on_return)
        self.import_button.clicked.connect(self.import_wanted)
        self.pasted.wanted.connect(lambda target: self.look_at(target))
        self.trouble.pressed.connect(self.finding.ask)
        self.nothing.pressed.connect(self._clear)
        self.finding.changed.connect(self._show_found)
        self.list.opened.connect(self.look_at)
        self.list.passed.connect(lambda _: self._passing.start())
        self._passing.timeout.connect(self._follow)
        self.list.pressed_part.connect(self.pressing.press)
        self.list.seen.connect(self.finding.want_fits)
        self.list.touched.connect(self._settle)
        self.pressing.chat_wanted.connect(self.chat_wanted)
        self.drop.chat_wanted.connect(self.chat_wanted)
        self.pressing.model_wanted.connect(self.look_at)
        self._session.link_changed.connect(self._on_link)
        self._look.changed.connect(self._refresh)

    def _open_panel(self) -> DetailPanel:
        """Made when the first model is chosen: the list is there sooner without it."""
        if self.panel is None:
            from app.gui.discover.panel import DetailPanel

            panel = DetailPanel(self._look, self._session, self.finding, self.choosing, self.fetching)
            self.panel = panel
            self._row.addWidget(panel)
            panel.back_wanted.connect(self._leave_panel)
            panel.plan_wanted.connect(self.plan_wanted)
            panel.model_wanted.connect(self.look_at)
            panel.open_wanted.connect(lambda address: dialogs.ask_to_open(self._look, self, address))
            panel.foot.chat_wanted.connect(self.chat_wanted)
            panel.foot.cancel_wanted.connect(self.pressing.cancel)
            panel.foot.downloads_wanted.connect(self.downloads_wanted)
        return self.panel

    def _add_shortcuts(self) -> None:
        for keys in (QKeySequence(QKeySequence.StandardKey.Find), QKeySequence("/")):
            shortcut = QShortcut(keys, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.focus_search)

    # Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._begin()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.finding.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Down from the search field goes to the cards."""
        if event.key() == Qt.Key.Key_Down and self.field.hasFocus():
            self.list.setFocus(Qt.FocusReason.TabFocusReason)
            return
        super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if gguf_files(event.mimeData()):
            event.acceptProposedAction()
            self.drop.invite()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drop.leave()

    def dropEvent(self, event: QDropEvent) -> None:
        self.drop.take(gguf_files(event.mimeData()))
        event.acceptProposedAction()

    # What the user does

    def focus_search(self) -> None:
        """The search field, ready to be typed over."""
        if not self._left.isVisible():
            self._leave_panel()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def fill_in(self, text: str) -> None:
        """Something that others wrote: it stands in the search field, and the user decides."""
        self._leave_panel()
        self.field.setText(text)
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def look_at(self, target: str) -> None:
        """Show a model of the catalogue, or a repository, in the panel."""
        model = self.finding.model(target)
        if model is None and recognise(target) is None:
            self._look_up(target)
            return
        self._choose(target, model)

    def _look_up(self, model_id: str) -> None:
        """A model that filters leave out of the list, such as a successor: the service is asked for it."""
        before = self.choosing.target

        def done(detail: CatalogueDetail) -> None:
            if self.choosing.target == before:  # else the user has gone on
                self._choose(model_id, detail.model)

        self._session.link.ask(lambda client: client.catalogue_model(model_id), done)

    def _choose(self, target: str, model: CatalogueModel | None) -> None:
        self.choosing.look_at(target, model)
        self.list.choose(target)
        self.list.go_to(target)
        self._settle()
        panel = self._open_panel()
        panel.to_top()
        self._place()
        if not self._left.isVisible():
            panel.back.setFocus()

    def _clear(self) -> None:
        if self.finding.trouble is None:
            self.field.clear()
            self.filters.clear()

    def _on_text(self, text: str) -> None:
        """A repository or an address is not searched for: the card offers it."""
        pasted = recognise(text)
        self.pasted.show_pasted(pasted)
        self.finding.search("" if pasted is not None else text)

    def _on_return(self) -> None:
        if self.pasted.pasted is not None:
            self.pasted.ask()
        else:
            self.finding.ask()
            self.list.setFocus(Qt.FocusReason.TabFocusReason)

    def _follow(self) -> None:
        """The panel shows the card that the arrow keys went to, if it is open beside the list."""
        if self.choosing.target and self._left.isVisible():
            self.look_at(self.list.current_id())

    def _settle(self) -> None:
        self.finding.settled = True

    def _leave_panel(self) -> None:
        self.choosing.leave()
        self.list.choose("")
        self._place()
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    # What is to be seen

    def _begin(self) -> None:
        """What is free, here or on its way may have changed since the page was last seen."""
        if not self._session.online:
            self.finding.seen = True
            return
        self.finding.start()
        self.fetching.refresh()
        self.line.refresh()
        self.choosing.plan_again()
        self._session.link.ask(lambda client: client.hardware(), self._set_hardware, failed=lambda _: None)

    def _on_link(self) -> None:
        if self.isVisible():
            self._begin()

    def _set_hardware(self, view: HardwareView) -> None:
        self._view = view
        self.pill.show_machine(in_a_few_words(self._look, view), imagined=False)

    def _place(self) -> None:
        chosen, both = bool(self.choosing.target), self.width() >= BOTH_WIDTH
        self._text.setVisible(self.height() >= LOW_HEIGHT)
        self._head.setVisible(self.height() >= LOWEST_HEIGHT)
        self._left.setVisible(both or not chosen)
        if self.panel is None:
            return
        self.panel.setVisible(chosen)
        self.panel.stand_alone(not both)
        if both:
            self.panel.setFixedWidth(PANEL_WIDTH)
        else:
            self.panel.setMinimumWidth(0)
            self.panel.setMaximumWidth(16_777_215)

    def _refresh(self) -> None:
        say, theme = self._say, self._look.theme
        self._title.setText(say("page.title"))
        self.setAccessibleName(say("page.title"))
        self._text.show_text(say("page.text"))
        self.field.setPlaceholderText(say("page.search"))
        self.field.setAccessibleName(say("page.search_name"))
        self.field.setToolTip(say("page.search_tip"))
        self._glass.setIcon(icons.icon("search", theme.text_third, 16))
        self.import_button.setText(" " + say("page.import"))
        self.import_button.setAccessibleName(say("page.import"))
        self.import_button.setIcon(icons.icon("folder", theme.text_second, 16))
        self.list.setAccessibleName(say("page.list"))
        self.pill.show_machine(in_a_few_words(self._look, self._view), imagined=False)
        self._show_found()

    def _show_found(self) -> None:
        finding, say = self.finding, self._say
        self.cards.show_models(finding.models)
        if finding.wanted != self._shown:
            self._shown = finding.wanted
            self.list.start_over()
        trouble = finding.trouble if self._session.online else None
        error = words.describe_error(trouble, self._look.language) if trouble is not None else ""
        self.trouble.show_text("bad", error, say("page.retry") if error else "")
        problems = finding.found.problems if finding.found is not None else ()
        told = [say("page.problems", path=one.path, place=one.key, problem=one.problem) for one in problems[:1]]
        self.problems.show_text("warn", "\n".join(told))
        empty = finding.found is not None and not finding.models and self.pasted.pasted is None
        self.nothing.show_text("plain", self._nothing_words() if empty else "", say("page.reset") if empty else "")
        self.list.setVisible(not empty)
        if self.choosing.target and (model := finding.model(self.choosing.target)) is not None:
            self.choosing.update_model(model)

    def _nothing_words(self) -> str:
        wanted = self.finding.wanted
        if wanted.here and not wanted.text.strip():
            return self._say("page.nothing_here")
        return self._say("page.nothing_fits" if wanted.fits else "page.nothing")

    def _say(self, key: str, **fields: object) -> str:
        return phrases.say(self._look.language, key, **fields)
