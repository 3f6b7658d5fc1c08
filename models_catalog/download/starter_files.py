"""Which files of repositories are starter models: those can be had from a package index, too, even without any hub."""

from __future__ import annotations

from collections.abc import Iterable

from models_catalog.remote_header.source_text import RepositoryText
from models_catalog.remote_header.values import RemoteFile
from models_catalog.sources import package_index
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import PackagedFile
from models_catalog.starter import (
    HfMirrorEntry,
    HuggingFaceEntry,
    ModelScopeEntry,
    PackageIndexEntry,
    Starter,
    starters,
)

# What a user calls the package index where sources are named.
PACKAGE_INDEX = "package-index"


def starter_with_key(key: str) -> Starter | None:
    """The starter that is called so."""
    return next((one for one in starters() if one.key == key.casefold()), None)


def starter_meant(repositories: Iterable[str], meant: RepositoryText) -> Starter | None:
    """The starter that lies in one of the repositories, if its file is what is meant or no other is named."""
    names = {name.casefold() for name in repositories}
    for one in starters():
        wanted = (meant.quantization or one.quantization).casefold() == one.quantization.casefold()
        if wanted and meant.file in (None, one.file) and meant.revision is None and names & set(_repositories(one)):
            return one
    return None


def same_file(file: RemoteFile) -> Starter | None:
    """The starter that has these very bytes."""
    known = (file.size_bytes, file.sha256)
    return next((one for one in starters() if (one.size_bytes, one.sha256) == known), None)


def packaged_sources(starter: Starter, addresses: Addresses) -> tuple[PackagedFile, ...]:
    """The starter's file on the package index."""
    return tuple(
        package_index.packaged(entry, starter.size_bytes, addresses)
        for entry in starter.sources
        if isinstance(entry, PackageIndexEntry)
    )


def home_of(starter: Starter, repository: str) -> str:
    """The folder of the starter where it comes from this repository: hubs spell the name in different ways."""
    return (
        f"{starter.publisher}/{starter.repository}" if repository.casefold() in _repositories(starter) else repository
    )


def hub_repository(starter: Starter) -> str:
    """Where it lies on Hugging Face and ModelScope."""
    return next(
        (one.repository for one in starter.sources if not isinstance(one, PackageIndexEntry)),
        f"{starter.publisher}/{starter.repository}",
    )


def _repositories(starter: Starter) -> tuple[str, ...]:
    return tuple(
        entry.repository.casefold()
        for entry in starter.sources
        if isinstance(entry, ModelScopeEntry | HuggingFaceEntry | HfMirrorEntry)
    )
