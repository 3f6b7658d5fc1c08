"""From the addresses of a model's files to its plan data: which source is asked, what is read, what is believed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

import httpx

from models_catalog.errors import (
    GgufHeaderBroken,
    ModelFileRefused,
    NotFirstShard,
    RemoteAnswerWrong,
    RemoteChanged,
    RemoteClosed,
    RemoteMissing,
    RemoteUnreachable,
)
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.parsing import TensorInfo
from models_catalog.gguf.plan_data import plan_data, read_plan_data
from models_catalog.gguf.screen import screen_plan_data, screen_whole
from models_catalog.remote_header.distant_file import DistantFile
from models_catalog.remote_header.errors import RemoteBusy, RemoteGated
from models_catalog.remote_header.sibling import read_sibling
from models_catalog.remote_header.values import Pattern, RemoteFile, RemoteHeader
from models_catalog.remote_header.whole import FIRST_BYTES_OF_LATER_PARTS, WholeHeader, read_whole_header
from models_catalog.sources import huggingface
from models_catalog.sources.diagnosis import problems_of
from models_catalog.sources.faults import SourceChanged, SourceFailed, SourceFault, SourceUnfit
from models_catalog.transfer.patience import Patience

LIMIT_SECONDS = 90.0
_PARTS_AT_ONCE = 4
_CLOSED = frozenset({401, 403})
_MISSING = frozenset({404, 410})


async def fetch_header(
    client: httpx.AsyncClient,
    files: tuple[RemoteFile, ...],
    *,
    origin: str,
    pattern: Pattern | None = None,
    patience: Patience | None = None,
    limit_seconds: float = LIMIT_SECONDS,
) -> RemoteHeader:
    """The plan data of the model in these files, all of them in order for a split model. Nothing is written to disk.

    pattern: of a quantization of the same repository, which saves reading the vocabulary again. Sources are asked one
    after the other until one gives a header that is sound in form; then the header is screened, and what is refused
    there is refused for good. Cancelling the task ends all connections at once.
    Raises leaves of RemoteRefused and of ModelFileRefused.
    """
    faults: dict[str, SourceFault | ModelFileRefused] = {}
    asked = ""
    try:
        async with asyncio.timeout(limit_seconds):
            for number, source in enumerate(files[0].sources):
                asked = source.name
                job = _Job(client, files, number, patience or Patience())
                try:
                    model = await _read_steadily(job, pattern)
                except (SourceFault, ModelFileRefused) as fault:
                    faults[source.name] = fault
                    continue
                return await _judged(job, model, origin)
    except TimeoutError:
        faults[asked] = SourceFailed(
            f"not done after {limit_seconds:.0f} s", kind="time_limit", rest_seconds=limit_seconds
        )
    # For people the repository alone: origins of listings begin with the hub's key.
    refuse(origin if "://" in origin else f"{origin.rpartition(':')[2]}/{files[0].name}", faults)


@dataclass(frozen=True, slots=True)
class _Model:
    """A header with the tensors of all files. pattern: the one it was read by, None where it was read whole."""

    header: GgufHeader
    first: WholeHeader | None
    pattern: Pattern | None


class _Job:
    """One source's answers for all files of a model; counts what they took."""

    def __init__(
        self, client: httpx.AsyncClient, files: tuple[RemoteFile, ...], source: int, patience: Patience
    ) -> None:
        self.files = files
        self.source = source
        self.opened: list[DistantFile] = []
        self._client = client
        self._patience = patience

    def open(self, index: int) -> DistantFile:
        """The file of this index, not asked yet."""
        file = self.files[index]
        distant = DistantFile(
            self._client,
            file.sources[self.source],
            self._patience,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
        )
        self.opened.append(distant)
        return distant


async def _read_steadily(job: _Job, pattern: Pattern | None) -> _Model:
    """A file that is replaced meanwhile is read once more from the start."""
    try:
        return await _read(job, pattern)
    except SourceChanged:
        return await _read(job, pattern)


async def _read(job: _Job, pattern: Pattern | None) -> _Model:
    in_parts = len(job.files) > 1
    name = job.files[0].name
    if pattern is not None:
        header = await read_sibling(job.open(0), pattern, name, in_parts=in_parts)
        if header is not None:
            header = await _with_all_parts(job, header) if in_parts else header
            if header.tensors.keys() == pattern.header.tensors.keys():
                return _Model(header, None, pattern)
    first = await read_whole_header(job.open(0), name)
    number, count = first.header.integer("split.no") or 0, first.header.shard_count
    if number:
        raise NotFirstShard(name, number + 1, count)
    if count != len(job.files):
        raise GgufHeaderBroken(name, f"is one of {count} parts, {len(job.files)} are known")
    return _Model(await _with_all_parts(job, first.header) if in_parts else first.header, first, None)


