"""What a kit has to say of its models: which they are, whether they are whole, and under which licence they come."""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installers.manifest import file_hash
from installers.places import ROOT

_LICENCE_NAMES = re.compile(r"(licen[cs]e|notice|copying)([-._].*)?", re.IGNORECASE)
# The one licence whose text is the same for everybody who uses it.
_APACHE = "apache-2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class KitModel:
    """licence: its id. texts: files with its text. licence_name, terms: as in resources/licences.toml."""

    file: Path
    name: str
    publisher: str
    page: str
    sha256: str
    licence: str
    licence_name: str
    terms_zh: str
    terms_en: str
    texts: tuple[Path, ...]


def kit_model(file: Path) -> KitModel:
    """Reads the whole file. Raises SystemExit for one that is no model, is not what it says, or has no licence text."""
    if not file.is_file() or file.suffix.lower() != ".gguf":
        raise SystemExit(f"{file} is no .gguf file")
    sha256 = file_hash(file)
    starters = _table("starter.toml")["starter"]
    starter = next((one for one in starters if one["sha256"] == sha256), None)
    if starter is None and any(one["file"] == file.name for one in starters):
        raise SystemExit(f"{file} has the name of a starter model, but is damaged or another file")
    if starter is not None:
        page = next(
            f"https://huggingface.co/{one['repository']}" for one in starter["sources"] if one["kind"] == "huggingface"
        )
        told = (starter["name"]["en"], starter["publisher"], page, starter["licence"])
    else:
        told = _told_by_header(file)
    name, publisher, page, licence = told
    licences = _table("licences.toml")
    known = licences.get(licence.lower(), licences["unknown"])
    return KitModel(
        file=file,
        name=name,
        publisher=publisher,
        page=page,
        sha256=sha256,
        licence=licence,
        licence_name=known["name"]["en"] if known is not licences["unknown"] else licence or known["name"]["en"],
        terms_zh=known["terms"]["zh"],
        terms_en=known["terms"]["en"],
        texts=_texts(file, licence),
    )


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "resources" / name).read_text(encoding="utf-8"))


def _told_by_header(file: Path) -> tuple[str, str, str, str]:
    """Name, publisher, page and licence, as the file itself says."""
    sys.path.insert(0, str(ROOT))
    try:
        from models_catalog.errors import ModelFileRefused
        from models_catalog.gguf.header import read_header
    finally:
        sys.path.remove(str(ROOT))
    try:
        header = read_header(file)
    except ModelFileRefused as error:
        raise SystemExit(f"{file} cannot be used: {type(error).__name__}") from error

    page = header.text("general.source.url") or header.text("general.url") or ""
    return header.name, header.text("general.organization") or "", page, header.licence or ""


def _texts(file: Path, licence: str) -> tuple[Path, ...]:
    """The publisher's own files beside the model; of Apache 2.0 the common text."""
    beside = tuple(
        path for path in sorted(file.parent.iterdir()) if path.is_file() and _LICENCE_NAMES.fullmatch(path.name)
    )
    if licence.lower() == _APACHE:
        return beside or (ROOT / "LICENSE",)
    if not beside:
        raise SystemExit(
            f"{file.name} is under the licence {licence or 'unknown'!r}, whose text has to go with it: put the "
            "publisher's LICENSE file beside the model"
        )
    return beside
