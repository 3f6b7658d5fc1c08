"""The model files on this computer: found, their headers read once, and remembered until they change."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from models_catalog.errors import CatalogError
from models_catalog.gguf.header import GgufHeader, read_header
from models_catalog.gguf.shards import other_shards
from models_catalog.starter import starters

_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})", re.IGNORECASE)
_CACHE_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """Why a file cannot be used: the class name of a CatalogError and its fields, as errors cross every wire."""

    code: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A model on this computer. id: readable, and the same as long as the file keeps its name.

    path: what is loaded, the first file of a model in several. size_bytes: all files together. added_at: seconds since
    the epoch. A file with a problem is listed all the same; what its header would have told is then "" or 0.
    """

    id: str
    name: str
    path: str
    size_bytes: int
    added_at: float
    architecture: str = ""
    quantization: str = ""
    trained_context_tokens: int = 0
    licence: str = ""
    problem: FileProblem | None = None


class _Remembered(msgspec.Struct, frozen=True):
    size_bytes: int
    changed_ns: int
    model: ModelFile


class _Cache(msgspec.Struct, frozen=True):
    format: int
    files: dict[str, _Remembered]


def list_models(places: Iterable[Path], *, cache_file: Path | None = None) -> tuple[ModelFile, ...]:
    """The models in these folders and all that is below them, and files named directly; sorted by name.

    cache_file: where headers are remembered, so that a file is read again only when its size or time changes; it may be
    deleted or damaged at any time. Reads the disk; never raises for what lies there.
    """
    remembered = _read_cache(cache_file)
    found: dict[str, _Remembered] = {}
    for path in _model_files(places):
        size_bytes, changed_ns = stamp(path)
        known = remembered.get(str(path))
        if known is None or (known.size_bytes, known.changed_ns) != (size_bytes, changed_ns):
            known = _Remembered(size_bytes, changed_ns, _describe(path, size_bytes, changed_ns))
        found[str(path)] = known
    if cache_file is not None and found != remembered:
        _write_cache(cache_file, found)
    return _with_distinct_ids(
        sorted((entry.model for entry in found.values()), key=lambda model: (model.id, model.path))
    )


def _model_files(places: Iterable[Path]) -> Iterator[Path]:
    seen: set[str] = set()
    for place in places:
        for path in _below(place):
            if str(path) not in seen and _is_model(path):
                seen.add(str(path))
                yield path


def _below(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        if place.exists():
            yield place.absolute()
        return
    for folder, names, files in os.walk(place.absolute()):
        # Hidden folders hold parts of downloads that are not finished.
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(files))


def _is_model(path: Path) -> bool:
    name = path.name.lower()
    if not name.endswith(".gguf") or name.startswith((".", "mmproj")):
        return False
    shard = _SHARD.fullmatch(path.stem)
    return shard is None or int(shard["number"]) == 1


def stamp(path: Path) -> tuple[int, int]:
    """Bytes and time of change (ns) of all files of a model; (0, 0) when there is none. Two equal ones: unchanged."""
    shard = _SHARD.fullmatch(path.stem)
    files = [path]
    if shard is not None:
        files = [
            path.with_name(f"{shard['stem']}-{number:05}-of-{shard['count']}{path.suffix}")
            for number in range(1, min(int(shard["count"]), 1000) + 1)
        ]
    size_bytes, changed_ns = 0, 0
    for file in files:
        with contextlib.suppress(OSError):
            status = file.stat()
            size_bytes += status.st_size
            changed_ns = max(changed_ns, status.st_mtime_ns)
    return size_bytes, changed_ns


def _describe(path: Path, size_bytes: int, changed_ns: int) -> ModelFile:
    shard = _SHARD.fullmatch(path.stem)
    stem = shard["stem"] if shard is not None else path.stem
    plain = ModelFile(
        id=re.sub(r"[^\w.-]+", "-", stem.lower()).strip("-.") or "model",
        name=stem,
        path=str(path),
        size_bytes=size_bytes,
        added_at=changed_ns / 1e9,
    )
    try:
        header = read_header(path)
        other_shards(header)
    except CatalogError as error:
        return replace(plain, problem=FileProblem(code=type(error).__name__, fields=dict(vars(error))))
    return replace(
        plain,
        name=_name(header, path, size_bytes),
        architecture=header.architecture,
        quantization=header.quantization,
        trained_context_tokens=header.trained_context_tokens or 0,
        licence=_licence(header, path, size_bytes),
    )


def _name(header: GgufHeader, path: Path, size_bytes: int) -> str:
    for starter in starters():
        if (starter.file, starter.size_bytes) == (path.name, size_bytes):
            return starter.name.en
    return header.name.strip().removesuffix("GGUF").rstrip(" -_") or path.stem


def _licence(header: GgufHeader, path: Path, size_bytes: int) -> str:
    for starter in starters():
        if (starter.file, starter.size_bytes) == (path.name, size_bytes):
            return starter.licence
    return header.licence or ""


def _with_distinct_ids(models: list[ModelFile]) -> tuple[ModelFile, ...]:
    """Files of one name in several folders: all but the first get a suffix that depends on their path alone."""
    taken: set[str] = set()
    distinct = []
    for model in models:
        if model.id in taken:
            model = replace(model, id=f"{model.id}-{hashlib.sha256(model.path.encode()).hexdigest()[:6]}")
        taken.add(model.id)
        distinct.append(model)
    return tuple(sorted(distinct, key=lambda model: (model.name.lower(), model.path)))


def _read_cache(cache_file: Path | None) -> dict[str, _Remembered]:
    if cache_file is None:
        return {}
    try:
        cache = msgspec.json.decode(cache_file.read_bytes(), type=_Cache)
    except (OSError, msgspec.DecodeError):
        return {}
    return cache.files if cache.format == _CACHE_FORMAT else {}


def _write_cache(cache_file: Path, files: dict[str, _Remembered]) -> None:
    # Without the cache headers are read again next time: no reason to fail.
    with contextlib.suppress(OSError):
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        fresh = cache_file.with_name(f"{cache_file.name}.{os.getpid()}.new")
        fresh.write_bytes(msgspec.json.encode(_Cache(_CACHE_FORMAT, files)))
        fresh.replace(cache_file)
