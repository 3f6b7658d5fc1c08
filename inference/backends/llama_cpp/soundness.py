"""Whether the engine that was loaded can work at all: it has devices, and one list of them."""

from __future__ import annotations

import re
from pathlib import Path

from inference.backends.llama_cpp.library import back_ends, ggml
from inference.errors import EngineUnsound

_LIBGGML = re.compile(r"(?:lib)?ggml\.(?:so[.\d]*|dll|(?:\d+\.)?dylib)")


def require_sound() -> None:
    """To be called before the engine is used. Raises EngineUnsound."""
    if ggml is None:
        return
    # A build with fixed back ends has them in each copy; where they are loaded, the other copy knows of none.
    if back_ends.separate and len(copies := mapped_copies()) > 1:
        raise EngineUnsound(reason="two_copies", detail=" ".join(copies))
    # Cards alone do not do: models are always partly on the processor.
    if ggml.ggml_backend_dev_count() == 0 or (back_ends.separate and not back_ends.cpu_variant):
        raise EngineUnsound(reason="no_device", detail=" ".join(back_ends.failed)[:400])


def mapped_copies(maps: Path = Path("/proc/self/maps")) -> tuple[str, ...]:
    """The files of which this process holds libggml, each once however it is called; () where that cannot be told."""
    try:
        lines = maps.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    found: dict[tuple[str, str], str] = {}
    for line in lines:
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and _LIBGGML.fullmatch(name := fields[5].rsplit("/", 1)[-1]):
            # Device and inode: a link is no second copy.
            found.setdefault((fields[3], fields[4]), name)
    return tuple(sorted(found.values()))
