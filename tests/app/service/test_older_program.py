"""What an older version does with files of a newer one: it refuses in words, or goes without and loses nothing.

The chats' database: chats/test_backup.py. The model index: tests/models_catalog/library/test_index.py.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from app import words
from app.errors import SettingInvalid
from app.planning.experience import Experience
from app.service.downloads.kept_queue import KeptDownload, read_queue, write_queue
from app.service.engines.residuals import ResidualBook
from app.settings import load_settings, save_settings
from app.updates.last_look import LastLook, keep_last_look, read_last_look
from inference.engine_packs.store import PackStore
from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.kept_update import NAME
from models_catalog.library.choices import Choices, read_choices, write_choices

NEWER = {"version": 99, "format": 99, "whatever": [{"is": "new"}]}


def _write(path: Path, content: object = NEWER) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path.read_bytes()


def test_settings_keep_what_they_do_not_know(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('# mine\ntheme = "dark"\nsmell = "roses"\n[window]\nx = 3\n', encoding="utf-8")
    assert load_settings(path).theme == "dark"
    save_settings(path, {"language": "zh"})
    kept = path.read_text(encoding="utf-8")
    assert "# mine" in kept and 'smell = "roses"' in kept and "[window]\nx = 3" in kept and 'language = "zh"' in kept


def test_a_value_of_a_newer_kind_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('theme = "sepia"\n', encoding="utf-8")
    with pytest.raises(SettingInvalid) as error:
        save_settings(path, {"language": "zh"})
    assert (
        "theme" in words.describe_error(error.value, "zh") and path.read_text(encoding="utf-8") == 'theme = "sepia"\n'
    )


def test_models_from_elsewhere_stay_on_record(tmp_path: Path) -> None:
    path = tmp_path / "added_models.json"
    before = _write(path, {"added": [{"path": "/m.gguf"}]})
    assert read_choices(path) == Choices()
    assert path.read_bytes() == before
    write_choices(path, Choices(added=("/n.gguf",)))
    assert path.with_name("added_models.json.unread").read_bytes() == before
    _write(path, {"added": ["/m.gguf"], "hidden": [], "pinned": ["/m.gguf"]})
    write_choices(path, Choices(added=("/m.gguf", "/n.gguf")))
    assert json.loads(path.read_bytes()) == {"added": ["/m.gguf", "/n.gguf"], "hidden": [], "pinned": ["/m.gguf"]}
    _write(path, {"added": 1})
    write_choices(path, Choices())
    assert path.with_name("added_models.json.unread-2").exists()
    assert path.with_name("added_models.json.unread").read_bytes() == before


@pytest.mark.parametrize("content", [NEWER, {"format": 2, "downloads": []}])
def test_the_queue_of_downloads_is_kept_beside(tmp_path: Path, content: object) -> None:
    path = tmp_path / "downloads.json"
    before = _write(path, content)
    assert read_queue(path) == () and path.read_bytes() == before
    mine = (KeptDownload(id="1", model="m", name="m", quantization=""),)
    write_queue(path, mine)
    write_queue(path, mine)
    assert read_queue(path) == mine
    assert [one.read_bytes() for one in tmp_path.glob("*.unread*")] == [before]


def test_the_catalogue_falls_back_to_the_built_in_one(tmp_path: Path) -> None:
    body = json.dumps(NEWER).encode()
    update = tmp_path / NAME
    update.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    own = tmp_path / "mine.toml"
    own.write_text('schema = 99\n[whatever]\nis = "new"\n', encoding="utf-8")
    before = (update.read_bytes(), own.read_bytes())
    ready = KeptIndex(tmp_path).get()
    assert ready.index.models and not ready.updated
    assert {Path(problem.path).name for problem in ready.problems} == {NAME, "mine.toml"}
    assert (update.read_bytes(), own.read_bytes()) == before


def test_caches_are_begun_anew(tmp_path: Path) -> None:
    for name in ("calibration.json", "learned.json", "residuals.json"):
        _write(tmp_path / name)
    assert Experience(tmp_path).calibration("a processor") is None
    assert ResidualBook(tmp_path / "residuals.json").of("qwen2").device_bytes == {}
    look = LastLook(checked_at=1.0, serial=3, version="0.2.0")
    _write(tmp_path / "look.json", {"serial": "of another kind"})
    assert read_last_look(tmp_path / "look.json") == LastLook()
    keep_last_look(tmp_path / "look.json", look)
    assert read_last_look(tmp_path / "look.json") == look


def test_engines_and_packs_of_another_format_are_left_alone(tmp_path: Path) -> None:
    manifest = tmp_path / "engine_packs" / "9.9.9" / "cuda" / "manifest.json"
    before = _write(manifest)
    assert PackStore(tmp_path).installed() == []
    assert manifest.read_bytes() == before
