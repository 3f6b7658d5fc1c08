"""Archives of an engine or of a pack of back ends, as `liangli engine add` takes them."""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from pathlib import Path

from installers.manifest import NAME, write_manifest


def write_pack(
    folder: Path, libraries: list[Path], *, name: str, version: str, ggml: str, system: str, needs: list[str]
) -> None:
    """Make the folder of a pack: these libraries and the manifest."""
    folder.mkdir(parents=True)
    for library in libraries:
        (folder / library.name).write_bytes(library.read_bytes())
    facts = {"kind": "pack", "name": name, "version": version, "ggml": ggml, "system": system}
    write_manifest(folder, **facts, back_ends=[name], needs=needs)


def write_pack_archive(folder: Path, target: Path, *, date: int) -> Path:
    """Pack a folder with a manifest: .tar.xz, its manifest first, then plain files in the order of their names.

    Links are left out (the app makes those that an engine needs), and the form is the plain ustar: all that the app
    reads. The same folder gives the same bytes.
    """
    listed = json.loads((folder / NAME).read_text(encoding="utf-8"))["files"]
    # Not whatever else lies there, such as what Python compiled when the engine was tried.
    files = [folder / NAME, *(folder / path for path in sorted(listed))]
    filters = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 64 << 20}]
    with lzma.open(target, "wb", check=lzma.CHECK_SHA256, filters=filters) as packed:
        with tarfile.open(fileobj=packed, mode="w|", format=tarfile.USTAR_FORMAT) as archive:
            for path in files:
                entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
                entry.size, entry.mtime, entry.mode = path.stat().st_size, date, 0o644
                archive.addfile(entry, io.BytesIO(path.read_bytes()))
    return target
