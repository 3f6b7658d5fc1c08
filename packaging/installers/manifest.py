"""The list of an engine's files with their sizes and hashes, which the app checks before it uses them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

FORMAT = 1
NAME = "manifest.json"


def write_manifest(folder: Path, **facts: Any) -> None:
    """Write manifest.json: `facts`, and every file below the folder by its path with "/"."""
    files = {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": file_hash(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.name != NAME
    }
    whole = {"format": FORMAT, **facts, "files": files}
    (folder / NAME).write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def file_hash(path: Path) -> str:
    """SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
