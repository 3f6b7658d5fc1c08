"""A page of a Python package index (PEP 503 HTML or PEP 691 JSON): which file of a package lies where."""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import msgspec

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """A file that the index lists; sha256 None if it gives none."""

    filename: str
    url: str
    sha256: str | None


class _JsonFile(msgspec.Struct, frozen=True):
    filename: str
    url: str
    hashes: dict[str, str] = {}


class _JsonPage(msgspec.Struct, frozen=True):
    files: tuple[_JsonFile, ...]


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base: str | None = None
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if href and tag == "a":
            self.hrefs.append(href)
        elif href and tag == "base" and self.base is None:
            self.base = href


def parse_page(body: bytes, *, content_type: str, page_url: str) -> tuple[IndexFile, ...]:
    """The files of a project page, in the page's order; raises ValueError if it is no such page."""
    if "json" in content_type.lower():
        page = msgspec.json.decode(body, type=_JsonPage)
        return tuple(_index_file(urljoin(page_url, file.url), file.hashes.get("sha256")) for file in page.files)
    anchors = _Anchors()
    anchors.feed(body.decode("utf-8", errors="replace"))
    base = urljoin(page_url, anchors.base or "")
    files = []
    for href in anchors.hrefs:
        url, fragment = urldefrag(urljoin(base, href))
        files.append(_index_file(url, fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else None))
    return tuple(files)


def _index_file(url: str, sha256: str | None) -> IndexFile:
    known = sha256.lower() if sha256 is not None and _SHA256.fullmatch(sha256.lower()) else None
    return IndexFile(filename=unquote(urlsplit(url).path).rpartition("/")[2], url=url, sha256=known)


def wheel_of(files: tuple[IndexFile, ...], name: str, version: str) -> IndexFile | None:
    """The wheel of this version of the package, whatever its tags."""
    begin = f"{re.sub(r'[-_.]+', '_', name)}-{version}-".lower()
    for file in files:
        if file.filename.lower().startswith(begin) and file.filename.lower().endswith(".whl"):
            return file
    return None


def index_of_pip(environment: Mapping[str, str], home: Path) -> str | None:
    """The index that pip's environment variables or configuration files name, strongest first; None if none does."""
    named = environment.get("PIP_INDEX_URL", "").strip()
    if named:
        return named.rstrip("/")
    candidates = [
        environment.get("PIP_CONFIG_FILE", ""),
        str(Path(environment.get("APPDATA", "")) / "pip" / "pip.ini") if environment.get("APPDATA") else "",
        str(home / "Library" / "Application Support" / "pip" / "pip.conf"),
        str(Path(environment.get("XDG_CONFIG_HOME", "") or home / ".config") / "pip" / "pip.conf"),
        str(home / ".pip" / "pip.conf"),
        str(home / "pip" / "pip.ini"),
        "/etc/pip.conf",
    ]
    for candidate in filter(None, candidates):
        settings = configparser.RawConfigParser()
        try:
            settings.read(candidate, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        index = settings.get("global", "index-url", fallback="").strip()
        if index:
            return index.rstrip("/")
    return None
