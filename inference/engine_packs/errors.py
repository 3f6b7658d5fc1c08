"""Errors of engines and packs that the user adds. They carry fields, never sentences.

InferenceError
└── PackProblem
    ├── PackRefused        the archive is not one that may be used here; nothing was changed
    ├── PackMissing        nothing of this name has been added
    ├── PackDamaged        files of the engine or of a pack are not what they were when it was added
    └── PackUnwritable     the disk or the system would not have it
"""

from __future__ import annotations

from dataclasses import dataclass

from inference.errors import InferenceError


class PackProblem(InferenceError):
    """An engine or pack cannot be added, found or removed."""


@dataclass(eq=False)
class PackRefused(PackProblem):
    """The archive is not used, and nothing was changed.

    reason: "address" (a link, not a file), "missing", "format" (no .tar.xz with a manifest first), "manifest",
    "content" (files are not those of the manifest), "system", "version", "ggml", "fixed" (this engine takes no packs).
    found, expected: where the two differ, technical.
    """

    name: str
    reason: str
    found: str = ""
    expected: str = ""


@dataclass(eq=False)
class PackMissing(PackProblem):
    """Nothing of this name has been added; `available` can be named."""

    name: str
    available: tuple[str, ...]


@dataclass(eq=False)
class PackDamaged(PackProblem):
    """Files are missing or not what the manifest says."""

    name: str
    files: tuple[str, ...]


@dataclass(eq=False)
class PackUnwritable(PackProblem):
    """The folder could not be written or removed; reason: the system's own words."""

    path: str
    reason: str
