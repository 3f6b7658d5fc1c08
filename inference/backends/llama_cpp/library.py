"""Loads the bindings without their high-level half, and installs the log and abort callbacks."""

from __future__ import annotations

import ctypes
import importlib.util
import sys
import types
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inference.backends.llama_cpp.back_ends import load_back_ends, variant_library
from inference.engine_folder import use_engine_folder

LOG_LINES = 50


def _bindings() -> Any:
    """The module llama_cpp.llama_cpp, without running llama_cpp/__init__.py.

    The package's __init__ imports its own chat formats, caches and jinja2 (0.2 s and 20 MB) that are not used here;
    a bare package object in its place lets the submodule load alone (0.03 s).
    """
    if "llama_cpp" not in sys.modules:
        use_engine_folder()
        spec = importlib.util.find_spec("llama_cpp")
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError("llama_cpp")
        package = types.ModuleType("llama_cpp")
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__, package.__file__ = spec, spec.origin
        sys.modules["llama_cpp"] = package
    import llama_cpp.llama_cpp as bindings

    return bindings


lib: Any = _bindings()


def open_library(stem: str) -> ctypes.CDLL | None:
    """A library of llama.cpp as libllama uses it: the `.so.0` name, since a `.so` beside it is a second copy."""
    folder = Path(lib.__file__).parent / "lib"
    for name in (f"lib{stem}.so.0", f"lib{stem}.0.dylib", f"lib{stem}.dylib", f"{stem}.dll"):
        if (folder / name).exists():
            return ctypes.CDLL(str(folder / name))
    return None


def _declare(library: ctypes.CDLL | None, signatures: dict[str, tuple[Any, tuple[Any, ...]]]) -> Any:
    for name, (result, arguments) in signatures.items():
        if (function := getattr(library, name, None)) is not None:
            function.restype, function.argtypes = result, arguments
    return library


_P, _SIZE = ctypes.c_void_p, ctypes.c_size_t
# libggml-base and libggml: the functions that are called here, with their types. None where the file is not found.
base: Any = _declare(
    open_library("ggml-base"),
    {
        "ggml_set_abort_callback": (_P, (_P,)),
        "ggml_log_set": (None, (_P, _P)),
        "ggml_backend_buft_name": (ctypes.c_char_p, (_P,)),
        "ggml_backend_buft_is_host": (ctypes.c_bool, (_P,)),
        "ggml_backend_buft_get_device": (_P, (_P,)),
        "ggml_backend_buft_alloc_buffer": (_P, (_P, _SIZE)),
        "ggml_backend_dev_name": (ctypes.c_char_p, (_P,)),
        "ggml_backend_dev_description": (ctypes.c_char_p, (_P,)),
        "ggml_backend_dev_type": (ctypes.c_int, (_P,)),
        "ggml_backend_dev_buffer_type": (_P, (_P,)),
        "ggml_backend_dev_get_props": (None, (_P, _P)),
        "ggml_version": (ctypes.c_char_p, ()),
        "ggml_op_name": (ctypes.c_char_p, (ctypes.c_int,)),
        "ggml_nbytes": (_SIZE, (_P,)),
        "ggml_nelements": (ctypes.c_int64, (_P,)),
        "ggml_row_size": (_SIZE, (ctypes.c_int, ctypes.c_int64)),
    },
)
ggml: Any = _declare(
    open_library("ggml"),
    {
        "ggml_backend_register": (None, (_P,)),
        "ggml_backend_load": (_P, (ctypes.c_char_p,)),
        "ggml_backend_dev_count": (_SIZE, ()),
        "ggml_backend_dev_get": (_P, (_SIZE,)),
        "ggml_backend_dev_by_type": (_P, (ctypes.c_int,)),
        "ggml_backend_dev_by_name": (_P, (ctypes.c_char_p,)),
    },
)
# Loading back ends is told line by line on standard error, before any callback is there that could take it.
_no_log = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda level, line, data: None)
if hasattr(base, "ggml_log_set"):
    base.ggml_log_set(_no_log, None)
back_ends = load_back_ends(ggml, Path(lib.__file__).parent / "lib")


def processor_library() -> ctypes.CDLL | None:
    """The back end for processors that is in use: the one that is built in, or the variant that was loaded."""
    if not back_ends.separate:
        return open_library("ggml-cpu")
    path = variant_library(Path(lib.__file__).parent / "lib", back_ends.cpu_variant)
    return ctypes.CDLL(str(path)) if path is not None else None


# llama.cpp keeps calling them until the process ends: a collected one would be a jump into freed memory.
_installed: list[Callbacks] = []


class Callbacks:
    """The process-wide callbacks of llama.cpp; each object lives as long as the process."""

    def __init__(self, record_abort: Callable[[bytes], None]) -> None:
        _installed.append(self)
        self._record_abort = record_abort
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._log_callback = lib.llama_log_callback(self._on_log)
        lib.llama_log_set(self._log_callback, ctypes.c_void_p(0))
        self._abort_callback = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(self._on_abort)
        if hasattr(base, "ggml_set_abort_callback"):
            base.ggml_set_abort_callback(self._abort_callback)
        if hasattr(base, "ggml_log_set"):
            base.ggml_log_set(self._log_callback, None)

    def _on_log(self, level: int, text: bytes | None, _: object) -> None:
        # Any thread may log: append and nothing else. Level 2 is info, 3 warning, 4 error, 5 continuation.
        if text and level in (3, 4):
            self.log.append(text.decode("utf-8", "replace").strip())

    def _on_abort(self, text: bytes | None) -> None:
        self._record_abort(text or b"")

    def telling_line(self) -> str:
        """The line of the log that says most about a failure: the first error since the last clear."""
        lines = [line for line in self.log if line]
        for line in lines:
            if "error" in line.lower() or "invalid" in line.lower() or "fail" in line.lower():
                return line
        return lines[-1] if lines else ""
