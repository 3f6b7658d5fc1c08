"""What an update of the catalogue is made of: a signed index, one file per family, and one with what they share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from models_catalog.families import resolve
from models_catalog.families.resolve import Shared, Unresolved
from models_catalog.families.schema import FamilyTable, LicenceTable, ProfilesTable, Table
from models_catalog.families.values import BuiltinTemplate, Family, LeftOut, LeftOutWhy, TokenIdTemplate
from models_catalog.signed.signed_index import Index, IndexFile, read_index

FORMAT = "liangli-catalogue-index"
VERSION = 1
# Of family files: raised when one could hold what an older program would refuse or misread.
SCHEMA = 1
SHARED_FILE = "shared.json"
ENDING = ".json"
_NUMBERS = re.compile(r"\d+")


class FamilyFile(IndexFile, frozen=True):
    """schema: of the family file. min_engine: the oldest version of llama-cpp-python that can run its models."""

    schema: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    min_engine: Annotated[str, msgspec.Meta(pattern=r"^(\d{1,6}(\.\d{1,6}){0,3})?$")] = ""


class CatalogueIndex(Index, frozen=True):
    """The index of a whole catalogue: a family that it does not name is no longer in it."""

    files: Annotated[tuple[FamilyFile, ...], msgspec.Meta(max_length=400)]


class SharedTables(Table, frozen=True):
    """The licences and chat profiles that several families name."""

    licences: dict[str, LicenceTable]
    profiles: ProfilesTable


def read_catalogue_index(body: bytes) -> CatalogueIndex:
    """Raises IndexRefused."""
    return read_index(body, CatalogueIndex, format=FORMAT, version=VERSION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What this build can use. engine: the version of llama-cpp-python. templates: names of built-in chat templates.

    plan_data: names of plan data.
    """

    engine: str
    templates: frozenset[str]
    plan_data: frozenset[str]


def usable_families(
    index: CatalogueIndex, files: Mapping[str, bytes], shared: Shared, build: Build
) -> tuple[tuple[Family, ...], Shared, tuple[LeftOut, ...]]:
    """The families of an update that this build can use, what they share, and those that it cannot use, with why.

    shared: of the built-in catalogue, which holds where the update has nothing.
    """
    shared = _shared(index, files, shared)
    found: list[Family] = []
    left_out: list[LeftOut] = []
    for file in index.files:
        if file.name == SHARED_FILE:
            continue
        reason = _refusal(file, build)
        if reason is None:
            try:
                found.append(_family(file, files, shared, build))
                continue
            except _Unusable as unusable:
                reason = unusable.why, unusable.detail
        left_out.append(LeftOut(family=file.name.removesuffix(ENDING), why=reason[0], detail=reason[1]))
    return tuple(sorted(found, key=lambda family: (family.order, family.id))), shared, tuple(left_out)


class _Unusable(Exception):
    def __init__(self, why: LeftOutWhy, detail: str) -> None:
        super().__init__(detail)
        self.why, self.detail = why, detail


def _refusal(file: FamilyFile, build: Build) -> tuple[LeftOutWhy, str] | None:
    if file.schema > SCHEMA:
        return LeftOutWhy.SCHEMA, str(file.schema)
    if file.min_engine and version_numbers(file.min_engine) > version_numbers(build.engine):
        return LeftOutWhy.ENGINE, file.min_engine
    return None


def version_numbers(version: str) -> tuple[int, ...]:
    """ "0.3.36" → (0, 3, 36); what follows the numbers does not count."""
    numbers = []
    for piece in version.split("."):
        match = _NUMBERS.match(piece)
        if match is None:
            break
        numbers.append(int(match[0]))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _shared(index: CatalogueIndex, files: Mapping[str, bytes], built_in: Shared) -> Shared:
    """Both together, the update's first; a shared file that this build cannot read leaves the built-in one."""
    file = next((file for file in index.files if file.name == SHARED_FILE), None)
    if file is None or file.schema > SCHEMA:
        return built_in
    try:
        tables = msgspec.json.decode(files[file.name], type=SharedTables)
        newer = resolve.shared(tables.licences, tables.profiles)
    except (msgspec.DecodeError, Unresolved, RecursionError):
        return built_in
    return Shared(
        licences={**built_in.licences, **newer.licences},
        profiles={**built_in.profiles, **newer.profiles},
        samplings={**built_in.samplings, **newer.samplings},
    )


def _family(file: FamilyFile, files: Mapping[str, bytes], shared: Shared, build: Build) -> Family:
    try:
        table = msgspec.json.decode(files[file.name], type=FamilyTable)
        if table.id + ENDING != file.name:
            raise _Unusable(LeftOutWhy.BROKEN, f"the id {table.id}")
        family = resolve.family(_without_unknown_plan_data(table, build), shared)
    except (msgspec.DecodeError, Unresolved, RecursionError) as error:
        raise _Unusable(LeftOutWhy.BROKEN, str(error)[:200]) from error
    for model in family.models:
        template = model.profile.template
        if isinstance(template, BuiltinTemplate | TokenIdTemplate) and template.name not in build.templates:
            raise _Unusable(LeftOutWhy.TEMPLATE, template.name)
    return family


def _without_unknown_plan_data(table: FamilyTable, build: Build) -> FamilyTable:
    if all(model.plan_data is None or model.plan_data in build.plan_data for model in table.models):
        return table
    models = tuple(
        model if model.plan_data in build.plan_data else msgspec.structs.replace(model, plan_data=None)
        for model in table.models
    )
    return msgspec.structs.replace(table, models=models)