async def _with_all_parts(job: _Job, first: GgufHeader) -> GgufHeader:
    gate = asyncio.Semaphore(_PARTS_AT_ONCE)

    async def read(index: int) -> GgufHeader:
        async with gate:
            name = job.files[index].name
            found = await read_whole_header(job.open(index), name, first_bytes=FIRST_BYTES_OF_LATER_PARTS)
        if found.header.integer("split.no") != index or found.header.shard_count != len(job.files):
            raise GgufHeaderBroken(name, f"is not part {index + 1} of {len(job.files)}")
        return found.header

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read(index)) for index in range(1, len(job.files))]
    except BaseExceptionGroup as faults:
        raise _first_of(faults) from None
    tensors: dict[str, TensorInfo] = dict(first.tensors)
    for part in (task.result() for task in tasks):
        if twice := tensors.keys() & part.tensors.keys():
            raise GgufHeaderBroken(part.path, f"tensor {min(twice)} stands in two parts")
        tensors |= part.tensors
    return replace(first, tensors=tensors)


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first


async def _judged(job: _Job, model: _Model, origin: str) -> RemoteHeader:
    # Every file was opened at least once, the last time with success.
    latest = {distant.source.url: distant for distant in job.opened}
    sizes = [latest[file.sources[job.source].url].size_bytes or 0 for file in job.files]
    first = latest[job.files[0].sources[job.source].url]

    def judge() -> tuple[bytes, GgufHeader]:
        if model.pattern is None:
            screen_whole(model.header)
        raw = plan_data(model.header, file_bytes=sum(sizes), origin=origin)
        return raw, screen_plan_data(read_plan_data(raw, job.files[0].name))

    raw, header = await asyncio.to_thread(judge)
    whole = model.first
    pattern = model.pattern if whole is None else _pattern(header, whole)
    assert pattern is not None
    return RemoteHeader(
        plan_data=raw,
        pattern=pattern,
        size_bytes=sum(sizes),
        etag=first.etag or "",
        revision=job.files[0].revision,
        source=first.source.name,
        fetched_bytes=sum(distant.fetched_bytes for distant in job.opened),
        requests=sum(distant.requests for distant in job.opened),
    )


def _pattern(header: GgufHeader, whole: WholeHeader) -> Pattern:
    return Pattern(header=header, hyperparameters_end=whole.hyperparameters_end, tensors_offset=whole.tensors_offset)


def refuse(address: str, faults: Mapping[str, SourceFault | ModelFileRefused]) -> NoReturn:
    """Raises the error that tells the user most: what may pass by first, then what a login or another name would mend.

    faults: by the name of each source that was asked.
    """
    for fault in faults.values():
        if isinstance(fault, ModelFileRefused):
            raise fault
    found = _without_twin({name: fault for name, fault in faults.items() if isinstance(fault, SourceFault)})
    if any(isinstance(fault, SourceChanged) for fault in found.values()):
        raise RemoteChanged(address)
    problems = problems_of(found)
    # A hub that answers is not out of reach, whatever became of the others.
    if (busy := next((one for one in problems if one.kind == "busy"), None)) is not None:
        raise RemoteBusy(address, busy.source, busy.wait_seconds or None)
    if not problems or any(not isinstance(fault, SourceUnfit) for fault in found.values()):
        raise RemoteUnreachable(address, problems)
    if (gated := next((one for one in problems if one.kind == "gated"), None)) is not None:
        raise RemoteGated(address, gated.page)
    statuses = {one.status for one in problems}
    if statuses & _CLOSED:
        raise RemoteClosed(address)
    if statuses & _MISSING:
        raise RemoteMissing(address)
    raise RemoteAnswerWrong(address, problems)


def _without_twin(faults: dict[str, SourceFault]) -> dict[str, SourceFault]:
    """Hugging Face and its mirror have the same repositories: where one has spoken, it does not matter that the other
    is out of reach, as one of them is in most networks."""
    twins = (huggingface.NAME, huggingface.MIRROR_NAME)
    if not any(isinstance(faults.get(name), SourceUnfit) for name in twins):
        return faults
    return {name: fault for name, fault in faults.items() if name not in twins or isinstance(fault, SourceUnfit)}
