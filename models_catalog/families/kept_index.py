"""The catalogue and its index, kept in memory and made anew when the files in its folder change."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from models_catalog.families.index import SearchIndex, build_index
from models_catalog.families.kept_update import NAME as UPDATE
from models_catalog.families.listings import NAME as LISTINGS
from models_catalog.families.listings import ListedSources, worth_noting
from models_catalog.families.loader import load_catalogue
from models_catalog.families.values import FileProblem, LeftOut

_State = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An index to search in, and the files that could not be used. The rest as in `values.Catalogue`."""

    index: SearchIndex
    problems: tuple[FileProblem, ...]
    date: str
    updated: bool
    left_out: tuple[LeftOut, ...]


class KeptIndex:
    """May be asked from any thread. own_folder: the user's family files, the update that is kept and what listings
    showed; None or a missing folder: what ships with the app only."""

    def __init__(self, own_folder: Path | None = None) -> None:
        self._own_folder = own_folder
        self._lock = threading.Lock()
        self._kept: tuple[_State, Ready] | None = None

    def get(self) -> Ready:
        """Takes some tens of milliseconds the first time and after a change, else next to nothing."""
        with self._lock:
            state = self._state()
            if self._kept is None or self._kept[0] != state:
                catalogue = load_catalogue(self._own_folder)
                ready = Ready(
                    index=build_index(catalogue),
                    problems=catalogue.problems,
                    date=catalogue.date,
                    updated=catalogue.updated,
                    left_out=catalogue.left_out,
                )
                self._kept = (state, ready)
            return self._kept[1]

    def listed(self, hub: str, repository: str, *, there: bool) -> None:
        """A hub's listing has shown the repository with GGUF files, or said that there is none: if the catalogue names
        it as a source and says otherwise, that is remembered, and searches show it from now on. May read files.
        """
        models = self.get().index.models
        if self._own_folder is not None and worth_noting(models, hub, repository, there=there):
            ListedSources(self._own_folder).note(hub, repository, there=there, today=date.today())

    def _state(self) -> _State:
        if self._own_folder is None:
            return ()
        try:
            files = [*self._own_folder.glob("*.toml")]
            files += [file for name in (UPDATE, LISTINGS) if (file := self._own_folder / name).exists()]
            found = [(file.name, file.stat()) for file in files]
        except OSError:
            return ()
        return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found))
