"""The virtual environment that packages are made in: exactly the versions in packaging/requirements.txt."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from installers.places import BUILD, PACKAGING, run

REQUIREMENTS = PACKAGING / "requirements.txt"

_PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")
# Numpy's published wheels bring a library for linear algebra, 28 MB that the app never calls.
_NUMPY_WITHOUT_BLAS = ("allow-noblas=true", "blas=none", "lapack=none", "cpu-dispatch=none")


def build_python() -> Path:
    """Its Python. The environment is made anew when the requirements or the Python changed."""
    folder = BUILD / "environment"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = folder / "made-for"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != wanted:
        run(sys.executable, "-m", "venv", "--clear", folder)
        run(python, *_PIP, "install", "--requirement", REQUIREMENTS)
        if sys.platform == "linux":
            run(python, *_PIP, "install", "--no-deps", "--force-reinstall", _numpy_without_blas(python))
        stamp.write_text(wanted, encoding="ascii")
    return python


def _numpy_without_blas(python: Path) -> Path:
    """A wheel of the version in the requirements, compiled once: some minutes."""
    found = re.search(r"^numpy==(\S+)$", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit(f"{REQUIREMENTS} names no numpy")
    wheels, pattern = BUILD / "wheels", f"numpy-{found[1]}-*.whl"
    if not list(wheels.glob(pattern)):
        options = [f"--config-settings=setup-args=-D{option}" for option in _NUMPY_WITHOUT_BLAS]
        run(
            *(python, *_PIP, "wheel", "--no-deps", "--no-binary", "numpy", "--no-cache-dir", "--wheel-dir", wheels),
            *(f"numpy=={found[1]}", *options),
            environment={"PYTHONHASHSEED": "0"},
        )
    return next(wheels.glob(pattern))
