"""The commands that begin with a slash in the terminal chat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.cli.conversation import Conversation
from app.cli.model_choice import choose_model
from app.cli.screen import note
from app.values import Chat, ChatMessage, Language
from resources.wording import text

if TYPE_CHECKING:
    from app.client.http import ServiceClient

# What the chat is to do next: go on, leave, or show this answer as it is written.
Outcome = Literal["go_on", "leave"] | ChatMessage
_FORBIDDEN_IN_NAMES = frozenset('\\/:*?"<>|')


class SlashCommands:
    """`obey` carries one out. Raises what the service raises."""

    def __init__(self, client: ServiceClient, talk: Conversation, language: Language) -> None:
        self._client = client
        self._talk = talk
        self._language = language

    def obey(self, line: str) -> Outcome:
        """`line` begins with a slash."""
        command, _, rest = line.partition(" ")
        rest = rest.strip()
        match command.lower():
            case "/exit" | "/quit" | "/bye":
                return "leave"
            case "/new":
                self._talk.begin_anew()
                self._say("new")
            case "/model":
                self._model(rest)
            case "/system":
                self._system(rest)
            case "/regenerate":
                return self._regenerate()
            case "/save":
                self._save(rest)
            case "/help" | "/?":
                note(text("cli.chat.commands", self._language).strip())
            case _:
                self._say("unknown_command", command=command)
        return "go_on"

    def _say(self, name: str, **fields: object) -> None:
        note(text(f"cli.chat.{name}", self._language, **fields))

    def _model(self, wanted: str) -> None:
        models = self._client.models()
        if not wanted:
            self._say("model_now", model=self._talk.model, available=", ".join(model.id for model in models))
            return
        model = choose_model(models, (), wanted, "")
        self._talk.use_model(model.id)
        self._say("model_changed", model=model.name)

    def _system(self, prompt: str) -> None:
        if not prompt:
            now = self._talk.system_prompt
            self._say("system_now", system=now) if now else self._say("system_none")
            return
        self._talk.use_system_prompt("" if prompt == "-" else prompt)
        self._say("system_changed")

    def _regenerate(self) -> Outcome:
        answer = self._talk.regenerate()
        if answer is None:
            self._say("nothing_yet")
            return "go_on"
        return answer

    def _save(self, name: str) -> None:
        chat = self._talk.chat()
        if chat is None:
            self._say("nothing_yet")
            return
        path = Path(name or file_name(chat.summary.title)).expanduser().absolute()
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(as_markdown(chat, self._language))
        except FileExistsError:
            self._say("exists", path=path)
        except OSError as error:
            self._say("not_saved", path=path, reason=error.strerror or error)
        else:
            self._say("saved", path=path)


def file_name(title: str) -> str:
    """A file name that every system takes."""
    kept = "".join(one for one in title if one.isprintable() and one not in _FORBIDDEN_IN_NAMES).strip(" .")
    return f"{kept[:60] or 'chat'}.md"


def as_markdown(chat: Chat, language: Language) -> str:
    """The active branch as a Markdown document."""
    parts = [f"# {chat.summary.title}"]
    if chat.system_prompt:
        parts.append("\n".join(f"> {line}" for line in chat.system_prompt.splitlines()))
    for message in chat.messages:
        speaker = text(f"cli.chat.{message.role}", language) if message.role != "system" else "System"
        parts += [f"## {speaker}", message.text.strip()]
    return "\n\n".join(parts) + "\n"
