"""What is planned: plan data of a model file on this computer, kept on disk while the file stays as it is."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from app import VERSION
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.plan_data import model_file_bytes, plan_data, read_plan_data
from models_catalog.gguf.screen import screen
from models_catalog.library.files import stamp
from models_catalog.library.recent import forget_recent_header, recent_header
from models_catalog.plan_cache import CachedPlan, PlanCache

_REMEMBERED = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanModel:
    """A model as the planner knows it. path: what the engine will load, or a name for what is not here.

    head: its plan data; header: the same, parsed. name, quantization: for people.
    """

    path: str
    name: str
    quantization: str
    head: bytes
    header: GgufHeader
    file_bytes: int


def from_plan_data(head: bytes, *, path: str, name: str, quantization: str) -> PlanModel:
    """quantization "": as the header names it. Raises leaves of ModelFileRefused."""
    header = read_plan_data(head, path)
    return PlanModel(
        path=path,
        name=name,
        quantization=quantization or header.quantization,
        head=head,
        header=header,
        file_bytes=model_file_bytes(header),
    )


class LocalModels:
    """Reads and screens model files, once while they stay as they are. Blocking; safe to call from several threads.

    cache: where plan data of files that passed the screen is kept: a vocabulary takes a quarter of a second to judge.
    """

    def __init__(self, cache: PlanCache | None = None) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._models: dict[Path, tuple[tuple[int, int], PlanModel]] = {}

    def read(self, path: Path, *, keep_header: bool = False) -> PlanModel:
        """Raises leaves of ModelFileRefused. keep_header: `recent_header` will be asked for this file next."""
        found = stamp(path)
        with self._lock:
            known = self._models.get(path)
        if known is not None and known[0] == found:
            return known[1]
        model = self._kept(path, found) or self._read(path, found)
        if not keep_header:
            forget_recent_header()
        with self._lock:
            self._models[path] = found, model
            while len(self._models) > _REMEMBERED:
                del self._models[next(iter(self._models))]
        return model

    def _kept(self, path: Path, found: tuple[int, int]) -> PlanModel | None:
        kept = self._cache.find(_key(path, found)) if self._cache is not None else None
        if kept is None:
            return None
        quantization, _, name = kept.validator.partition("\n")
        return from_plan_data(kept.plan_data, path=str(path), name=name, quantization=quantization)

    def _read(self, path: Path, found: tuple[int, int]) -> PlanModel:
        header = screen(recent_header(path))
        head = plan_data(header)
        if self._cache is not None:
            validator = f"{header.quantization}\n{header.name}"
            self._cache.store(_key(path, found), CachedPlan(plan_data=head, validator=validator))
        return from_plan_data(head, path=str(path), name=header.name, quantization=header.quantization)


def _key(path: Path, found: tuple[int, int]) -> str:
    """Another version of the app may judge otherwise."""
    return f"{VERSION}:{found[0]}:{found[1]}:{path.absolute()}"
