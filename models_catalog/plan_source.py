"""From what a user types to quantizations, and from a quantization to its plan data, wherever its files lie."""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit, urlunsplit

import httpx

from models_catalog.errors import (
    QuantizationMissing,
    RemoteMissing,
    RepositoryWithoutGguf,
)
from models_catalog.gguf.header import read_header
from models_catalog.gguf.plan_data import plan_data
from models_catalog.gguf.screen import screen
from models_catalog.gguf.shards import other_shards
from models_catalog.plan_cache import CachedPlan, PlanCache
from models_catalog.remote_header.distant_file import DistantFile
from models_catalog.remote_header.fetch import fetch_header, refuse
from models_catalog.remote_header.hub_files import Hub, hub_name
from models_catalog.remote_header.kept_listings import KeptListings
from models_catalog.remote_header.listed import OnListed, tell_listed
from models_catalog.remote_header.quantizations import group, parts_of, quantization_name
from models_catalog.remote_header.source_text import (
    FileText,
    RepositoryText,
    StarterText,
    UrlText,
    understand,
)
from models_catalog.remote_header.values import LocalFile, Pattern, Quantization, RemoteFile
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import WholeFile
from models_catalog.sources.faults import SourceFault, SourceUnfit
from models_catalog.sources.locate import source_of
from models_catalog.starter import Starter, starter, starters
from models_catalog.transfer.http_range import open_client
from models_catalog.transfer.patience import Patience

# Where a repository is looked for when no hub is named.
_HUBS = (Hub.MODELSCOPE, Hub.HUGGINGFACE, Hub.HF_MIRROR)
_MAX_PATTERNS = 16
_PROBE_BYTES = 64


class PlanSource:
    """Finds models and reads what a plan needs of them. Its methods may be awaited at the same time, in one event loop.

    Nothing is downloaded but headers. Cancelling a call ends its connections at once.
    """

    def __init__(
        self,
        *,
        cache: PlanCache | None = None,
        listings: KeptListings | None = None,
        addresses: Addresses | None = None,
        patience: Patience | None = None,
        client: Callable[[Patience], httpx.AsyncClient] = open_client,
        on_listed: OnListed | None = None,
    ) -> None:
        """addresses: by default as the environment says. cache, listings: None remembers nothing between processes.

        on_listed: told of every listing, in another thread.
        """
        self._cache = cache
        self._listings = listings or KeptListings(None)
        self._addresses = addresses or Addresses.from_environment(os.environ)
        self._patience = patience or Patience()
        self._client = client
        self._on_listed = on_listed
        self._patterns: OrderedDict[str, Pattern] = OrderedDict()

    async def resolve(self, text: str) -> tuple[Quantization, ...]:
        """The quantizations that the text means, smallest first, at least one.

        text: "FILE.gguf", the address of a GGUF file, "owner/repository" with or without ":QUANTIZATION", the same
        after hf.co/, modelscope.cn/ or hf-mirror.com/, or a starter's key. A repository without a hub is looked for on
        ModelScope, on Hugging Face and on its mirror, in this order.
        Raises leaves of RemoteRefused, and of ModelFileRefused for files on this computer.
        """
        meant = understand(text, starter_keys=frozenset(known.key for known in starters()), addresses=self._addresses)
        match meant:
            case FileText():
                return (await asyncio.to_thread(_local_quantization, meant.path),)
            case UrlText():
                return (_at_url(meant),)
            case StarterText():
                return (_of_starter(starter(meant.key), self._addresses),)
            case RepositoryText():
                return chosen(await self._list(meant), meant)
            case _:
                assert_never(meant)

    async def plan_data_of(self, quantization: Quantization) -> bytes:
        """Plan data, screened. Siblings of a quantization that was asked for before take under 100 KB.

        Raises leaves of RemoteRefused and of ModelFileRefused.
        """
        first = quantization.files[0]
        if isinstance(first, LocalFile):
            return await asyncio.to_thread(_local_plan_data, first.path)
        files = tuple(file for file in quantization.files if isinstance(file, RemoteFile))
        async with self._client(self._patience) as client:
            if known := await self._remembered(client, files):
                return known
            found = await fetch_header(
                client,
                files,
                origin=quantization.origin,
                pattern=self._patterns.get(quantization.origin),
                patience=self._patience,
            )
        self._patterns[quantization.origin] = found.pattern
        self._patterns.move_to_end(quantization.origin)
        if len(self._patterns) > _MAX_PATTERNS:
            self._patterns.popitem(last=False)
        validator = "" if _content_key(files) else found.etag
        if self._cache is not None and (validator or _content_key(files)):
            plan = CachedPlan(plan_data=found.plan_data, validator=validator)
            await asyncio.to_thread(self._cache.store, _key(files), plan)
        return found.plan_data

    async def _remembered(self, client: httpx.AsyncClient, files: tuple[RemoteFile, ...]) -> bytes | None:
        """From the cache, without any request where a hub told the hashes, else after a look at the ETag."""
        if self._cache is None:
            return None
        known = await asyncio.to_thread(self._cache.find, _key(files))
        if known is None or _content_key(files):
            return known.plan_data if known else None
        # Without hashes there is one address, that of the user.
        now = DistantFile(client, files[0].sources[0], self._patience)
        try:
            await now.read(0, _PROBE_BYTES)
        except SourceFault:
            return None
        return known.plan_data if now.etag == known.validator else None

    async def _list(self, meant: RepositoryText) -> tuple[Quantization, ...]:
        hubs = _HUBS if meant.hub is None else (meant.hub,)
        faults: dict[str, SourceFault] = {}
        async with self._client(self._patience) as client:
            for hub in hubs:
                try:
                    files = await self._listings.ask(
                        client,
                        hub,
                        meant.repository,
                        addresses=self._addresses,
                        patience=self._patience,
                        revision=meant.revision,
                    )
                except SourceFault as fault:
                    await tell_listed(self._on_listed, hub, meant.repository, meant.revision, fault)
                    faults[hub_name(hub)] = fault
                    continue
                await tell_listed(self._on_listed, hub, meant.repository, meant.revision, files)
                return group(files, f"{hub.value}:{meant.repository}")
        return await self._recall(meant, hubs, faults)

    async def _recall(
        self, meant: RepositoryText, hubs: Sequence[Hub], faults: Mapping[str, SourceFault]
    ) -> tuple[Quantization, ...]:
        """What a hub that cannot be asked now said last."""
        for hub in hubs:
            if isinstance(faults[hub_name(hub)], SourceUnfit):
                continue
            kept = await self._listings.recall(
                hub, meant.repository, addresses=self._addresses, revision=meant.revision
            )
            if kept is not None:
                return group(kept, f"{hub.value}:{meant.repository}")
        refuse(meant.repository, faults)


