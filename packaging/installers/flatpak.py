"""The folder that the Flatpak manifest builds from: the program with what a desktop knows it by."""

from __future__ import annotations

import shutil
from pathlib import Path

from installers.integration import ID, integration
from installers.places import BUILD, source_date, version


def prepare_flatpak(bundle: Path, icons: Path) -> Path:
    """`build/flatpak/liangli`, made anew."""
    folder = BUILD / "flatpak" / "liangli"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(bundle, folder, symlinks=True)
    for member in integration("share", icons=icons, version=version(), date=source_date()):
        # Its place is another one for software centres.
        is_description = member.path.startswith("share/metainfo/")
        target = folder / (f"{ID}.metainfo.xml" if is_description else member.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(member.file.read_bytes() if member.file else member.content)
    return folder
