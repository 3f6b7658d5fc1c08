"""The report in words and for machines, without anything private."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import app
from app import words
from app.selftest.values import Result, Surroundings, Verdict
from app.values import Language
from resources.wording import text

FORMAT: Final = 1
_MARKS: Final = {"ok": "✓", "warning": "!", "failed": "✗"}
_WORSE: Final[Sequence[Verdict]] = ("ok", "warning", "failed")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Privacy:
    """Takes the names of the user's folders out of what is said. A path below one keeps what follows its name."""

    def __init__(self, surroundings: Surroundings) -> None:
        home = Path(surroundings.environment.get("HOME") or Path.home())
        names = {str(surroundings.scratch): "$SCRATCH", str(home): "~", str(Path.home()): "~"}
        if chosen := surroundings.environment.get("LIANGLI_HOME"):
            names[chosen] = "$LIANGLI_HOME"
        resolved = {_resolved(path): name for path, name in names.items()}
        self._names = {path: name for path, name in (resolved | names).items() if len(path) > 1}
        self._user = _user_name()

    def __call__(self, value: Any) -> Any:
        """The value without them; lists and dictionaries are gone through."""
        match value:
            case str():
                return self._cleaned(value)
            case Mapping():
                return {key: self(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self(inner) for inner in value]
            case _:
                return value

    def _cleaned(self, said: str) -> str:
        for path in sorted(self._names, key=len, reverse=True):
            said = said.replace(path, self._names[path])
        if len(self._user) > 1:
            # As a part of another path: /media/NAME, C:\Users\NAME.
            said = re.sub(rf"(?<=[/\\]){re.escape(self._user)}(?=[/\\]|$)", "…", said)
        return said


def _resolved(path: str) -> str:
    try:
        return str(Path(path).resolve())
    except OSError:
        return path


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user whom the system has no name for
        return ""


def worst(results: Sequence[Result]) -> Verdict:
    """The verdict of the whole."""
    return max((result.finding.verdict for result in results), key=_WORSE.index, default="ok")


def in_words(result: Result, language: Language, privacy: Privacy) -> str:
    """What a check saw, in one line without control characters."""
    facts = privacy(result.finding.facts)

    def value(match: re.Match[str]) -> str:
        return words.shown(match[1], facts.get(match[1]), language)

    sentences = (_PLACEHOLDER.sub(value, text(f"selftest.seen.{key}", language)) for key in result.finding.seen)
    return " ".join(("" if language == "zh" else " ").join(sentences).split())


def line(result: Result, language: Language, privacy: Privacy) -> str:
    """The line of a check for a terminal."""
    name = text(f"selftest.name.{result.name}", language)
    said = in_words(result, language, privacy)
    return f"{_MARKS[result.finding.verdict]} {name}{'：' if language == 'zh' else ': '}{said} ({result.seconds:.2f} s)"


def last_line(results: Sequence[Result], language: Language, seconds: float) -> str:
    """How it ended."""
    counts = {verdict: sum(result.finding.verdict == verdict for result in results) for verdict in _WORSE}
    key = "selftest.end." + worst(results)
    return text(key, language, seconds=f"{seconds:.1f}", **counts)


def as_json(results: Sequence[Result], language: Language, privacy: Privacy, seconds: float) -> dict[str, Any]:
    """The whole for machines: plain JSON values."""
    return {
        "format": FORMAT,
        "program": "liangli",
        "version": app.VERSION,
        "verdict": worst(results),
        "seconds": round(seconds, 2),
        "checks": [
            {
                "name": result.name,
                "verdict": result.finding.verdict,
                "said": in_words(result, language, privacy),
                "seen": list(result.finding.seen),
                "facts": privacy(result.finding.facts),
                "seconds": round(result.seconds, 3),
            }
            for result in results
        ],
    }
