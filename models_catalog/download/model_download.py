"""Downloading a model: all its files, checked, in their place together, or not at all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from models_catalog.disk import free_disk_bytes
from models_catalog.download.archives import ARCHIVES_AT_ONCE
from models_catalog.download.file_download import FileDownload, FileReplaced
from models_catalog.download.names import on_disk, place_in
from models_catalog.download.part_file import PartFile
from models_catalog.download.progress import Board
from models_catalog.download.speed_cap import SpeedCap
from models_catalog.download.supply import Supply
from models_catalog.download.threads import in_thread, sha256_of
from models_catalog.download.unsized_file import UnsizedFile
from models_catalog.download.values import DownloadProgress, FileToFetch, ModelToFetch
from models_catalog.download.watched import run_watched
from models_catalog.errors import CatalogError, DiskTooSmall, FetchCancelled, FileChanged, NoSourceWorked, SizeUnknown
from models_catalog.sources.byte_source import PackagedFile
from models_catalog.sources.diagnosis import problem_of
from models_catalog.sources.faults import SourceFault, SourceUnfit
from models_catalog.transfer.http_range import RangeRequest, open_client, open_range
from models_catalog.transfer.patience import Patience

_MOST_REPLACEMENTS = 3
# The disk is never filled to the last byte: the system and the chats need some too.
_SPARE_BYTES = 64 * 1024 * 1024


def download(
    model: ModelToFetch,
    models_folder: Path,
    *,
    progress: Callable[[DownloadProgress], None] = lambda _: None,
    cancelled: threading.Event | Callable[[], bool] = lambda: False,
    cap: SpeedCap | None = None,
    proxies: Mapping[str, str] | None = None,
    patience: Patience | None = None,
    free_bytes: Callable[[Path], int] = free_disk_bytes,
) -> tuple[Path, ...]:
    """The paths of the model's files, whole, each with the published hash where there is one.

    Blocks; call it from a thread without a running event loop. `progress` is called in that thread a few times a
    second, `cancelled` is asked 20 times a second. What arrived is kept whatever happens; the next call goes on from
    there. proxies: by source name, "system", "none" or a proxy's address. cap: may be shared with other downloads.
    Raises the leaves of FetchFailed, or FetchCancelled.
    """
    is_cancelled = cancelled.is_set if isinstance(cancelled, threading.Event) else cancelled
    job = _Job(model, models_folder, progress, cap or SpeedCap(), proxies or {}, patience or Patience(), free_bytes)

    def tick() -> None:
        job.board.report()
        if is_cancelled():
            raise FetchCancelled(file=model.name)

    try:
        run_watched(job.run(), tick)
    finally:
        job.close()
    return tuple(job.target(file) for file in model.files)


def discard(model: ModelToFetch, models_folder: Path) -> None:
    """Deletes what arrived of a download that is wanted no more; whole files stay. Blocks; never raises."""
    for file in model.files:
        with contextlib.suppress(CatalogError, OSError):
            target = on_disk(place_in(models_folder, *file.place))
            if (target.parent / f".{target.name}.partial").is_dir():
                PartFile(target, size_bytes=0, sha256="").abandon()


class _Job:
    """One model being downloaded."""

    def __init__(
        self,
        model: ModelToFetch,
        models_folder: Path,
        progress: Callable[[DownloadProgress], None],
        cap: SpeedCap,
        proxies: Mapping[str, str],
        patience: Patience,
        free_bytes: Callable[[Path], int],
    ) -> None:
        self._model, self._folder = model, models_folder
        self._cap, self._proxies, self._patience, self._free_bytes = cap, proxies, patience, free_bytes
        self._parts: dict[FileToFetch, PartFile | UnsizedFile] = {}
        self._there_bytes = 0
        self._clients: dict[str, httpx.AsyncClient] = {}
        self.board = Board(
            progress, lambda: self._there_bytes + sum(part.received_bytes for part in self._parts.values())
        )

    def target(self, file: FileToFetch) -> Path:
        """Where the file will lie. Raises FileNameRefused."""
        return on_disk(place_in(self._folder, *file.place))

    async def run(self) -> None:
        """Everything; see `download`."""
        async with contextlib.AsyncExitStack() as stack:
            self._stack = stack
            supplies = {file: self._supplies(file) for file in self._model.files}
            for file in self._model.files:
                await self._open(file, supplies[file])
            self._require_room()
            for file in self._model.files:
                if file in self._parts:
                    await self._fetch(file, supplies[file])
            # The first file last: with it the model appears.
            for file in reversed(self._model.files):
                if file in self._parts:
                    self._parts[file].move_into_place()

    def close(self) -> None:
        """Keeps what arrived."""
        for part in self._parts.values():
            part.close()

    async def _open(self, file: FileToFetch, supplies: list[Supply]) -> None:
        """The file's part is open, unless the whole file is there."""
        size_bytes, etag, target = file.size_bytes, "", self.target(file)
        if size_bytes is None or file.sha256 is None:
            size_bytes, etag = await self._inspect(file, supplies[0])
        if size_bytes is None:
            self.board.total_unknown = True
            self._parts[file] = UnsizedFile(target, free_bytes=self._free_bytes, spare_bytes=_SPARE_BYTES)
            return
        self.board.total_bytes += size_bytes
        if await self._is_there(file, target, size_bytes):
            self._there_bytes += size_bytes
            return
        self._parts[file] = PartFile(target, size_bytes=size_bytes, sha256=file.sha256 or "", etag=etag)

    async def _is_there(self, file: FileToFetch, target: Path, size_bytes: int) -> bool:
        if not target.is_file() or target.stat().st_size != size_bytes:
            return False
        if file.sha256 is None:
            return True
        self.board.verifying(0)
        try:
            return await in_thread(lambda stop: sha256_of(target, stop, self.board.verifying)) == file.sha256
        except OSError:
            return False

    async def _inspect(self, file: FileToFetch, supply: Supply) -> tuple[int | None, str]:
        """Size and ETag of a file that no listing describes; None where the server tells only at the end."""
        request = RangeRequest(url=supply.whole_file.url, headers=supply.whole_file.headers, start=0, end=1)
        try:
            async with open_range(self._client(supply), request, self._patience) as answer:
                size_bytes, etag = answer.total_bytes, answer.etag or ""
                if size_bytes is None and file.sha256 is None and answer.tells_its_end:
                    return None, etag
        except SourceFault as fault:
            raise NoSourceWorked(file=file.place[-1], problems=(problem_of(supply.name, fault),)) from fault
        if file.size_bytes not in (None, size_bytes):
            other = SourceUnfit(f"has {size_bytes} bytes", kind="other_file")
            raise NoSourceWorked(file=file.place[-1], problems=(problem_of(supply.name, other),))
        if not size_bytes:
            raise SizeUnknown(file=file.place[-1])
        supply.etag = etag or None
        return size_bytes, etag

    def _require_room(self) -> None:
        """Room for what is missing of all files, before the first byte."""
        missing_bytes = sum(part.size_bytes - part.received_bytes for part in self._parts.values())
        if missing_bytes:
            needed_bytes = missing_bytes + max(map(_packed_bytes, self._parts)) + _SPARE_BYTES
            free = self._free_bytes(self._folder)
            if free < needed_bytes:
                raise DiskTooSmall(path=str(self._folder), needed_bytes=needed_bytes, free_bytes=free)

    async def _fetch(self, file: FileToFetch, supplies: list[Supply]) -> None:
        for _ in range(_MOST_REPLACEMENTS):
            part = self._parts[file]
            if isinstance(part, UnsizedFile):
                client = self._client(supplies[0])
                await part.fetch(supplies[0], client, board=self.board, cap=self._cap, patience=self._patience)
                return
            try:
                await FileDownload(
                    name=file.place[-1],
                    part=part,
                    sha256=file.sha256,
                    supplies=supplies,
                    client=self._client,
                    board=self.board,
                    cap=self._cap,
                    patience=self._patience,
                ).run()
                return
            except FileReplaced:
                del self._parts[file]
                self.board.total_bytes -= part.size_bytes
                part.abandon()
                await self._open(file, supplies)
        raise FileChanged(file=file.place[-1])

    def _supplies(self, file: FileToFetch) -> list[Supply]:
        # Without a hash nothing tells whether two sources have the same file.
        sources = file.sources if file.sha256 is not None else file.sources[:1]
        return [Supply(source=source, connections=self._patience.most_connections) for source in sources]

    def _client(self, supply: Supply) -> httpx.AsyncClient:
        proxy = self._proxies.get(supply.name, "system")
        if proxy not in self._clients:
            client = open_client(self._patience, proxy)
            self._stack.push_async_callback(client.aclose)
            self._clients[proxy] = client
        return self._clients[proxy]


def _packed_bytes(file: FileToFetch) -> int:
    """How much lies packed beside the file while it is fetched in pieces."""
    pieces = (one.entry.part_bytes for one in file.sources if isinstance(one, PackagedFile))
    return ARCHIVES_AT_ONCE * max(pieces, default=0)
