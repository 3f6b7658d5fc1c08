"""The catalogue from its files: the shipped one or a newer update, and the user's own families, which win.

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
from models_catalog.families.kept_update import NAME as UPDATE
from models_catalog.families.kept_update import KeptUpdateBroken, read_kept
from models_catalog.families.listings import ListedSources, with_listings
from models_catalog.families.schema import Document, FamilyTable, LicenceTable, ProfilesTable, check_family
from models_catalog.families.this_build import this_build
from models_catalog.families.update_index import usable_families
from models_catalog.families.values import Catalogue, Family, FileProblem, Model
from models_catalog.signed.keys import PublicKey, shipped_keys

FOLDER = "families"
_COMPILED = "catalogue.json"
_MAX_OWN_BYTES = 1024 * 1024


def load_catalogue(own_folder: Path | None = None, keys: Sequence[PublicKey] | None = None) -> Catalogue:
    """All families. own_folder: the user's family files, *.toml, and what is kept beside them; it may be missing.

    Of the shipped catalogue and an update that was kept the newer one is taken (keys: None for those of this build).
    A model of the user takes the place of ours with the same id, a family of the user brings its names; the rest of
    ours stays. A file that cannot be used is left out and said in `problems`.
    Raises FamilyFileBroken only if what ships with the app is broken.
    """
    if own_folder is None:
        return Catalogue(families=_shipped_families(), problems=(), date=shipped_date())
    base, known = _updated_or_shipped(own_folder, shipped_keys() if keys is None else keys)
    own, problems = _own_families(own_folder, known)
    families = _merged(base.families, own) if own else base.families
    return replace(
        base,
        families=with_listings(families, ListedSources(own_folder).read()),
        problems=(*base.problems, *problems),
    )


def shipped_date() -> str:
    """When the catalogue of this build was last changed."""
    return _shipped_document().date


def document(folder: Path, licences: Path, profiles: Path, date: str = "") -> Document:
    """The shipped catalogue out of its TOML files. Raises FamilyFileBroken."""
    tables = [read_family_table(file) for file in sorted(folder.glob("*.toml"))]
    return Document(
        licences=_read(licences, dict[str, LicenceTable]),
        profiles=_read(profiles, ProfilesTable),
        families=tuple(sorted(tables, key=lambda table: (table.order, table.id))),
        date=date,
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


def _updated_or_shipped(folder: Path, keys: Sequence[PublicKey]) -> tuple[Catalogue, resolve.Shared]:
    try:
        kept = read_kept(folder, keys)
    except KeptUpdateBroken as broken:
        problem = FileProblem(path=str(folder / UPDATE), key="", problem=str(broken), kept_update=True)
        return Catalogue(families=_shipped_families(), problems=(problem,), date=shipped_date()), _shipped_shared()
    if kept is None or kept.index.date <= shipped_date():
        return Catalogue(families=_shipped_families(), problems=(), date=shipped_date()), _shipped_shared()
    families, known, left_out = usable_families(kept.index, kept.files, _shipped_shared(), this_build())
    if left_out:
        # Making values of the shipped families takes most of the time of loading: only where they are needed.
        missing = {one.family for one in left_out}
        shipped = [family for family in _shipped_families() if family.id in missing]
        families = _merged(shipped, families)
    return Catalogue(families=families, problems=(), date=kept.index.date, updated=True, left_out=left_out), known


@lru_cache(maxsize=1)
def _shipped_document() -> Document:
    path = resources.path(FOLDER, _COMPILED)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Document)
    except (msgspec.DecodeError, OSError) as error:
        raise FamilyFileBroken(path=str(path), key="", problem=str(error)) from error


@lru_cache(maxsize=1)
def _shipped_shared() -> resolve.Shared:
    whole = _shipped_document()
    try:
        return resolve.shared(whole.licences, whole.profiles)
    except resolve.Unresolved as error:
        raise _shipped_broken(error) from error


@lru_cache(maxsize=1)
def _shipped_families() -> tuple[Family, ...]:
    try:
        return tuple(resolve.family(table, _shipped_shared()) for table in _shipped_document().families)
    except resolve.Unresolved as error:
        raise _shipped_broken(error) from error


def _shipped_broken(error: resolve.Unresolved) -> FamilyFileBroken:
    path = resources.path(FOLDER, _COMPILED)
    return FamilyFileBroken(path=str(path), key=error.key, problem=error.problem)


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
