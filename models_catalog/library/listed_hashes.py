"""The list of hashes that comes with a folder of models, as on a USB disk: what it says, and whether that is so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from models_catalog.errors import ModelDamaged, ModelFileMissing, ModelFileUnreadable
from models_catalog.library.files import is_model, parts
from models_catalog.library.work import Work, sha256_of

NAME = "SHA256SUMS"
_MAX_BYTES = 4 * 1024 * 1024
# As sha256sum writes it; "*" stands before files that were read as binary ones.
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](?:\./)?(\S.*)")


def listed_hashes(folder: Path) -> dict[Path, str]:
    """By path, the sha256 of each GGUF file that the folder's SHA256SUMS names, or the one of the folder above it.

    Empty where there is no list that can be read. Names that lead out of the list's folder are left out.
    """
    for place in (folder, folder.parent):
        try:
            with (place / NAME).open("rb") as file:
                content = file.read(_MAX_BYTES)
        except OSError:
            continue
        return read_list(content.decode("utf-8", errors="replace"), place)
    return {}


def read_list(text: str, place: Path) -> dict[Path, str]:
    """The hashes of GGUF files by path, of a list that lies in the folder `place`. Pure."""
    found: dict[Path, str] = {}
    for line in text.split("\n"):
        match = _LINE.fullmatch(line.removesuffix("\r"))
        if match is None or "\\" in match[2] or "\0" in match[2]:
            continue
        name = PurePosixPath(match[2])
        if name.suffix.lower() == ".gguf" and not name.is_absolute() and ".." not in name.parts:
            found[place.joinpath(*name.parts)] = match[1].lower()
    return found


def missing_models(folder: Path, listed: Mapping[Path, str]) -> list[Path]:
    """Models below the folder that the list names and that are not there."""
    return [path for path in listed if is_model(path) and path.is_relative_to(folder) and not path.is_file()]


def check_listed(path: Path, listed: Mapping[Path, str]) -> dict[Path, str]:
    """The hashes of a model's files that are listed, after all of them were read.

    Raises ModelDamaged, ModelFileMissing and ModelFileUnreadable, with the file's own path.
    """
    found: dict[Path, str] = {}
    for file in parts(path):
        if (expected := listed.get(file)) is None:
            continue
        try:
            found[file] = sha256_of(file, Work())
        except FileNotFoundError as error:
            raise ModelFileMissing(path=str(file)) from error
        except OSError as error:
            raise ModelFileUnreadable(path=str(file), problem=error.strerror or str(error)) from error
        if found[file] != expected:
            raise ModelDamaged(path=str(file), expected_sha256=expected, sha256=found[file])
    return found
