"""The catalogue from its files: the shipped one in one piece, and the user's own families, which win.

The TOML files under `resources/families` are read by people and tests; the app reads `catalogue.json`, which is made of
them (a test compares the two): TOML of this size takes a tenth of a second, JSON some milliseconds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

import resources
from models_catalog.errors import FamilyFileBroken
from models_catalog.families import resolve
from models_catalog.families.schema import Document, FamilyTable, LicenceTable, ProfilesTable, check_family
from models_catalog.families.values import Catalogue, Family, FileProblem, Model

FOLDER = "families"
_COMPILED = "catalogue.json"
_MAX_OWN_BYTES = 1024 * 1024


def load_catalogue(own_folder: Path | None = None) -> Catalogue:
    """All families. own_folder: the user's family files, *.toml; it may be missing.

    A model of the user takes the place of ours with the same id, a family of the user brings its names; the rest of
    ours stays. A file of the user that cannot be used is left out and said in `problems`.
    Raises FamilyFileBroken only if what ships with the app is broken.
    """
    families, known = _shipped()
    if own_folder is None:
        return Catalogue(families=families, problems=())
    own, problems = _own_families(own_folder, known)
    return Catalogue(families=_merged(families, own) if own else families, problems=problems)


def document(folder: Path, licences: Path, profiles: Path) -> Document:
    """The shipped catalogue out of its TOML files. Raises FamilyFileBroken."""
    tables = [read_family_table(file) for file in sorted(folder.glob("*.toml"))]
    return Document(
        licences=_read(licences, dict[str, LicenceTable]),
        profiles=_read(profiles, ProfilesTable),
        families=tuple(sorted(tables, key=lambda table: (table.order, table.id))),
    )


def read_family_table(file: Path) -> FamilyTable:
    """One family file, its schema checked. Raises FamilyFileBroken."""
    try:
        if file.stat().st_size > _MAX_OWN_BYTES:
            raise FamilyFileBroken(path=str(file), key="", problem="larger than 1 MB")
        return check_family(_parsed(file))
    except msgspec.ValidationError as error:
        key, problem = resolve.place_of(error)
        raise FamilyFileBroken(path=str(file), key=key, problem=problem) from error
    except OSError as error:
        raise FamilyFileBroken(path=str(file), key="", problem=error.strerror or type(error).__name__) from error


@lru_cache(maxsize=1)
def _shipped() -> tuple[tuple[Family, ...], resolve.Shared]:
    path = resources.path(FOLDER, _COMPILED)
    try:
        whole = msgspec.json.decode(path.read_bytes(), type=Document)
    except (msgspec.DecodeError, OSError) as error:
        raise FamilyFileBroken(path=str(path), key="", problem=str(error)) from error
    return resolved(whole, str(path))


def resolved(whole: Document, path: str) -> tuple[tuple[Family, ...], resolve.Shared]:
    """The document's values. Raises FamilyFileBroken, which names `path`."""
    try:
        known = resolve.shared(whole.licences, whole.profiles)
        return tuple(resolve.family(table, known) for table in whole.families), known
    except resolve.Unresolved as error:
        raise FamilyFileBroken(path=path, key=error.key, problem=error.problem) from error


def _own_families(folder: Path, known: resolve.Shared) -> tuple[list[Family], tuple[FileProblem, ...]]:
    found: list[Family] = []
    problems: list[FileProblem] = []
    for file in _toml_files(folder):
        try:
            found.append(_own_family(file, known))
        except FamilyFileBroken as error:
            problems.append(FileProblem(path=error.path, key=error.key, problem=error.problem))
    return found, tuple(problems)


def _own_family(file: Path, known: resolve.Shared) -> Family:
    try:
        return resolve.family(read_family_table(file), known, own=True)
    except resolve.Unresolved as error:
        raise FamilyFileBroken(path=str(file), key=error.key, problem=error.problem) from error


def _toml_files(folder: Path) -> Sequence[Path]:
    try:
        return sorted(folder.glob("*.toml"))
    except OSError:
        return ()


def _merged(ours: Iterable[Family], own: Sequence[Family]) -> tuple[Family, ...]:
    taken = {model.id for family in own for model in family.models}
    merged: dict[str, Family] = {}
    for family in ours:
        left = tuple(model for model in family.models if model.id not in taken)
        merged[family.id] = family if len(left) == len(family.models) else replace(family, models=left)
    for family in own:
        before: tuple[Model, ...] = merged[family.id].models if family.id in merged else ()
        mine = {model.id for model in family.models}
        merged[family.id] = replace(
            family, models=(*family.models, *(model for model in before if model.id not in mine))
        )
    whole = sorted(merged.values(), key=lambda family: (family.order, family.id))
    return tuple(family for family in whole if family.models)


def _read(file: Path, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(_parsed(file), kind)
    except msgspec.ValidationError as error:
        key, problem = resolve.place_of(error)
        raise FamilyFileBroken(path=str(file), key=key, problem=problem) from error


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FamilyFileBroken(path=str(file), key="", problem=str(error)) from error