def chosen(found: tuple[Quantization, ...], meant: RepositoryText) -> tuple[Quantization, ...]:
    """The quantizations of a repository that are meant, at least one; raises what says why there is none."""
    if not found:
        raise RepositoryWithoutGguf(meant.repository)
    if meant.file is not None:
        chosen = tuple(one for one in found if any(_name(file) == meant.file for file in one.files))
        if not chosen:
            raise RemoteMissing(f"{meant.repository}/{meant.file}")
        return chosen
    if meant.quantization is None:
        return found
    wanted = meant.quantization.lower()
    chosen = tuple(one for one in found if one.name.lower() == wanted)
    if not chosen:
        names = tuple(dict.fromkeys(one.name for one in found))
        raise QuantizationMissing(meant.repository, meant.quantization, names)
    return chosen


def _name(file: RemoteFile | LocalFile) -> str:
    return file.name if isinstance(file, RemoteFile) else file.path.name


def _content_key(files: tuple[RemoteFile, ...]) -> str:
    hashes = [file.sha256 for file in files]
    return "sha256:" + ",".join(filter(None, hashes)) if all(hashes) else ""


def _key(files: tuple[RemoteFile, ...]) -> str:
    return _content_key(files) or files[0].sources[0].url


def _local_quantization(path: Path) -> Quantization:
    header = read_header(path)
    size_bytes = header.size_bytes + sum(part.size_bytes for part in other_shards(header))
    return Quantization(
        name=header.quantization,
        origin=str(path),
        files=(LocalFile(path=path),),
        size_bytes=size_bytes,
        sha256=None,
    )


def _local_plan_data(path: Path) -> bytes:
    header = read_header(path)
    size_bytes = header.size_bytes + sum(part.size_bytes for part in other_shards(header))
    return plan_data(screen(header), file_bytes=size_bytes, origin=str(path))


def _at_url(meant: UrlText) -> Quantization:
    split = urlsplit(meant.url)
    # What stands in an address besides the place of the file may be a secret, and an origin is stored and shown.
    origin = urlunsplit((split.scheme, split.netloc.rpartition("@")[2], split.path, "", ""))
    host = split.hostname or ""
    names = parts_of(meant.file) or (meant.file,)
    folder = split.path.rpartition("/")[0]
    addresses = (
        [meant.url] if len(names) == 1 else [urlunsplit(split._replace(path=f"{folder}/{name}")) for name in names]
    )
    return Quantization(
        name=quantization_name(meant.file),
        origin=origin,
        files=tuple(
            RemoteFile(name=name, sources=(WholeFile(name=host, url=url),))
            for name, url in zip(names, addresses, strict=True)
        ),
        size_bytes=None,
        sha256=None,
    )


def _of_starter(model: Starter, addresses: Addresses) -> Quantization:
    """The package index is no source here: it has the file only in compressed pieces, without random access."""
    sources = (source_of(model, entry, addresses) for entry in model.sources)
    whole = tuple(source for source in sources if isinstance(source, WholeFile))
    file = RemoteFile(name=model.file, sources=whole, size_bytes=model.size_bytes, sha256=model.sha256)
    return Quantization(
        name=model.quantization,
        origin=model.key,
        files=(file,),
        size_bytes=model.size_bytes,
        sha256=model.sha256,
    )
