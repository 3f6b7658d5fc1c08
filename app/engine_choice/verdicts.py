"""What is remembered of an engine's failures, and for which engine, drivers and processor that holds."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from inference.backends.llama_cpp.back_ends import PACKS_VARIABLE
from inference.engine_version import engine_libraries
from resources.atomic_file import write_atomically

CardsVerdict = Literal["", "sound", "failed", "hangs"]

# Files whose change tells of another driver; each may be missing.
_LINUX_DRIVERS = (
    *("/sys/module/nvidia/version", "/sys/module/amdgpu/srcversion", "/sys/module/i915/srcversion"),
    *("/sys/module/xe/srcversion", "/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/dev/dri"),
)
_WINDOWS_DRIVERS = ("System32/DriverStore/FileRepository", "System32/vulkan-1.dll", "System32/nvcuda.dll")
_CHOICE_OF_DRIVER = ("VK_", "CUDA_VISIBLE", "HIP_VISIBLE", "ROCR_VISIBLE", "GGML_VK")


class Verdicts(msgspec.Struct, frozen=True, kw_only=True):
    """cards: how loading the cards' back ends went, with the mark of what was tried.

    needs_plain: the mark of the engine and processor with which only the plainest variant works.
    """

    cards: CardsVerdict = ""
    cards_mark: str = ""
    needs_plain: str = ""


def load_verdicts(path: Path) -> Verdicts:
    """Nothing is remembered where the file is missing or spoilt."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Verdicts)
    except (OSError, msgspec.DecodeError):
        return Verdicts()


def save_verdicts(path: Path, verdicts: Verdicts) -> None:
    """Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, msgspec.json.encode(verdicts))


def cards_mark(environment: Mapping[str, str]) -> str:
    """Another one for another engine, pack, driver, kernel, or choice among drivers."""
    packs = [Path(pack) for pack in environment.get(PACKS_VARIABLE, "").split(os.pathsep) if pack]
    chosen = sorted(f"{name}={value}" for name, value in environment.items() if name.startswith(_CHOICE_OF_DRIVER))
    return _mark(
        [*_engine(environment, packs), *_drivers(environment), platform.release(), platform.version(), *chosen]
    )


def processor_mark(environment: Mapping[str, str]) -> str:
    """Another one for another engine or processor."""
    # Needed once in a while, and starting must be quick.
    from hardware_probe.cpu import parse_cpu, read_cpu

    cpu = parse_cpu(read_cpu())
    return _mark([*_engine(environment, ()), cpu.name, *cpu.instruction_sets])


def _engine(environment: Mapping[str, str], packs: Iterable[Path]) -> Iterator[str]:
    for folder in (engine_libraries(environment), *packs):
        if folder is not None:
            yield str(folder)
            yield from _files(folder)


def _drivers(environment: Mapping[str, str]) -> Iterator[str]:
    if sys.platform == "win32":
        root = Path(environment.get("SYSTEMROOT", "C:/Windows"))
        places = [root / name for name in _WINDOWS_DRIVERS]
    else:
        places = [Path(name) for name in _LINUX_DRIVERS]
    for place in places:
        try:
            if place.is_dir():
                yield from _files(place) if sys.platform != "win32" else (str(place.stat().st_mtime_ns),)
            elif place.suffix == ".dll":
                yield str(place.stat().st_mtime_ns)
            else:
                yield place.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue


def _files(folder: Path) -> Iterator[str]:
    """Names, sizes and times. Of devices the names alone: their times are those of the last start."""
    try:
        for path in sorted(folder.iterdir()):
            if path.is_file():
                found = path.stat()
                yield f"{path.name} {found.st_size} {found.st_mtime_ns}"
            else:
                yield path.name
    except OSError:
        return


def _mark(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
