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
    match hub:
        case Hub.MODELSCOPE:
            return await _list_modelscope(client, repository, addresses, patience, revision or "master")
        case Hub.HUGGINGFACE | Hub.HF_MIRROR:
            return await _list_huggingface(client, hub, repository, addresses, patience, revision or "main")
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


async def _list_modelscope(
    client: httpx.AsyncClient, repository: str, addresses: Addresses, patience: Patience, revision: str
) -> tuple[RemoteFile, ...]:
    base = addresses.modelscope
    url = f"{base}/api/v1/models/{repository}/repo/files?Revision={quote(revision, safe='')}&Recursive=true"
    headers = addresses.modelscope_headers
    body = await _read_json(client, url, headers, patience)
    listing = _decoded(body, _ModelScopeListing)
    if not listing.Success or listing.Data is None:
        raise SourceUnfit("has no such repository", status=_MISSING_STATUS)
    return tuple(
        RemoteFile(
            name=file.Path,
            sources=(
                WholeFile(
                    name=modelscope.NAME,
                    url=f"{base}/models/{repository}/resolve/{quote(revision, safe='')}/{quote(file.Path)}",
                    headers=headers,
                ),
            ),
            size_bytes=file.Size,
            sha256=_sha256(file.Sha256),
            revision=file.Revision or "",
        )
        for file in (listing.Data.Files or ())[:_MAX_FILES]
        if _is_model(file.Path, file.Size)
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


async def _list_huggingface(
    client: httpx.AsyncClient, hub: Hub, repository: str, addresses: Addresses, patience: Patience, revision: str
) -> tuple[RemoteFile, ...]:
    own = hub is Hub.HUGGINGFACE
    base = addresses.huggingface if own else addresses.hf_mirror
    headers = addresses.huggingface_headers if own else ()
    url = f"{base}/api/models/{repository}/revision/{quote(revision, safe='')}?blobs=true"
    listing = _decoded(await _read_json(client, url, headers, patience), _HuggingFaceListing)
    # A commit that the hub names is kept to, so that what was listed is what is read.
    commit = listing.sha if listing.sha and listing.sha.isalnum() else revision
    return tuple(
        RemoteFile(
            name=file.rfilename,
            sources=(
                WholeFile(
                    name=hub_name(hub),
                    url=f"{base}/{repository}/resolve/{quote(commit, safe='')}/{quote(file.rfilename)}",
                    headers=headers,
                ),
            ),
            size_bytes=_size(file),
            sha256=_sha256(file.lfs.sha256 if file.lfs else None),
            revision=listing.sha or "",
        )
        for file in listing.siblings[:_MAX_FILES]
        if _is_model(file.rfilename, _size(file))
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
