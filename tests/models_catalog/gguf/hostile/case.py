"""A hostile file, the sound models it was made from, and the value types its keys are written with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.models_catalog.gguf.gguf_bytes import GgufPieces, take_apart
from tests.tiny_models import tiny_hybrid, tiny_llama, tiny_mamba, tiny_qwen2

UINT16, UINT32, INT32, FLOAT32, BOOL, TEXT, UINT64 = 2, 4, 5, 6, 7, 8, 10


@dataclass(frozen=True, slots=True)
class Case:
    """A file to be made; `family` groups cases that probe the same thing."""

    family: str
    name: str
    made_of: GgufPieces | bytes

    @property
    def content(self) -> bytes:
        """The file's bytes, put together anew each time."""
        return self.made_of if isinstance(self.made_of, bytes) else self.made_of.encode()


@lru_cache(maxsize=1)
def sound_models() -> dict[str, GgufPieces]:
    """One tiny model of each architecture, by its name."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        models = (tiny_llama(layers=1), tiny_qwen2(layers=2), tiny_hybrid(), tiny_mamba())
        return {model.architecture: take_apart(model.write(path)) for model in models}
