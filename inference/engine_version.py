"""Which engine is installed, without loading it: its version, and whether it knows more than processors."""

from __future__ import annotations

import importlib.util
from importlib import metadata
from pathlib import Path

from inference.engine_folder import use_engine_folder

# ggml's own libraries and its back ends for processors; every other one is for some accelerator.
_PLAIN = ("ggml-base", "ggml-cpu", "ggml-blas")


def engine_version() -> str:
    """For example "llama-cpp-python 0.3.36". What was measured with one version does not hold for another."""
    use_engine_folder()
    return "llama-cpp-python " + metadata.version("llama-cpp-python")


def has_accelerator_back_end() -> bool:
    """Whether a library of a back end for accelerators lies beside the engine's; True where nothing can be told."""
    use_engine_folder()
    package = importlib.util.find_spec("llama_cpp")
    folders = package.submodule_search_locations if package is not None else None
    if not folders:
        return True
    names = [file.name.removeprefix("lib") for file in (Path(folders[0]) / "lib").glob("*ggml-*")]
    return not names or any(not name.startswith(_PLAIN) for name in names)
