"""Engines and packs that were added, in their folders: what is there, adding from a file, checking, removing."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inference.engine_folder import engine_folder
from inference.engine_packs.errors import PackMissing, PackRefused, PackUnwritable
from inference.engine_packs.manifest import MANIFEST, MOST_MANIFEST_BYTES, Kind, Manifest, read_manifest
from inference.engine_version import FITTING_VERSION

PACKS, ENGINES = "engine_packs", "engines"
# Kept free beside what is unpacked.
_SPARE_BYTES = 64 << 20
_LIBRARIES: Final = ("llama_cpp", "lib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """One engine or pack in its folder. `name` is how the user calls it: an engine's has its version in it."""

    name: str
    folder: Path
    manifest: Manifest

    @property
    def kind(self) -> Kind:
        return self.manifest.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """What fits: system, and the ggml of the engine that is to take packs ("" for one with fixed back ends)."""

    system: str
    ggml: str


class PackStore:
    """Below `data_folder`: engine_packs/GGML/NAME and engines/NAME-VERSION. May be used by several processes."""

    def __init__(self, data_folder: Path) -> None:
        self._packs, self._engines = data_folder / PACKS, data_folder / ENGINES

    def installed(self) -> list[Added]:
        """All that was added, also packs for other versions of ggml. What has no sound manifest is left out."""
        found: list[Added] = []
        for folder in (*_folders(self._engines), *(one for ggml in _folders(self._packs) for one in _folders(ggml))):
            with contextlib.suppress(PackRefused, OSError):
                manifest = read_folder_manifest(folder)
                if folder == self._place(manifest):
                    found.append(Added(name=name_of(manifest), folder=folder, manifest=manifest))
        return sorted(found, key=lambda one: (one.kind, one.name, one.manifest.ggml))

    def find(self, name: str, ggml: str | None = None) -> Added:
        """By name; ggml chooses among packs that were added for several. Raises PackMissing."""
        found = self.installed()
        fitting = [one for one in found if one.name == name]
        fitting.sort(key=lambda one: one.manifest.ggml != ggml)
        if not fitting:
            raise PackMissing(name=name, available=tuple(sorted({one.name for one in found})))
        return fitting[0]

    def add(self, archive: Path, fitting: Fitting) -> Added:
        """Unpack a file, check it wholly and put it in place in one step; one of the same name is replaced.

        Raises PackRefused (nothing was changed), PackUnwritable.
        """

        from inference.engine_packs.archive import unpack  # who adds nothing needs none of it

        def accept(manifest: Manifest) -> None:
            require_fitting(manifest, fitting, name=archive.name)
            free_bytes = shutil.disk_usage(self._engines).free
            if manifest.total_bytes + _SPARE_BYTES > free_bytes:
                raise PackUnwritable(path=str(self._engines), reason=f"{free_bytes >> 20} MiB free")

        if not archive.is_file():
            raise PackRefused(name=str(archive), reason="missing")
        try:
            self._engines.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(
                prefix=".adding-", dir=self._engines, ignore_cleanup_errors=True
            ) as staging:
                new, old = Path(staging, "new"), Path(staging, "old")
                new.mkdir()
                manifest = unpack(archive, new, accept)
                if manifest.kind == "engine":
                    _link_libraries(new)
                place = self._place(manifest)
                _replace(new, place, old)
        except OSError as error:
            raise PackUnwritable(path=str(error.filename or archive), reason=error.strerror or str(error)) from error
        return Added(name=name_of(manifest), folder=place, manifest=manifest)

    def remove(self, name: str) -> list[Added]:
        """Remove what bears the name, for all versions of ggml. Raises PackMissing, PackUnwritable."""
        self.find(name)
        found = [one for one in self.installed() if one.name == name]
        for one in found:
            # Out of sight first: a removal that breaks off leaves nothing that looks whole.
            gone = one.folder.with_name(f".removed-{one.folder.name}")
            try:
                shutil.rmtree(gone, ignore_errors=True)
                one.folder.rename(gone)
                shutil.rmtree(gone)
            except OSError as error:
                raise PackUnwritable(path=str(one.folder), reason=error.strerror or str(error)) from error
        return found

    def _place(self, manifest: Manifest) -> Path:
        if manifest.kind == "engine":
            return self._engines / name_of(manifest)
        return self._packs / manifest.ggml / manifest.name


def name_of(manifest: Manifest) -> str:
    """How the user calls it."""
    return manifest.name if manifest.kind == "pack" else f"{manifest.name}-{manifest.version}"


def read_folder_manifest(folder: Path) -> Manifest:
    """The manifest in a folder of an engine or pack. Raises PackRefused, OSError."""
    with (folder / MANIFEST).open("rb") as file:
        return read_manifest(file.read(MOST_MANIFEST_BYTES + 1), name=folder.name)


def require_fitting(manifest: Manifest, fitting: Fitting, *, name: str) -> None:
    """Whether it may be used here. Raises PackRefused."""
    if manifest.system != fitting.system:
        raise PackRefused(name=name, reason="system", found=manifest.system, expected=fitting.system)
    if manifest.kind == "engine":
        # Another build of the same version may call itself 0.3.36+2.
        if manifest.version.split("+")[0] != FITTING_VERSION:
            raise PackRefused(name=name, reason="version", found=manifest.version, expected=FITTING_VERSION)
        return
    if not fitting.ggml:
        raise PackRefused(name=name, reason="fixed")
    if manifest.ggml != fitting.ggml:
        raise PackRefused(name=name, reason="ggml", found=manifest.ggml, expected=fitting.ggml)


def fits(manifest: Manifest, fitting: Fitting | None = None) -> bool:
    """Whether it may be used here; fitting: where a pack is to go, needed for one."""
    try:
        require_fitting(manifest, fitting or Fitting(system=this_system(), ggml=""), name="")
    except PackRefused:
        return False
    return True


def fitting_of(environment: Mapping[str, str]) -> Fitting:
    """What fits the engine that children with this environment take."""
    folder = engine_folder(environment)
    with contextlib.suppress(PackRefused, OSError):
        if folder is not None:
            return Fitting(system=this_system(), ggml=read_folder_manifest(folder).ggml)
    return Fitting(system=this_system(), ggml="")


def this_system() -> str:
    """ "linux-x86_64", "windows-amd64", "macos-arm64", as manifests have it."""
    name = {"win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    return f"{name}-{platform.machine().lower()}"


def broken_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """The files that are missing or not what the manifest says. Reads all of them."""
    for file in manifest.files:
        path = folder.joinpath(*file.path.split("/"))
        try:
            with path.open("rb") as content:
                sound = hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
        except OSError:
            sound = False
        if not sound:
            yield file.path


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(one for one in parent.iterdir() if one.is_dir() and not one.name.startswith("."))
    except OSError:
        return []


def _replace(new: Path, place: Path, old: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        place.rename(old)
    try:
        new.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise


def _link_libraries(folder: Path) -> None:
    """Beside each `libX.so.0` the name `libX.so` by which the binding opens it, as a link: two copies would not do.

    Archives have no links: where one leads is decided here.
    """
    if sys.platform != "linux":
        return
    for path in sorted(folder.joinpath(*_LIBRARIES).glob("*.so.0")):
        bare = path.with_name(path.name.removesuffix(".0"))
        if not bare.exists():
            bare.symlink_to(path.name)
