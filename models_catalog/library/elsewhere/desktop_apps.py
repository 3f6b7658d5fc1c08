"""Models of other desktop programs: LM Studio's folder of publishers and repositories, and Jan's described ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from models_catalog.library.elsewhere.surroundings import Surroundings
from models_catalog.library.files import files_below, is_model
from models_catalog.library.values import Found, Place

_SETTING = re.compile(r"""^(model_path|name|model_sha256)\s*:\s*(["']?)(.*?)\2\s*$""", re.MULTILINE)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def lm_studio(surroundings: Surroundings) -> tuple[Place, ...]:
    """LM Studio's home is named by a pointer file, else one of two; its settings may name another models folder."""
    home = _pointed_to(surroundings.home / ".lmstudio-home-pointer")
    if home is None:
        old = surroundings.user_cache / "lm-studio"
        home = old if old.is_dir() else surroundings.home / ".lmstudio"
    chosen = _json(home / "settings.json").get("downloadsFolder")
    if isinstance(chosen, str) and chosen and Path(chosen) != home / "models":
        return (Place(key="lm-studio", root=Path(chosen), find=_lm_studio_files),)
    return (Place(key="lm-studio", root=home / "models", find=_lm_studio_files, lasting=False),)


def _lm_studio_files(root: Path) -> Iterator[Found]:
    for path in files_below(root):
        if is_model(path):
            folders = path.relative_to(root).parent.parts
            yield Found(path=path, origin="/".join(folders[:2]) if len(folders) >= 2 else "")


def jan(surroundings: Surroundings) -> tuple[Place, ...]:
    """Jan's data folder: named in the environment or in its settings, else the usual one."""
    own = surroundings.user_data / "Jan"
    usual = own / "data"
    said = _json(own / "settings.json").get("data_folder")
    chosen = surroundings.named("JAN_DATA_FOLDER") or (Path(said) if isinstance(said, str) and said else usual)
    return (Place(key="jan", root=chosen, find=_jan_models, lasting=chosen != usual),)


def _jan_models(root: Path) -> Iterator[Found]:
    """`llamacpp/models/ID/model.yml` names the file, which may lie anywhere; inside it is always called model.gguf."""
    for description in sorted((root / "llamacpp" / "models").rglob("model.yml")):
        try:
            said = {key: value for key, _, value in _SETTING.findall(description.read_text(encoding="utf-8"))}
        except (OSError, UnicodeDecodeError):
            continue
        path = root / said["model_path"] if said.get("model_path") else None
        if path is not None and path.is_file():
            name = said.get("name") or description.parent.name
            sha256 = said.get("model_sha256", "")
            yield Found(path=path, name=name, origin=name, sha256=sha256 if _SHA256.fullmatch(sha256) else "")


def _pointed_to(pointer: Path) -> Path | None:
    try:
        target = pointer.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return Path(target) if target else None


def _json(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return {}
