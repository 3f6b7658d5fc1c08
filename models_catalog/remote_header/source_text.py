"""What a user means by a file name, an address, a repository or a starter's key: pure but for one look at the disk."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from models_catalog.errors import AddressNotUnderstood
from models_catalog.remote_header.hub_files import Hub
from models_catalog.sources.addresses import Addresses

_HOSTS = {
    "hf.co": Hub.HUGGINGFACE,
    "huggingface.co": Hub.HUGGINGFACE,
    "hf-mirror.com": Hub.HF_MIRROR,
    "modelscope.cn": Hub.MODELSCOPE,
}
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,95}"
_REPOSITORY = re.compile(rf"(?P<repository>{_PART}/{_PART})(?::(?P<quantization>[A-Za-z0-9._-]{{1,96}}))?")
_FILE_IN_REPOSITORY = re.compile(rf"(?P<repository>{_PART}/{_PART}):(?P<file>[^:]{{1,400}}\.gguf)", re.IGNORECASE)
_MAX_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileText:
    """A file on this computer, there or not."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlText:
    """The address of one GGUF file."""

    url: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterText:
    """A starter model's key."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryText:
    """A repository, on any hub or on one, and perhaps what of it is meant."""

    repository: str
    hub: Hub | None = None
    revision: str | None = None
    file: str | None = None
    quantization: str | None = None


SourceText = FileText | UrlText | StarterText | RepositoryText


def understand(text: str, *, starter_keys: frozenset[str], addresses: Addresses | None = None) -> SourceText:
    """Raises AddressNotUnderstood. addresses: what lies under the user's own addresses of hubs is a repository, too."""
    text = text.strip()
    if not text or len(text) > _MAX_TEXT or not text.isprintable():
        raise AddressNotUnderstood(text[:80])
    if text in starter_keys:
        return StarterText(key=text)
    if "://" in text:
        own = None if addresses is None else _at_endpoint(text, addresses)
        return own or _address(text)
    host = text.partition("/")[0].lower().removeprefix("www.")
    if host in _HOSTS:
        return _address(f"https://{text}")
    path = Path(text)
    # "~somebody" of whom there is nobody, and names longer than a disk takes, are no files.
    with contextlib.suppress(RuntimeError, OSError):
        path = path.expanduser()
        if path.is_file():
            return FileText(path=path)
    if match := _FILE_IN_REPOSITORY.fullmatch(text):
        return RepositoryText(repository=match["repository"], file=match["file"])
    if text.lower().endswith(".gguf"):
        return FileText(path=path)
    if match := _REPOSITORY.fullmatch(text):
        return RepositoryText(repository=match["repository"], quantization=match["quantization"])
    raise AddressNotUnderstood(text)


def _at_endpoint(text: str, addresses: Addresses) -> RepositoryText | None:
    """A repository or a file of it below HF_ENDPOINT or MODELSCOPE_ENDPOINT; None for any other address."""
    for base, hub in ((addresses.huggingface, Hub.HUGGINGFACE), (addresses.modelscope, Hub.MODELSCOPE)):
        scheme, _, rest = base.partition("://")
        host, slash, path = rest.partition("/")
        below = f"{scheme}://{host}".lower() + f"{slash}{path}/"
        origin = "/".join(text.split("/", 3)[:3])
        normal = origin.lower() + text[len(origin) :]
        if normal.startswith(below) and urlsplit(below).hostname not in _HOSTS:
            segments = [unquote(part) for part in urlsplit(normal[len(below) :]).path.split("/") if part]
            return _on_hub(text, hub, segments)
    return None


def _address(text: str) -> SourceText:
    try:
        split = urlsplit(text)
        host = (split.hostname or "").lower().removeprefix("www.")
    except ValueError:
        raise AddressNotUnderstood(text) from None
    if split.scheme not in ("http", "https") or not host:
        raise AddressNotUnderstood(text)
    segments = [unquote(part) for part in split.path.split("/") if part]
    if host in _HOSTS:
        return _on_hub(text, _HOSTS[host], segments)
    if not segments or not segments[-1].lower().endswith(".gguf"):
        raise AddressNotUnderstood(text)
    return UrlText(url=text, file=segments[-1])


def _on_hub(text: str, hub: Hub, segments: list[str]) -> RepositoryText:
    if hub is Hub.MODELSCOPE and segments[:1] == ["models"]:
        segments = segments[1:]
    match = _REPOSITORY.fullmatch("/".join(segments[:2]))
    if match is None:
        raise AddressNotUnderstood(text)
    revision, file = _within(segments[2:])
    return RepositoryText(
        repository=match["repository"],
        hub=hub,
        revision=revision,
        file=file,
        quantization=match["quantization"],
    )


def _within(rest: list[str]) -> tuple[str | None, str | None]:
    """Revision and file of the pages that hubs have for a file."""
    if rest[:2] == ["file", "view"]:
        rest = rest[1:]
    revision = None
    if rest and rest[0] in ("resolve", "blob", "raw", "tree", "view"):
        revision, rest = (rest[1] if len(rest) > 1 else None), rest[2:]
    file = "/".join(rest)
    return revision, file if file.lower().endswith(".gguf") else None
