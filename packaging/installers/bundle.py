"""The frozen program: one folder with everything but what the system brings, the engine in it as plain files."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from installers.components import components_of
from installers.engine import build_engine
from installers.environment import build_python
from installers.icons import build_icons
from installers.notices import write_notices
from installers.places import BUILD, PACKAGING, ROOT, run, source_date
from installers.sbom import write_sbom

# PyInstaller's folder for all but the program.
CONTENTS = "_internal"
_MOST_BYTES = 230_000_000


def build_bundle(*, vulkan: bool) -> Path:
    """The folder, made anew. It holds the program `liangli` and, in `_internal/engine`, the engine."""
    engine = build_engine(vulkan=vulkan)
    python = build_python()
    if sys.platform != "linux":
        build_icons()
    folder = BUILD / "bundle"
    run(
        *(python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"),
        *("--distpath", folder, "--workpath", BUILD / "pyinstaller", PACKAGING / "liangli.spec"),
        environment={
            "PYTHONPATH": str(ROOT),
            # Sets have the same order in every build.
            "PYTHONHASHSEED": "0",
            "SOURCE_DATE_EPOCH": str(source_date()),
        },
        folder=ROOT,
    )
    program = folder / "liangli"
    shutil.copytree(engine, program / CONTENTS / "engine", symlinks=True)
    _forget_python_caches(program)
    if sys.platform == "linux":
        _strip_python(program)
    components = components_of(program)
    write_notices(components, program)
    write_sbom(components, program)
    size = sum(path.lstat().st_size for path in program.rglob("*") if not path.is_dir())
    print(f"{program}: {size / 1e6:.0f} MB")
    if size > _MOST_BYTES:
        raise SystemExit(f"the program is larger than {_MOST_BYTES / 1e6:.0f} MB")
    return program


def _strip_python(program: Path) -> None:
    """Only what is known to bear it: stripping some wheels' libraries breaks them."""
    libraries = [*program.glob(f"{CONTENTS}/libpython3*.so*"), *program.glob(f"{CONTENTS}/python3*/lib-dynload/*.so")]
    run("strip", "--strip-unneeded", *sorted(libraries))


def _forget_python_caches(program: Path) -> None:
    for folder in [path for path in program.rglob("__pycache__") if path.is_dir()]:
        shutil.rmtree(folder)
