"""The GGUF files of a repository, as its hub lists them, with sizes and hashes."""

from __future__ import annotations

import contextlib
import re
from enum import StrEnum
from typing import TypeVar, assert_never
from urllib.parse import quote

import httpx
import msgspec

from models_catalog.remote_header.values import RemoteFile
from models_catalog.sources import huggingface, modelscope
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import WholeFile
from models_catalog.sources.faults import SourceUnfit
from models_catalog.transfer.http_range import RangeRequest, open_range
from models_catalog.transfer.patience import Patience

_MAX_LISTING_BYTES = 16 * 1024 * 1024
_MAX_FILES = 20_000
_NAME = re.compile(r"[^\x00-\x1f\x7f\\]{1,400}\.gguf", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MISSING_STATUS = 404
_Listing = TypeVar("_Listing")


class Hub(StrEnum):
    """A place that has repositories of models."""

    MODELSCOPE = "modelscope"
    HUGGINGFACE = "huggingface"
    HF_MIRROR = "hf-mirror"


def hub_name(hub: Hub) -> str:
    """The hub as people know it."""
    match hub:
        case Hub.MODELSCOPE:
            return modelscope.NAME
        case Hub.HUGGINGFACE:
            return huggingface.NAME
        case Hub.HF_MIRROR:
            return huggingface.MIRROR_NAME
        case _:
            assert_never(hub)


class ListedFile(msgspec.Struct, frozen=True, array_like=True):
    """A GGUF file as its hub lists it. revision: what the hub calls the state it is in, "" where it does not say."""

    name: str
    size_bytes: int | None
    sha256: str | None
    revision: str


class HubListing(msgspec.Struct, frozen=True, array_like=True):
    """All GGUF files of a repository. pinned: the commit or branch that their addresses stay with."""

    pinned: str
    files: tuple[ListedFile, ...]


async def list_files(
    client: httpx.AsyncClient,
    hub: Hub,
    repository: str,
    *,
    addresses: Addresses,
    patience: Patience,
    revision: str | None = None,
) -> tuple[RemoteFile, ...]:
    """All GGUF files of the repository ("owner/name"), in the hub's order; () if it has none. One request.

    revision: a branch, tag or commit; None: the main branch. The addresses of the files stay with the state that was
    listed wherever the hub names it. Raises a SourceFault; for a repository that is not there, or not for us,
    SourceUnfit with the HTTP status.
    """
    listing = await ask_hub(client, hub, repository, addresses=addresses, patience=patience, revision=revision)
    return remote_files(listing, hub, repository, addresses)


async def ask_hub(
    client: httpx.AsyncClient,
    hub: Hub,
    repository: str,
    *,
    addresses: Addresses,
    patience: Patience,
    revision: str | None = None,
) -> HubListing:
    """See list_files."""
    match hub:
        case Hub.MODELSCOPE:
            return await _ask_modelscope(client, repository, addresses, patience, main_branch(hub, revision))
        case Hub.HUGGINGFACE | Hub.HF_MIRROR:
            return await _ask_huggingface(client, hub, repository, addresses, patience, main_branch(hub, revision))
        case _:
            assert_never(hub)


def remote_files(
    listing: HubListing, hub: Hub, repository: str, addresses: Addresses, *, listed_at: float | None = None
) -> tuple[RemoteFile, ...]:
    """The files with their addresses and the user's key to them. listed_at: as in RemoteFile."""
    at = f"{base_of(hub, addresses)}/{'models/' if hub is Hub.MODELSCOPE else ''}{repository}"
    return tuple(
        RemoteFile(
            name=file.name,
            sources=(
                WholeFile(
                    name=hub_name(hub),
                    url=f"{at}/resolve/{quote(listing.pinned, safe='')}/{quote(file.name)}",
                    headers=_headers(hub, addresses),
                ),
            ),
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            revision=file.revision,
            listed_at=listed_at,
        )
        for file in listing.files
    )


def main_branch(hub: Hub, revision: str | None) -> str:
    """The revision, where one is named, else what the hub calls its main branch."""
    return revision or ("master" if hub is Hub.MODELSCOPE else "main")


def base_of(hub: Hub, addresses: Addresses) -> str:
    """Where the hub is reached."""
    match hub:
        case Hub.MODELSCOPE:
            return addresses.modelscope
        case Hub.HUGGINGFACE:
            return addresses.huggingface
        case Hub.HF_MIRROR:
            return addresses.hf_mirror
        case _:
            assert_never(hub)


def _headers(hub: Hub, addresses: Addresses) -> tuple[tuple[str, str], ...]:
    match hub:
        case Hub.MODELSCOPE:
            return addresses.modelscope_headers
        case Hub.HUGGINGFACE:
            return addresses.huggingface_headers
        case Hub.HF_MIRROR:
            return ()
        case _:
            assert_never(hub)


class _ModelScopeFile(msgspec.Struct, frozen=True):
    Path: str
    Size: int = 0
    Sha256: str | None = None
    Revision: str | None = None


class _ModelScopeData(msgspec.Struct, frozen=True):
    Files: tuple[_ModelScopeFile, ...] | None = None


class _ModelScopeListing(msgspec.Struct, frozen=True):
    Data: _ModelScopeData | None = None
    Success: bool = True


async def _ask_modelscope(
    client: httpx.AsyncClient, repository: str, addresses: Addresses, patience: Patience, revision: str
) -> HubListing:
    query = f"Revision={quote(revision, safe='')}&Recursive=true"
    url = f"{addresses.modelscope}/api/v1/models/{repository}/repo/files?{query}"
    body = await _read_json(client, url, addresses.modelscope_headers, patience)
    listing = _decoded(body, _ModelScopeListing)
    if not listing.Success or listing.Data is None:
        raise SourceUnfit("has no such repository", status=_MISSING_STATUS)
    # Its files' revisions are the commits that changed each; only branches and tags are known to stand in addresses.
    return HubListing(
        revision,
        tuple(
            ListedFile(file.Path, file.Size, _sha256(file.Sha256), file.Revision or "")
            for file in (listing.Data.Files or ())[:_MAX_FILES]
            if _is_model(file.Path, file.Size)
        ),
    )


class _Lfs(msgspec.Struct, frozen=True):
    sha256: str | None = None
    size: int = 0


class _HuggingFaceFile(msgspec.Struct, frozen=True):
    rfilename: str
    size: int | None = None
    lfs: _Lfs | None = None


class _HuggingFaceListing(msgspec.Struct, frozen=True):
    siblings: tuple[_HuggingFaceFile, ...] = ()
    sha: str | None = None


async def _ask_huggingface(
    client: httpx.AsyncClient, hub: Hub, repository: str, addresses: Addresses, patience: Patience, revision: str
) -> HubListing:
    url = f"{base_of(hub, addresses)}/api/models/{repository}/revision/{quote(revision, safe='')}?blobs=true"
    listing = _decoded(await _read_json(client, url, _headers(hub, addresses), patience), _HuggingFaceListing)
    # A commit that the hub names is kept to, so that what was listed is what is read.
    return HubListing(
        listing.sha if listing.sha and listing.sha.isalnum() else revision,
        tuple(
            ListedFile(file.rfilename, _size(file), _sha256(file.lfs.sha256 if file.lfs else None), listing.sha or "")
            for file in listing.siblings[:_MAX_FILES]
            if _is_model(file.rfilename, _size(file))
        ),
    )


def _size(file: _HuggingFaceFile) -> int | None:
    return file.size if file.size is not None else file.lfs.size if file.lfs else None


def _is_model(name: str, size_bytes: int | None) -> bool:
    """False also for files that an upload left empty."""
    return _NAME.fullmatch(name) is not None and size_bytes != 0 and ".." not in name.split("/")


def _sha256(text: str | None) -> str | None:
    lowered = (text or "").lower()
    return lowered if _SHA256.fullmatch(lowered) else None


async def _read_json(
    client: httpx.AsyncClient, url: str, headers: tuple[tuple[str, str], ...], patience: Patience
) -> bytes:
    request = RangeRequest(url=url, start=0, headers=headers, max_bytes=_MAX_LISTING_BYTES)
    body = bytearray()
    async with open_range(client, request, patience) as answer:
        async with contextlib.aclosing(answer.chunks()) as chunks:
            async for chunk in chunks:
                body += chunk
    return bytes(body)


def _decoded(body: bytes, kind: type[_Listing]) -> _Listing:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise SourceUnfit("lists its files in a way that is not understood", kind="odd_answer") from error
