"""Where the engine's binding and libraries are: a folder of the installed package, or wherever Python finds them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from resources.own_program import is_frozen

# A folder that holds the package `llama_cpp` and its metadata; takes the place of the one that came with the program.
ENGINE_VARIABLE: Final = "LIANGLI_ENGINE"


def engine_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The engine's own folder; None where the engine is an installed Python package like any other."""
    if chosen := environment.get(ENGINE_VARIABLE):
        return Path(chosen)
    return Path(getattr(sys, "_MEIPASS", Path(sys.executable).parent)) / "engine" if is_frozen() else None


def use_engine_folder() -> None:
    """Let `import llama_cpp` find the engine of that folder first. May be called more than once."""
    folder = engine_folder()
    if folder is not None and str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
