"""Which engine is in use, without loading it: its version, and whether it knows more than processors."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from inference.backends.llama_cpp.back_ends import BACK_ENDS_VARIABLE, CPU_ONLY, PACKS_VARIABLE, card_libraries
from inference.engine_folder import engine_folder, use_engine_folder

# The version of llama-cpp-python to which the structures of inference.backends.llama_cpp fit.
FITTING_VERSION: Final = "0.3.36"
_PACKAGE = "llama-cpp-python"
# ggml's own libraries and its back ends for processors; every other one is for some accelerator.
_PLAIN = ("ggml-base", "ggml-cpu", "ggml-blas")


def engine_version() -> str:
    """For example "llama-cpp-python 0.3.36". What was measured with one version does not hold for another."""
    folder = engine_folder()
    if folder is not None:
        for found in metadata.distributions(name=_PACKAGE, path=[str(folder)]):
            return f"{_PACKAGE} {found.version}"
    return f"{_PACKAGE} {metadata.version(_PACKAGE)}"


def engine_libraries(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of the engine's libraries; None where it cannot be told."""
    folder = engine_folder(environment)
    if folder is not None:
        return folder / "llama_cpp" / "lib"
    use_engine_folder()
    package = importlib.util.find_spec("llama_cpp")
    folders = package.submodule_search_locations if package is not None else None
    return Path(folders[0]) / "lib" if folders else None


def has_accelerator_back_end(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a library of a back end for accelerators lies beside the engine's or in a pack, and is to be loaded.

    True where nothing can be told.
    """
    if environment.get(BACK_ENDS_VARIABLE) == CPU_ONLY:
        return False
    packs = [Path(pack) for pack in environment.get(PACKS_VARIABLE, "").split(os.pathsep) if pack]
    if card_libraries(packs):
        return True
    libraries = engine_libraries(environment)
    if libraries is None:
        return True
    names = [file.name.removeprefix("lib") for file in libraries.glob("*ggml-*")]
    return not names or any(not name.startswith(_PLAIN) for name in names)
