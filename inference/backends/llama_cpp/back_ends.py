"""Loads ggml's back ends where each is a library of its own: the one variant that suits the processor, then the cards'.

In a build with one fixed back end all is registered by the time ggml is loaded, and there is nothing to do.
"""

from __future__ import annotations

import _ctypes
import ctypes
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# CPU_ONLY: no card is touched; otherwise all that is found is loaded.
BACK_ENDS_VARIABLE: Final = "LIANGLI_BACK_ENDS"
CPU_ONLY: Final = "cpu"
# Folders with further back ends of the very same ggml, separated as in PATH.
PACKS_VARIABLE: Final = "LIANGLI_ENGINE_PACKS"
# The name of a variant, or "safe" for the plainest; otherwise the best one is taken.
VARIANT_VARIABLE: Final = "LIANGLI_CPU_VARIANT"
SAFE: Final = "safe"

_LIBRARY = re.compile(r"(?:lib)?ggml-(?P<name>[a-z0-9]+)(?:-(?P<variant>[A-Za-z0-9._]+?))?\.(?:so|dll|dylib)")
# Not back ends, or held by others that are.
_PLAIN = frozenset({"base"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BackEnds:
    """What was loaded. cpu_variant: "" where it is built in; failed: names of libraries that could not be loaded.

    separate: back ends are libraries of their own, none is built in.
    """

    separate: bool = False
    cpu_variant: str = ""
    loaded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuVariant:
    """One build for processors. score: ggml's own, higher is faster; 0: this processor cannot run it."""

    name: str
    path: Path
    score: int


def load_back_ends(ggml: Any, folder: Path, environment: Mapping[str, str] = os.environ) -> BackEnds:
    """Load what the environment asks for from `folder` and the packs, unless back ends are built in.

    ggml: the library with its functions declared. A variant or card whose library cannot be loaded is left out; no
    variant at all leaves no device, which `ggml_backend_dev_count` tells.
    """
    if ggml is None or ggml.ggml_backend_dev_count() > 0:
        return BackEnds()
    chosen, failed = "", []
    for variant in _in_order(cpu_variants(folder), environment.get(VARIANT_VARIABLE, "")):
        if ggml.ggml_backend_load(os.fsencode(variant.path)):
            chosen = variant.name
            break
        failed.append(variant.path.name)
    loaded: list[str] = []
    if environment.get(BACK_ENDS_VARIABLE) != CPU_ONLY:
        packs = [Path(pack) for pack in environment.get(PACKS_VARIABLE, "").split(os.pathsep) if pack]
        for path in card_libraries([*packs, folder]):
            (loaded if ggml.ggml_backend_load(os.fsencode(path)) else failed).append(path.name)
    return BackEnds(separate=True, cpu_variant=chosen, loaded=tuple(loaded), failed=tuple(failed))


def cpu_variants(folder: Path) -> tuple[CpuVariant, ...]:
    """All builds for processors in the folder, the best first."""
    found = [(match["variant"] or "", path) for path, match in _libraries(folder) if match["name"] == "cpu"]
    scored = [CpuVariant(name=name, path=path, score=_score(path)) for name, path in found]
    return tuple(sorted(scored, key=lambda one: (-one.score, one.name)))


def variant_library(folder: Path, variant: str) -> Path | None:
    """The file of this build for processors."""
    for path, match in _libraries(folder):
        if match["name"] == "cpu" and (match["variant"] or "") == variant:
            return path
    return None


def card_libraries(folders: Iterable[Path]) -> list[Path]:
    """The back ends for cards, each kind once: that of the first folder that has it."""
    kinds: dict[str, Path] = {}
    for folder in folders:
        for path, match in _libraries(folder):
            if match["name"] not in _PLAIN | {"cpu"}:
                kinds.setdefault(match["name"], path)
    return list(kinds.values())


def _libraries(folder: Path) -> list[tuple[Path, re.Match[str]]]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return []
    return [(path, match) for path in paths if (match := _LIBRARY.fullmatch(path.name))]


def _in_order(variants: Iterable[CpuVariant], wanted: str) -> list[CpuVariant]:
    """Those that can run here, in the order in which they are tried."""
    able = [variant for variant in variants if variant.score > 0]
    if wanted == SAFE:
        return able[::-1]
    return sorted(able, key=lambda variant: variant.name != wanted)


def _score(path: Path) -> int:
    """What the library says of this processor; its check is compiled for the plainest one."""
    try:
        library = ctypes.CDLL(str(path))
    except OSError:
        return 0
    try:
        function = getattr(library, "ggml_backend_score", None)
        return 1 if function is None else int(function())
    finally:
        _close(library)


def _close(library: ctypes.CDLL) -> None:
    # A dozen variants that are not used would stay mapped otherwise.
    if sys.platform == "win32":
        _ctypes.FreeLibrary(library._handle)
    else:
        _ctypes.dlclose(library._handle)
