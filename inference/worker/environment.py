"""The environment of an engine child: what drivers and the C library need, nothing that is private. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_NAMES = frozenset(
    {
        "PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "TMPDIR",
        "TEMP",
        "TMP",
        "LD_LIBRARY_PATH",
        # Where Vulkan looks for its drivers.
        "XDG_DATA_DIRS",
        "DYLD_LIBRARY_PATH",
        # Windows: system libraries and the folder of the drivers' shader caches.
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "USERPROFILE",
        "LOCALAPPDATA",
        "PROGRAMDATA",
        "NUMBER_OF_PROCESSORS",
        "PROCESSOR_ARCHITECTURE",
        # Which engine, and which of its back ends: see inference.engine_folder and backends.llama_cpp.back_ends.
        "LIANGLI_ENGINE",
        "LIANGLI_BACK_ENDS",
        "LIANGLI_CPU_VARIANT",
        "LIANGLI_ENGINE_PACKS",
    }
)
# "VK_": which of several Vulkan drivers the user wants.
_PREFIXES = ("LC_", "VK_", "CUDA_", "HIP_", "ROCR_", "HSA_", "GGML_", "OMP_", "GOMP_", "KMP_")

# Threads that spin at a barrier starve each other beside any other busy program: with these the quiet speed is kept and
# half of the contended tail goes (measured on 2 cores). They must stand before the OpenMP library is loaded.
_THREADS = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "0"}
# numpy's BLAS, which the engine does not use, would take a thread and tens of megabytes of the fence for each core.
_NO_BLAS = {"OPENBLAS_NUM_THREADS": "1"}
# Otherwise an abort forks a debugger for seconds and prints paths.
_ALWAYS = {"GGML_NO_BACKTRACE": "1"}


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The allowed part of the service's own environment, with the settings for the engine's threads added."""
    allowed = {name: value for name, value in environment.items() if _is_allowed(name.upper())}
    return _THREADS | allowed | _NO_BLAS | _ALWAYS


def _is_allowed(name: str) -> bool:
    return name in _NAMES or name.startswith(_PREFIXES)
