"""Builds the engine once for all processors: every CPU variant, and the Vulkan back end, as libraries of their own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

from installers.environment import build_python
from installers.manifest import write_manifest
from installers.places import BUILD, ROOT, run, system

PACKAGE = "llama-cpp-python"
_CMAKE = (
    "-DGGML_NATIVE=OFF",
    "-DGGML_BACKEND_DL=ON",
    "-DGGML_CPU_ALL_VARIANTS=ON",
    "-DCMAKE_BUILD_TYPE=Release",
)
# On a Mac ggml's own libraries are one, with Metal inside: there is nothing to choose at start.
_CMAKE_MACOS = ("-DGGML_NATIVE=OFF", "-DGGML_METAL=ON", "-DGGML_METAL_EMBED_LIBRARY=ON", "-DCMAKE_BUILD_TYPE=Release")


def build_engine(*, vulkan: bool) -> Path:
    """The engine's folder: `llama_cpp` with its libraries, the package's metadata and a manifest. Kept once built."""
    python = build_python()
    wanted = engine_version()
    options = _CMAKE_MACOS if sys.platform == "darwin" else _CMAKE
    key = hashlib.sha256(repr((wanted, options, vulkan, system())).encode()).hexdigest()[:12]
    folder = BUILD / "engine" / key
    if (folder / "manifest.json").is_file():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    source = _source(python, wanted)
    wheel = _wheel(python, source, options)
    _unpack(wheel, folder)
    if vulkan and sys.platform != "darwin":
        shutil.copy2(build_vulkan(source), folder / "llama_cpp" / "lib")
    _strip(folder)
    write_manifest(folder, kind="engine", name=PACKAGE, version=wanted, ggml=ggml_version(source), system=system())
    return folder


def build_vulkan(source: Path) -> Path:
    """The library of the Vulkan back end, for the very ggml in `source`. Needs glslc and the Vulkan headers."""
    build = BUILD / "vulkan"
    run(
        *("cmake", "-S", source / "vendor" / "llama.cpp", "-B", build, "-G", "Ninja"),
        *("-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON", "-DGGML_BACKEND_DL=ON", "-DGGML_VULKAN=ON"),
        *("-DGGML_NATIVE=OFF", "-DGGML_CPU=OFF", "-DLLAMA_CURL=OFF", "-DLLAMA_BUILD_COMMON=OFF"),
        *(f"-DCMAKE_C_FLAGS={_flags(source)}", f"-DCMAKE_CXX_FLAGS={_flags(source)}"),
        environment=_FIXED,
    )
    run("cmake", "--build", build, "--target", "ggml-vulkan", environment=_FIXED)
    return next(path for path in sorted(build.rglob("*ggml-vulkan*")) if path.suffix in (".so", ".dll"))


def ggml_version(source: Path) -> str:
    """ "0.25.3": packs of other back ends have to be of the very same."""
    text = (source / "vendor" / "llama.cpp" / "ggml" / "CMakeLists.txt").read_text(encoding="utf-8")
    parts = [re.search(rf"GGML_VERSION_{part} (\d+)", text) for part in ("MAJOR", "MINOR", "PATCH")]
    return ".".join(part[1] for part in parts if part)


# The same bytes from every build: no host name, time or random order in them.
_FIXED = {"LC_ALL": "C", "TZ": "UTC", "ZERO_AR_DATE": "1"}


def engine_version() -> str:
    """The version that pyproject.toml pins, to which the app's own structures fit."""
    found = re.search(rf'"{PACKAGE}==([^"]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"pyproject.toml pins no {PACKAGE}")
    return found[1]


def engine_source(wanted: str) -> Path:
    """The unpacked source package of that version, fetched when it is not here."""
    return _source(build_python(), wanted)


def _source(python: Path, wanted: str) -> Path:
    """The unpacked source package, at a path that does not change from build to build."""
    folder = BUILD / "engine" / f"source-{wanted}"
    if (folder / "pyproject.toml").is_file():
        return folder
    archives = BUILD / "engine" / "archives"
    packed = archives / f"{PACKAGE.replace('-', '_')}-{wanted}.tar.gz"
    if not packed.is_file():
        run(
            *(python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", archives),
            f"{PACKAGE}=={wanted}",
        )
    unpacked = folder.with_suffix(".unpacking")
    shutil.rmtree(unpacked, ignore_errors=True)
    with tarfile.open(packed) as archive:
        archive.extractall(unpacked, filter="data")
    (unpacked / packed.name.removesuffix(".tar.gz")).rename(folder)
    unpacked.rmdir()
    return folder


def _wheel(python: Path, source: Path, options: tuple[str, ...]) -> Path:
    wheels, objects = BUILD / "engine" / "wheels", BUILD / "engine" / "objects"
    shutil.rmtree(wheels, ignore_errors=True)
    flags = _flags(source)
    arguments = [*options, f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}"]
    run(
        *(python, "-m", "pip", "wheel", "--no-deps", "--no-cache-dir", "--wheel-dir", wheels),
        *("--config-settings", f"build-dir={objects.as_posix()}", source),
        environment=_FIXED | {"CMAKE_ARGS": " ".join(arguments), "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count())},
    )
    return next(wheels.glob("*.whl"))


def _flags(source: Path) -> str:
    # Assertions name their source file: without this, by its path on the computer that built it.
    return "" if sys.platform == "win32" else f"-ffile-prefix-map={source}=engine"


def _unpack(wheel: Path, folder: Path) -> None:
    """The wheel without what is in it several times: each library once, under the name that others link to."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            parts = Path(name).parts
            if parts[0] == "llama_cpp" and (parts[1] == "server" or name.endswith((".cmake", ".h"))):
                continue
            if parts[0] == "llama_cpp" or name.endswith(".dist-info/METADATA"):
                archive.extract(name, folder)
            elif parts[0] == "bin" and parts[-1].startswith(("libggml-cpu-", "ggml-cpu-")):
                library = folder / "llama_cpp" / "lib" / parts[-1]
                library.parent.mkdir(parents=True, exist_ok=True)
                library.write_bytes(archive.read(name))
    if sys.platform == "linux":
        _link_once(folder / "llama_cpp" / "lib")


def _link_once(folder: Path) -> None:
    """Keeps `libX.so.0`, and for what the binding opens by the name `libX.so` a link to it.

    Two copies of libggml in one process would each have a list of devices of its own.
    """
    for path in sorted(folder.glob("*.so.*.*")):
        path.unlink()
    for path in sorted(folder.glob("*.so.*")):
        bare = folder / path.name[: path.name.index(".so") + 3]
        bare.unlink(missing_ok=True)
        bare.symlink_to(path.name)


def _strip(folder: Path) -> None:
    if sys.platform == "linux":
        run("strip", "--strip-unneeded", *sorted(p for p in folder.rglob("*.so*") if not p.is_symlink()))
