"""The caches of the hubs' own Python packages: Hugging Face's, and ModelScope's old and new ones.

Hugging Face: `models--OWNER--NAME/snapshots/COMMIT/FILE`, a link to `blobs/HASH`, which for large files is the sha256
(https://huggingface.co/docs/huggingface_hub/guides/manage-cache). ModelScope: `OWNER/NAME/FILE`, dots in the name
written `___`; its newer package keeps the form of Hugging Face's.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from models_catalog.library.elsewhere.surroundings import Surroundings
from models_catalog.library.files import files_below, is_model
from models_catalog.library.values import Found, Place, PlaceKey

_SHA256 = re.compile(r"[0-9a-f]{64}")
# Folders of ModelScope's cache that may hold a very great many files, and no model.
_NO_MODELS = frozenset({"datasets", "ast_indexer"})


def huggingface(surroundings: Surroundings) -> tuple[Place, ...]:
    """The one cache that huggingface-hub would use."""
    home = surroundings.named("HF_HOME")
    chosen = (
        surroundings.named("HF_HUB_CACHE")
        or surroundings.named("HUGGINGFACE_HUB_CACHE")
        or (None if home is None else home / "hub")
    )
    if chosen is not None:
        return (Place(key="huggingface", root=chosen, find=_snapshots),)
    usual = surroundings.user_cache / "huggingface" / "hub"
    return (Place(key="huggingface", root=usual, find=_snapshots, lasting=False),)


def modelscope(surroundings: Surroundings) -> tuple[Place, ...]:
    """The folder below which every version of the package keeps its models."""
    chosen = surroundings.named("MODELSCOPE_CACHE")
    key: PlaceKey = "modelscope"
    if chosen is not None:
        return (Place(key=key, root=chosen, find=_modelscope_files),)
    root = surroundings.home / ".cache" / "modelscope"
    return (Place(key=key, root=root, find=_modelscope_files, lasting=False),)


def _snapshots(root: Path) -> Iterator[Found]:
    with contextlib.suppress(OSError):
        for repository in sorted(root.glob("models--*--*")):
            yield from _of_repository(repository)


def _of_repository(repository: Path) -> Iterator[Found]:
    origin = "/".join(repository.name.split("--", 2)[1:])
    commits = [(folder.stat().st_mtime_ns, folder) for folder in (repository / "snapshots").glob("*")]
    # Several commits share their unchanged files: the newest names them.
    for _, commit in sorted(commits, reverse=True):
        for path in files_below(commit):
            if is_model(path) and path.exists():
                blob = path.resolve().name
                yield Found(path=path, origin=origin, sha256=blob if _SHA256.fullmatch(blob) else "")


def _modelscope_files(root: Path) -> Iterator[Found]:
    for folder in (root, root / "hub"):
        yield from _snapshots(folder)
    for path in files_below(root, without=_NO_MODELS):
        if is_model(path) and not any(part.startswith("models--") for part in path.relative_to(root).parts):
            yield Found(path=path, origin=_modelscope_origin(path.relative_to(root).parent.parts))


def _modelscope_origin(folders: tuple[str, ...]) -> str:
    while folders and folders[0] in ("hub", "models"):
        folders = folders[1:]
    return "/".join(folders[:2]).replace("___", ".") if len(folders) >= 2 else ""
