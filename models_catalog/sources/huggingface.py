"""Hugging Face and its mirror: `/{repository}/resolve/{revision}/{file}` redirects to a content network."""

from __future__ import annotations

from urllib.parse import quote

from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import WholeFile
from models_catalog.starter import HfMirrorEntry, HuggingFaceEntry, Starter

NAME = "Hugging Face"
MIRROR_NAME = "hf-mirror"


def locate(starter: Starter, entry: HuggingFaceEntry, addresses: Addresses) -> WholeFile:
    """The file's address on the hub, or on the endpoint the user chose, with the user's token if there is one."""
    url = _url(addresses.huggingface, starter, entry)
    return WholeFile(name=NAME, url=url, headers=addresses.huggingface_headers)


def locate_on_mirror(starter: Starter, entry: HfMirrorEntry, addresses: Addresses) -> WholeFile:
    """The file's address on the mirror, which is never told the user's token."""
    return WholeFile(name=MIRROR_NAME, url=_url(addresses.hf_mirror, starter, entry))


def _url(base: str, starter: Starter, entry: HuggingFaceEntry | HfMirrorEntry) -> str:
    return f"{base}/{entry.repository}/resolve/{quote(entry.revision)}/{quote(starter.file)}"
