"""Typing messages at a terminal: several lines, history, Chinese input."""

from __future__ import annotations

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from app import paths

PROMPT = "› "


class LineEditor:
    """Enter sends, Alt+Enter or Ctrl-J starts a new line; pasted line breaks stay. History is in the data folder."""

    def __init__(self) -> None:
        history = paths.input_history_file()
        history.touch(mode=0o600)
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            multiline=True,
            key_bindings=_bindings(),
            history=FileHistory(str(history)),
            prompt_continuation=lambda width, number, wrapped: " " * width,
            enable_open_in_editor=False,
        )

    def read(self) -> str | None:
        """The next message; None at the end of input (Ctrl-D). Ctrl-C throws away what was typed."""
        while True:
            try:
                return self._session.prompt()
            except KeyboardInterrupt:
                continue
            except EOFError:
                return None


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @bindings.add("escape", "enter")
    @bindings.add("c-j")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return bindings
