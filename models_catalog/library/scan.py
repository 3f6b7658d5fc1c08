"""Listing models: what lies in the places now, what the index remembers of it, and who is like whom."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from models_catalog.library.describe import describe, starter_of
from models_catalog.library.files import file_stamp, files_below, is_model, parts, stamp
from models_catalog.library.index import FileHash, Index, Remembered
from models_catalog.library.values import OURS, FileProblem, Found, ModelFile, Place

MARK = ".liangli-models"
_RANK = {"library": 0, "added": 1}


def list_models(places: Iterable[Path], *, cache_file: Path | None = None) -> tuple[ModelFile, ...]:
    """The models in these folders and all that is below them, and files named directly; sorted by name.

    cache_file: where headers are remembered, so that a file is read again only when its size or time changes; it may be
    deleted or damaged at any time. Reads the disk; never raises for what lies there.
    """
    return scan([plain_place(place) for place in places], Index(cache_file))


def plain_place(root: Path, *, added: bool = False) -> Place:
    """A folder of models, or one file; added: the user named it, else it is the models folder."""
    return Place(key="added" if added else "library", root=root.absolute(), find=_plain_files)


def _plain_files(root: Path) -> Iterator[Found]:
    return (
        Found(path=path, origin=_repository(path, root)) for path in files_below(root) if is_model(path) or path == root
    )


def _repository(path: Path, root: Path) -> str:
    """ "publisher/repository" of a file in our own folders."""
    folders = path.relative_to(root).parent.parts
    return "/".join(folders) if len(folders) == 2 else ""


def mark(folder: Path) -> None:
    """Leave a sign in the models folder by which it is known from the empty place where its disk would be."""
    with contextlib.suppress(OSError):
        if not (folder / MARK).exists():
            (folder / MARK).touch()


def scan(places: Sequence[Place], index: Index, hidden: Collection[str] = ()) -> tuple[ModelFile, ...]:
    """The models in all places, by name. A file that is found twice counts for the first place.

    hidden: paths of other programs' files that the user does not want to see.

    What is new or changed is described and remembered; what is gone is forgotten, or shown as missing where the whole
    place is. Of other programs' files only those are shown that can be used.
    """
    remembered, hashes = index.models(), index.hashes()
    fresh: dict[str, Remembered] = {}
    promises: dict[str, FileHash] = {}
    kept: set[str] = set()
    models: list[ModelFile] = []
    seen: set[str] = set()
    forgetful: set[str] = set()
    for place in places:
        present = is_present(place, remembered)
        if present or not place.lasting:
            forgetful.add(str(place.root))
        for found in place.find(place.root) if present else ():
            real = os.path.realpath(found.path)
            path = str(found.path)
            if real in seen or path in kept or (path in hidden and place.key not in OURS):
                continue
            seen.add(real)
            entry = _entry(place, found, remembered.get(path))
            if entry is None:
                continue
            kept.add(path)
            if entry != remembered.get(path):
                fresh[path] = entry
            if entry.facts is not None and (place.key in OURS or entry.facts.problem is None):
                promises |= _promise(found, entry, hashes)
                models.append(_as_found(entry, found, place, {**hashes, **promises}))
        for path, entry in () if present or not place.lasting else remembered.items():
            if entry.root == str(place.root) and entry.facts is not None and path not in kept:
                kept.add(path)
                models.append(_missing(entry, place))
    index.keep(fresh, promises, forget=_gone(remembered, kept, forgetful))
    return with_likenesses(_with_distinct_ids(models))


def is_present(place: Place, remembered: Mapping[str, Remembered]) -> bool:
    """Whether what was in a place can be there now: its folder exists, and is not where an unplugged disk would be."""
    root = place.root
    if not root.exists():
        return False
    if place.key != "library" or (root / MARK).exists():
        return True
    # Without the mark this may be the empty folder on which a disk is mounted when it is there.
    known = [path for path, entry in remembered.items() if entry.root == str(root)]
    return not known or any(Path(path).exists() for path in known) or any(root.iterdir())


def _gone(remembered: Mapping[str, Remembered], kept: set[str], forgetful: set[str]) -> list[str]:
    """Files that are no longer in a place that was looked at; an index may serve others that look at more places."""
    gone = [path for path, entry in remembered.items() if path not in kept and entry.root in forgetful]
    return [str(part) for path in gone for part in parts(Path(path))]


def _entry(place: Place, found: Found, known: Remembered | None) -> Remembered | None:
    size_bytes, changed_ns = stamp(found.path)
    if known is not None and (known.size_bytes, known.changed_ns) == (size_bytes, changed_ns):
        facts = known.facts
        if facts is None or found.name in ("", facts.name):
            return known if known.root == str(place.root) else replace(known, root=str(place.root))
    if place.key not in OURS and not os.access(found.path, os.R_OK):
        return None
    return Remembered(
        root=str(place.root),
        size_bytes=size_bytes,
        changed_ns=changed_ns,
        facts=describe(found, place.key, size_bytes, changed_ns),
        origin=known.origin if known is not None else "",
        added_at=known.added_at if known is not None else None,
    )


def _promise(found: Found, entry: Remembered, hashes: Mapping[str, FileHash]) -> dict[str, FileHash]:
    """What the place or the catalogue says of the file's hash, if that is news."""
    path, promised = str(found.path), found.sha256
    if not promised and (starter := starter_of(found, entry.size_bytes)) is not None:
        promised = starter.sha256
    known = hashes.get(path)
    if not promised or (known is not None and known.promised_sha256 == promised):
        return {}
    size_bytes, changed_ns = file_stamp(found.path)
    return {path: FileHash(size_bytes=size_bytes, changed_ns=changed_ns, promised_sha256=promised)}


