"""What is planned: plan data of a model file on this computer, remembered while the file stays as it is."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.plan_data import model_file_bytes, plan_data, read_plan_data
from models_catalog.gguf.screen import screen
from models_catalog.library.files import stamp
from models_catalog.library.recent import forget_recent_header, recent_header

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
    """Reads and screens model files, once while they stay as they are. Blocking; safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._models: dict[Path, tuple[tuple[int, int], PlanModel]] = {}

    def read(self, path: Path) -> PlanModel:
        """Raises leaves of ModelFileRefused."""
        found = stamp(path)
        with self._lock:
            known = self._models.get(path)
        if known is not None and known[0] == found:
            return known[1]
        header = screen(recent_header(path))
        forget_recent_header()
        model = from_plan_data(plan_data(header), path=str(path), name=header.name, quantization=header.quantization)
        with self._lock:
            self._models[path] = found, model
            while len(self._models) > _REMEMBERED:
                del self._models[next(iter(self._models))]
        return model
