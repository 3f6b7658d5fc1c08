"""The manual page, in the language of groff's "man" macros."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from installers.command_line import Command, Operand, Option
from installers.places import ROOT

_ENVIRONMENT = (("LIANGLI_HOME", "home"), ("LIANGLI_MODELS_DIR", "models"), ("LIANGLI_DEBUG", "debug"))
_EXITS = (("0", "good"), ("1", "unexpected"), ("2", "line"), ("3-119", "other"), ("130", "interrupted"))
_AFTER_CHINESE = re.compile(r"(?<=[\u3001-\u9fff\uff00-\uffef])(?<![（“《])(?=[\u3400-\u9fffA-Za-z0-9（“《])")


def manual_page(program: Command, language: str, *, version: str, date: int) -> str:
    """The whole page. date: seconds since the epoch."""
    return (
        "\n".join(_Page(language).lines(program, version, datetime.fromtimestamp(date, UTC).date().isoformat())) + "\n"
    )


class _Page:
    def __init__(self, language: str) -> None:
        if str(ROOT) not in sys.path:
            sys.path.insert(0, str(ROOT))
        from resources.wording import text

        self._say = lambda key: text(f"manual.{key}", "zh" if language == "zh" else "en")

    def lines(self, program: Command, version: str, day: str) -> Iterator[str]:
        say = self._say
        yield "'\\\" -*- coding: utf-8 -*-"
        yield f'.TH LIANGLI 1 {day} "liangli {version}" "{say("title.manual")}"'
        # Chinese and addresses have few places where a line could be stretched.
        yield ".ad l"
        yield from (_section(say("section.name")), f"liangli \\- {_safe(say('title.short'))}")
        yield _section(say("section.synopsis"))
        yield f".B liangli\n[{_cursive(say('title.options'))}] [{_cursive(say('title.command'))} ...]\n.br"
        yield f".B liangli\n{_cursive(say('title.to_open'))} ..."
        yield from (_section(say("section.description")), _running(program.about))
        yield _section(say("section.options"))
        yield from self._arguments(program)
        yield _section(say("section.commands"))
        for command in program.walk():
            if command.path:
                yield from self._command(command)
        yield from (_section(say("section.opening")), _running(say("text.opening")))
        yield _section(say("section.environment"))
        for name, key in _ENVIRONMENT:
            yield _entry(f"\\fB{name}\\fR", say(f"text.{key}"))
        yield from (_section(say("section.files")), _entry("\\fI~/.local/share/liangli\\fR", say("text.data")))
        yield _section(say("section.exit"))
        for number, key in _EXITS:
            yield _entry(f"\\fB{_safe(number)}\\fR", say(f"text.exit_{key}"))

    def _command(self, command: Command) -> Iterator[str]:
        name = " ".join(("liangli", *command.path))
        operands = [self._operand(operand) for operand in command.operands]
        if command.commands:
            operands.append(f"[{_cursive(self._say('title.command'))}]")
        options = [f"[{_cursive(self._say('title.options'))}]"] if command.options else []
        yield f'.SS "{_safe(name)}"'
        yield " ".join((f"\\fB{_safe(name)}\\fR", *options, *operands))
        if command.about:
            yield ".PP"
            yield from _paragraph(command.about)
        yield from self._arguments(command)

    def _arguments(self, command: Command) -> Iterator[str]:
        for operand in command.operands:
            yield _entry(_cursive(operand.name), self._about(operand))
        for option in command.options:
            flags = ", ".join(f"\\fB{_safe(flag)}\\fR" for flag in option.flags)
            # The choices stand in the text: braces in the head would be as long as that.
            yield _entry(flags + (f" {_cursive(option.value)}" if option.value else ""), self._about(option))

    def _about(self, argument: Option | Operand) -> str:
        if not argument.choices:
            return argument.about
        choices = self._say("text.one_of").format(choices=", ".join(argument.choices))
        return f"{argument.about} ({choices})" if argument.about else choices

    def _operand(self, operand: Operand) -> str:
        shown = _cursive(operand.name) + (" ..." if operand.repeated else "")
        return f"[{shown}]" if operand.optional else shown


def _section(title: str) -> str:
    return f'.SH "{title}"'


def _paragraph(text: str) -> Iterator[str]:
    """Lines that begin with blanks are a list, which keeps its lines and blanks."""
    for line in text.strip("\n").splitlines():
        if not line.strip():
            yield ".PP"
        elif line.startswith(" "):
            kept = "".join("\\ " * len(part) if part.isspace() else _safe(part) for part in re.split("( {2,})", line))
            yield f"{kept}\n.br"
        else:
            yield _running(line)


def _entry(head: str, text: str) -> str:
    return f".TP\n{head}\n{_running(text) or chr(92) + '&'}"


def _cursive(text: str) -> str:
    return f"\\fI{_safe(text)}\\fR"


def _running(text: str) -> str:
    """The same for sentences: lines of Chinese may be broken between any two characters but before punctuation."""
    return _AFTER_CHINESE.sub(r"\\:", _safe(text))


def _safe(text: str) -> str:
    """What groff shows as it stands: no line is a command, dashes are those of the keyboard."""
    escaped = (
        text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("~", "\\(ti").replace("^", "\\(ha")
    )
    escaped = escaped.replace("`", "\\(ga").replace("'", "\\(aq")
    return re.sub(r"^(?=\.)", r"\\&", " ".join(escaped.split()))