def _as_found(entry: Remembered, found: Found, place: Place, hashes: Mapping[str, FileHash]) -> ModelFile:
    assert entry.facts is not None
    return replace(
        entry.facts,
        place=place.key,
        origin=found.origin or entry.origin,
        added_at=entry.facts.added_at if entry.added_at is None else entry.added_at,
        sha256=known_hashes(found.path, hashes),
    )


def known_hashes(path: Path, hashes: Mapping[str, FileHash]) -> tuple[str, ...]:
    """The sha256 of each of a model's files; () unless all are known for the files as they are now."""
    known = []
    for part in parts(path):
        entry = hashes.get(str(part))
        if entry is None:
            return ()
        size_bytes, changed_ns = file_stamp(part)
        if entry.sha256 and (entry.size_bytes, entry.changed_ns) == (size_bytes, changed_ns):
            known.append(entry.sha256)
        elif entry.promised_sha256 and entry.size_bytes == size_bytes:
            known.append(entry.promised_sha256)
        else:
            return ()
    return tuple(known)


def _missing(entry: Remembered, place: Place) -> ModelFile:
    assert entry.facts is not None
    return replace(
        entry.facts,
        place=place.key,
        origin=entry.facts.origin or entry.origin,
        added_at=entry.facts.added_at if entry.added_at is None else entry.added_at,
        missing=True,
        problem=FileProblem(code="ModelVanished", fields={"path": entry.facts.path}),
    )


def _with_distinct_ids(models: Iterable[ModelFile]) -> tuple[ModelFile, ...]:
    """Models of one name: all but the first get a suffix that depends on their path alone.

    Those in the models folder come first, then those that were added.
    """
    taken: set[str] = set()
    distinct = []
    for model in sorted(models, key=lambda model: (_RANK.get(model.place, 2), model.id, model.path)):
        if model.id in taken:
            model = replace(model, id=f"{model.id}-{hashlib.sha256(model.path.encode()).hexdigest()[:6]}")
        taken.add(model.id)
        distinct.append(model)
    return tuple(sorted(distinct, key=lambda model: (model.name.lower(), model.path)))


def with_likenesses(models: Sequence[ModelFile]) -> tuple[ModelFile, ...]:
    """The models with their duplicates: the size is compared first, then the hashes as far as they are known."""
    by_size: dict[int, list[ModelFile]] = defaultdict(list)
    for model in models:
        if not model.missing and model.size_bytes:
            by_size[model.size_bytes].append(model)
    return tuple(_compared(model, by_size.get(model.size_bytes, ())) for model in models)


def _compared(model: ModelFile, as_large: Sequence[ModelFile]) -> ModelFile:
    others = [other for other in as_large if other.id != model.id]
    if model.missing or not others:
        return model
    return replace(
        model,
        duplicates=tuple(other.id for other in others if model.sha256 and other.sha256 == model.sha256),
        maybe_duplicates=tuple(other.id for other in others if not (model.sha256 and other.sha256)),
    )
