"""From a source's entry in the catalogue to the source of a download."""

from __future__ import annotations

from typing import assert_never

from models_catalog.sources import huggingface, modelscope, package_index
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import FileSource
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
