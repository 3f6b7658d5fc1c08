"""SHA256SUMS: the hashes of everything that is given to users, as `sha256sum --check` reads them."""

from __future__ import annotations

from pathlib import Path

from installers.manifest import file_hash

NAME = "SHA256SUMS"


def write_checksums(folder: Path) -> Path:
    """Hash all files that lie in the folder itself; a list of before is replaced."""
    lines = [
        f"{file_hash(path)}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != NAME and not path.name.startswith(".")
    ]
    (folder / NAME).write_text("".join(lines), encoding="utf-8", newline="\n")
    return folder / NAME
