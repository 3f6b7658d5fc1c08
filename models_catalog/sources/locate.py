"""From a source's entry in the catalogue to the description of how to get the bytes from it."""

from __future__ import annotations

from typing import assert_never

import httpx

from models_catalog.sources import huggingface, modelscope, package_index
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import ByteSource, FileSource
from models_catalog.starter import (
    HfMirrorEntry,
    HuggingFaceEntry,
    ModelScopeEntry,
    PackageIndexEntry,
    SourceEntry,
    Starter,
)


def source_name(entry: SourceEntry) -> str:
    """The source as people know it."""
    match entry:
        case ModelScopeEntry():
            return modelscope.NAME
        case HuggingFaceEntry():
            return huggingface.NAME
        case HfMirrorEntry():
            return huggingface.MIRROR_NAME
        case PackageIndexEntry():
            return package_index.NAME
        case _:
            assert_never(entry)


def source_kind(entry: SourceEntry) -> str:
    """The source as it is named in commands and settings: "modelscope", "package-index" …"""
    kind = entry.__struct_config__.tag
    assert isinstance(kind, str)
    return kind


def source_of(starter: Starter, entry: SourceEntry, addresses: Addresses) -> FileSource:
    """The entry as a source of a download. Nobody is asked for it."""
    match entry:
        case ModelScopeEntry():
            return modelscope.locate(starter, entry, addresses)
        case HuggingFaceEntry():
            return huggingface.locate(starter, entry, addresses)
        case HfMirrorEntry():
            return huggingface.locate_on_mirror(starter, entry, addresses)
        case PackageIndexEntry():
            return package_index.packaged(entry, starter.size_bytes, addresses)
        case _:
            assert_never(entry)


async def locate(
    starter: Starter, entry: SourceEntry, addresses: Addresses, client: httpx.AsyncClient, index_seconds: float
) -> ByteSource:
    """Where the bytes are. Only the package index is asked over the network for it; raises a SourceFault."""
    match entry:
        case ModelScopeEntry():
            return modelscope.locate(starter, entry, addresses)
        case HuggingFaceEntry():
            return huggingface.locate(starter, entry, addresses)
        case HfMirrorEntry():
            return huggingface.locate_on_mirror(starter, entry, addresses)
        case PackageIndexEntry():
            packaged = package_index.packaged(entry, starter.size_bytes, addresses)
            return await package_index.locate(packaged, client, index_seconds)
        case _:
            assert_never(entry)
