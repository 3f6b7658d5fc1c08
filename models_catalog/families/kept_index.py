"""The catalogue and its index, kept in memory and made anew when the user's own files change."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from models_catalog.families.index import SearchIndex, build_index
from models_catalog.families.loader import load_catalogue
from models_catalog.families.values import FileProblem

_State = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """An index to search in, and the user's files that could not be used."""

    index: SearchIndex
    problems: tuple[FileProblem, ...]


class KeptIndex:
    """May be asked from any thread. own_folder: the user's family files; None or a missing folder: ours only."""

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
                ready = Ready(index=build_index(catalogue), problems=catalogue.problems)
                self._kept = (state, ready)
            return self._kept[1]

    def _state(self) -> _State:
        if self._own_folder is None:
            return ()
        try:
            found = [(file.name, file.stat()) for file in self._own_folder.glob("*.toml")]
        except OSError:
            return ()
        return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found))
