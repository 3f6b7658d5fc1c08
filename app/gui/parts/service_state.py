"""A message for pages that cannot work without the service: why it is away, and a button that brings it back."""

from __future__ import annotations

from app import words
from app.gui.link import Ended, Failed, Lost
from app.gui.look import Look
from app.gui.parts.holding import Message
from app.gui.session import Session


class ServiceState(Message):
    """Follows the session by itself; hidden while the service answers."""

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__(look)
        self._session = session
        self.pressed.connect(session.link.retry)
        session.link_changed.connect(self._show)
        look.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        say, state = self._look.say, self._session.state
        if isinstance(state, Lost):
            self.show_text("warn", say("banner.lost"))
        elif isinstance(state, Ended):
            self.show_text("plain", say("banner.ended"), say("banner.start"))
        elif isinstance(state, Failed):
            self.show_text("bad", words.describe_error(state.error, self._look.language), say("banner.retry"))
        else:
            self.show_text("plain", "")
