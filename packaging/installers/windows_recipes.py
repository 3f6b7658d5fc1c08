"""Proves on Linux that the recipes for Windows still make packages, with stand-ins for the programs."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from installers.icons import build_icons
from installers.msi import build_msi
from installers.windows import PROGRAM, WINDOW, build_setup

_KINDS = (None, "amd64-unicode")


def check_recipes() -> None:
    """Makes the setup in both of NSIS's kinds and the MSI. Raises SystemExit where a tool refuses or is not there."""
    icon = build_icons() / "liangli.ico"
    with tempfile.TemporaryDirectory() as folder:
        payload, target = stand_in(Path(folder) / "payload"), Path(folder) / "dist"
        for kind in _KINDS:
            build_setup(payload, icon, folder=target, target=kind)
        build_msi(payload, folder=target)
        for path in sorted(target.iterdir()):
            print(f"{path.name}: {path.stat().st_size} bytes")


def stand_in(folder: Path) -> Path:
    """A folder like the frozen program's, with programs that are none."""
    shutil.rmtree(folder, ignore_errors=True)
    resources = folder / "_internal" / "resources"
    resources.mkdir(parents=True)
    (folder / "licenses" / "Liangli").mkdir(parents=True)
    for path in (folder / PROGRAM, folder / WINDOW, folder / "_internal" / "python3.dll"):
        path.write_bytes(b"MZ")
    for path in (folder / "THIRD-PARTY-NOTICES.txt", resources / "a name.toml", folder / "licenses/Liangli/LICENSE"):
        path.write_text("text\n", encoding="utf-8")
    (folder / "sbom.cdx.json").write_text("{}\n", encoding="utf-8")
    return folder
