"""The virtual environment that packages are made in: exactly the versions in packaging/requirements.txt."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from installers.places import BUILD, PACKAGING, run

REQUIREMENTS = PACKAGING / "requirements.txt"


def build_python() -> Path:
    """Its Python. The environment is made anew when the requirements or the Python changed."""
    folder = BUILD / "environment"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    stamp = folder / "made-for"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != wanted:
        run(sys.executable, "-m", "venv", "--clear", folder)
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS)
        stamp.write_text(wanted, encoding="ascii")
    return python
