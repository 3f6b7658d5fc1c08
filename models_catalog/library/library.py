"""The models of this user: those in the models folder, those added from elsewhere, those of other programs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from models_catalog.errors import LibraryFolderGone, ModelFileMissing, ModelFileRefused
from models_catalog.gguf.screen import screen
from models_catalog.library.choices import Choices, read_choices, write_choices
from models_catalog.library.copying import copy_model
from models_catalog.library.files import file_stamp, files_below, is_model, parts, stamp, stem
from models_catalog.library.index import FileHash, Index
from models_catalog.library.listed_hashes import check_listed, listed_hashes, missing_models
from models_catalog.library.move import finish_move, move_library
from models_catalog.library.recent import forget_recent_header, recent_header
from models_catalog.library.removal import Removal, removal_of, remove
from models_catalog.library.scan import is_present, mark, plain_place, scan
from models_catalog.library.values import ModelFile, Place
from models_catalog.library.verify import Verdict, compare, verify
from models_catalog.library.work import Work

# The publisher of models that were copied in by hand.
_COPIED = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFiles:
    """index: what is remembered, may be lost. choices: what the user decided. journal: of a move that is under way."""

    index: Path
    choices: Path
    journal: Path


class ModelLibrary:
    """Blocking; any number of threads. Other processes may do the same with the same folders.

    elsewhere: the places of other programs, asked for at every listing. screen_file: raises leaves of ModelFileRefused
    for a file that may not be used.
    """

    def __init__(
        self,
        folder: Path,
        files: LibraryFiles,
        elsewhere: Callable[[], Sequence[Place]] = lambda: (),
        *,
        screen_file: Callable[[Path], object] = lambda path: screen(recent_header(path)),
    ) -> None:
        self._folder = folder.absolute()
        self._files = files
        self._elsewhere = elsewhere
        self._screen_file = screen_file
        self._index = Index(files.index)
        self._lock = threading.Lock()
        self._screened: dict[Path, tuple[int, int]] = {}

    @property
    def folder(self) -> Path:
        """The models folder."""
        return self._folder

    def models(self) -> tuple[ModelFile, ...]:
        """All models, by name; those that cannot be used have a problem."""
        with self._lock:
            choices = read_choices(self._files.choices)
            places = [
                plain_place(self._folder),
                *(plain_place(Path(path), added=True) for path in choices.added),
                *self._elsewhere(),
            ]
            models = scan(places, self._index, frozenset(choices.hidden))
            if any(model.place == "library" and not model.missing for model in models):
                mark(self._folder)
        return models

    def model_at(self, path: Path) -> ModelFile | None:
        """The model that is loaded by this file; None where none is listed."""
        wanted = path.resolve()
        return next((model for model in self.models() if Path(model.path).resolve() == wanted), None)

    def add(self, path: Path) -> ModelFile:
        """Use a model file where it lies. Raises leaves of ModelFileRefused, DiskTooSmall, FolderUnwritable."""
        path = path.resolve()
        self._screen(path)
        self._add(path)
        model = self.model_at(path)
        forget_recent_header()
        if model is None:  # a file that only goes with a model passes no screen
            raise ModelFileRefused(str(path))
        return model

    def add_folder(self, folder: Path) -> tuple[tuple[ModelFile, ...], tuple[ModelFileRefused, ...]]:
        """Use all models in a folder and below it where they lie; and why others could not be used.

        Those of which a list of hashes comes with the folder are read wholly and must be what it says.
        Raises DiskTooSmall, FolderUnwritable.
        """
        folder = folder.resolve()
        listed, hashes = listed_hashes(folder), dict[Path, str]()
        added: list[Path] = []
        refused: list[ModelFileRefused] = [ModelFileMissing(str(path)) for path in missing_models(folder, listed)]
        for path in filter(is_model, files_below(folder)):
            try:
                known = check_listed(path, listed)
                self._screen(path)
            except ModelFileRefused as error:
                refused.append(error)
            else:
                added.append(path)
                hashes |= known
        if added:
            self._add(*added)
            self._keep_hashes(hashes)
        found = {Path(model.path).resolve(): model for model in self.models()} if added else {}
        return tuple(found[path.resolve()] for path in added if path.resolve() in found), tuple(refused)

    def copy_in(self, path: Path, work: Work) -> ModelFile:
        """Copy a model's files into the models folder, checked. Raises leaves of ModelFileRefused, LibraryFolderGone,
        LibraryMoveRefused where another file is in the way, DiskTooSmall, FolderUnwritable, LibraryWorkCancelled.
        """
        path = path.resolve()
        self._screen(path)
        self.check_folder()
        target = self._folder / _COPIED / stem(path) / path.name
        hashes = copy_model(path, target.parent, work)
        self.remember(dict(zip(parts(target), hashes, strict=True)))
        model = self.model_at(target)
        assert model is not None
        return model

    def check_folder(self) -> None:
        """Raises LibraryFolderGone while the disk of the models folder is not there: nothing may be written then."""
        with self._lock:
            here = is_present(plain_place(self._folder), self._index.models())
        if not here:
            raise LibraryFolderGone(path=str(self._folder))

    def remember(self, hashes: Mapping[Path, str]) -> None:
        """Keep the sha256 of files that have just come into the models folder whole and checked."""
        self._keep_hashes(hashes)
        self.models()
        self._note_arrival(*hashes)

    def removal(self, model: ModelFile) -> Removal:
        """What `remove` would do."""
        if model.place != "library" or model.missing:
            return Removal(paths=(), freed_bytes=0)
        return removal_of(Path(model.path), self._folder)

    def remove(self, model: ModelFile) -> Removal:
        """Delete a model in the models folder; take any other from the list, for good. Raises FolderUnwritable.

        Files outside the models folder are never touched.
        """
        removal = self.removal(model)
        remove(removal, self._folder)
        with self._lock:
            choices = read_choices(self._files.choices)
            if model.place == "added":
                kept = tuple(path for path in choices.added if path != model.path)
                write_choices(self._files.choices, msgspec.structs.replace(choices, added=kept))
            elif model.place != "library":
                hidden = (*choices.hidden, model.path)
                write_choices(self._files.choices, msgspec.structs.replace(choices, hidden=hidden))
            self._index.keep(forget=[str(part) for part in parts(Path(model.path))])
        return removal

    def verify(self, model: ModelFile, work: Work) -> Verdict:
        """Read the model's files and judge them. Raises ModelFileRefused's leaves, LibraryWorkCancelled."""
        return verify(Path(model.path), self._index, work)

    def compare(self, work: Work) -> None:
        """Compute the hashes that tell duplicates from files that are only as large. Raises LibraryWorkCancelled."""
        compare(self.models(), self._index, work)

    def move(self, target: Path, *, switch: Callable[[Path], None], work: Work) -> tuple[str, ...]:
        """Bring the models folder to another place; returns what could not be removed from the old one.

        switch: makes the choice last; what it raises undoes nothing but the choice. Raises as `move_library` does.
        """
        target = target.absolute()
        old = self._folder

        def switch_all() -> None:
            switch(target)
            with self._lock:
                self._follow(old, target)
                self._folder = target

        return move_library(old, target, journal=self._files.journal, switch=switch_all, work=work)

    def finish_move(self) -> tuple[str, ...]:
        """End a move that was interrupted after its switch; returns what could not be removed. Raises nothing."""
        return finish_move(self._files.journal, self._folder)

    def _follow(self, old: Path, new: Path) -> None:
        """What is remembered of the files is true of their copies."""

        def moved(path: str) -> str | None:
            one = Path(path)
            return str(new / one.relative_to(old)) if one.is_relative_to(old) else None

        models, hashes = {}, {}
        for path, entry in self._index.models().items():
            if entry.facts is not None and (there := moved(path)) is not None:
                facts = replace(entry.facts, path=there)
                size_bytes, changed_ns = stamp(Path(there))
                models[there] = replace(entry, root=str(new), facts=facts, size_bytes=size_bytes, changed_ns=changed_ns)
        for path, known in self._index.hashes().items():
            if (there := moved(path)) is not None:
                hashes[there] = replace(known, changed_ns=file_stamp(Path(there))[1])
        old_paths = [path for path in (*self._index.models(), *self._index.hashes()) if moved(path) is not None]
        self._index.keep(models, hashes, forget=old_paths)

    def _keep_hashes(self, hashes: Mapping[Path, str]) -> None:
        known = {
            str(path): FileHash(size_bytes=size, changed_ns=changed, promised_sha256=sha256, sha256=sha256)
            for path, sha256 in hashes.items()
            for size, changed in [file_stamp(path)]
        }
        self._index.keep(hashes=known)

    def _screen(self, path: Path) -> None:
        """Screen a file, once while it stays as it is; it is screened again whenever it is loaded."""
        found = stamp(path)
        if self._screened.get(path) != found:
            self._screen_file(path)
            self._screened[path] = found

    def _add(self, *paths: Path) -> None:
        with self._lock:
            choices = read_choices(self._files.choices)
            new = [
                str(path)
                for path in paths
                if str(path) not in choices.added and not path.is_relative_to(self._folder.resolve())
            ]
            shown = tuple(path for path in choices.hidden if path not in map(str, paths))
            if new or shown != choices.hidden:
                write_choices(self._files.choices, Choices(added=(*choices.added, *new), hidden=shown))
        self.models()
        self._note_arrival(*map(Path, new))

    def _note_arrival(self, *paths: Path) -> None:
        known = self._index.models()
        came = {str(path): known[str(path)] for path in paths if str(path) in known}
        self._index.keep({path: replace(entry, added_at=time.time()) for path, entry in came.items()})
