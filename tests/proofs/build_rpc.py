"""Builds ggml's RPC back end as a plug-in for the installed wheel: `python -m tests.proofs.build_rpc SOURCE OUT`.

SOURCE: llama.cpp as llama-cpp-python's source package carries it (vendor/llama.cpp), the very version that is
installed. OUT: a folder for the build; the library's path is printed at the end. Needs cmake, ninja and a C++ compiler,
and about a minute.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DGGML_BACKEND_DL=ON",
    "-DGGML_NATIVE=OFF",
    "-DGGML_CPU=OFF",
    "-DGGML_RPC=ON",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_BUILD_SERVER=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_TOOLS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
)


def main() -> int:
    """See the module."""
    source, out = map(Path, sys.argv[1:])
    nice = ("nice", "-n", "10")
    subprocess.run([*nice, "cmake", "-G", "Ninja", "-S", source, "-B", out, *_OPTIONS], check=True)
    subprocess.run([*nice, "cmake", "--build", out, "--target", "ggml-rpc", "-j", "1"], check=True)
    print(next(out.rglob("libggml-rpc.so")).resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
