"""What the program is asked to open: model files, and liangli:// addresses, which anybody may have written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit
from urllib.request import url2pathname

from app.errors import OpeningRefused

SCHEME: Final = "liangli"
SUFFIX: Final = ".gguf"
LONGEST_TEXT: Final = 4096
MOST_AT_ONCE: Final = 16
_LONGEST_ADDRESS = 500
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,95}"
_REPOSITORY = re.compile(rf"{_PART}/{_PART}", re.ASCII)
# Below folders of the repository, too; no name of two dots.
_FILE = re.compile(rf"(?:{_PART}/){{0,4}}{_PART}\.gguf", re.ASCII | re.IGNORECASE)

Hub = Literal["hf", "ms"]
_HUBS: Final[dict[Hub, str]] = {"hf": "hf.co/", "ms": "modelscope.cn/models/"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file of this computer, absolute; there or not."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenModel:
    """A repository that is to be looked at; `file` is one of it, "" for none."""

    hub: Hub
    repository: str
    file: str = ""

    @property
    def text(self) -> str:
        """As one would write it into the search field."""
        return _HUBS[self.hub] + self.repository + (f"/{self.file}" if self.file else "")


def take_openings(arguments: Sequence[str], commands: Sequence[str]) -> tuple[str, ...]:
    """The arguments, if all of them are files or addresses to open; else (): they are a command line.

    Files are told by ".gguf", or by a "/" or "\\" in them, so that a mistyped command is still one.
    """
    if not arguments or arguments[0] in commands:
        return ()
    return tuple(arguments) if all(_is_opening(argument) for argument in arguments) else ()


def _is_opening(argument: str) -> bool:
    if argument.startswith("-"):
        return False
    scheme = argument.partition(":")[0].lower()
    return scheme in (SCHEME, "file") or argument.lower().endswith(SUFFIX) or bool(re.search(r"[/\\]", argument))


def absolute(text: str, folder: Path) -> str:
    """The same for a program that works in another folder. Addresses stay as they are."""
    return text if _is_address(text) else str(folder / text)


def read_opening(text: str) -> OpenFile | OpenModel:
    """Understand one file or address. Nothing is opened, and no address can name a file of this computer but file://.

    Raises OpeningRefused.
    """
    if not text or len(text) > LONGEST_TEXT or not text.isprintable():
        raise OpeningRefused(text=text[:80], reason="unreadable")
    if not _is_address(text):
        return _file(text, Path(text))
    try:
        split = urlsplit(text)
        has_port = split.port is not None
    except ValueError:
        raise OpeningRefused(text=text[:200], reason="unreadable") from None
    if split.scheme.lower() == "file":
        # Another computer's files are asked for at once when their name is only looked at.
        if split.netloc not in ("", "localhost") or split.query or split.fragment:
            raise OpeningRefused(text=text[:200], reason="elsewhere")
        return _file(text, Path(url2pathname(split.path)))
    if len(text) > _LONGEST_ADDRESS or has_port or split.username is not None or split.fragment:
        raise OpeningRefused(text=text[:200], reason="unknown")
    # Windows puts a "/" behind the name.
    if (split.hostname or "") != "model" or split.path not in ("", "/"):
        raise OpeningRefused(text=text[:200], reason="unknown")
    return _model(text, split.query)


def _is_address(text: str) -> bool:
    return text.partition(":")[0].lower() in (SCHEME, "file")


def _file(text: str, path: Path) -> OpenFile:
    if str(path).startswith(("\\\\", "//")):
        raise OpeningRefused(text=text[:200], reason="elsewhere")
    if path.suffix.lower() != SUFFIX:
        raise OpeningRefused(text=text[:200], reason="no_model")
    return OpenFile(path=path.absolute())


def _model(text: str, query: str) -> OpenModel:
    """Exactly one hub, perhaps a file, and nothing else."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=2, errors="strict")
    except (ValueError, UnicodeError):
        raise OpeningRefused(text=text[:200], reason="unknown") from None
    fields = dict(pairs)
    hubs: list[Hub] = [hub for hub in _HUBS if hub in fields]
    if len(fields) != len(pairs) or len(hubs) != 1 or fields.keys() - {hubs[0], "file"}:
        raise OpeningRefused(text=text[:200], reason="unknown")
    repository, file = fields[hubs[0]], fields.get("file", "")
    if not _REPOSITORY.fullmatch(repository) or ("file" in fields and not _FILE.fullmatch(file)):
        raise OpeningRefused(text=text[:200], reason="name")
    return OpenModel(hub=hubs[0], repository=repository, file=file)
