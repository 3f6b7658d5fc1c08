"""Settings: defaults, checks, and a file that keeps what the user wrote."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from app import settings
from app.errors import SettingInvalid
from app.settings import Settings, as_values, changed, load_settings, save_settings

HAND_WRITTEN = """\
# 我的设置
port = 4000   # fixed for my editor

[plugins]     # of a later version
colour = "blue"
"""


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml") == Settings()


def test_every_setting_has_a_rule_that_takes_its_default() -> None:
    assert {field.name for field in fields(Settings)} == set(settings._RULES)
    assert changed(Settings(), as_values(Settings())) == Settings()


def test_comments_and_unknown_keys_survive(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(HAND_WRITTEN, encoding="utf-8")
    saved = save_settings(path, {"language": "zh", "allowed_origins": ["https://example.org/"], "port": 4001})
    assert saved == Settings(language="zh", port=4001, allowed_origins=("https://example.org",))
    assert load_settings(path) == saved
    written = path.read_text(encoding="utf-8")
    for kept in ("# 我的设置", "# fixed for my editor", '[plugins]     # of a later version\ncolour = "blue"'):
        assert kept in written


def test_a_file_appears_with_the_first_change(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "settings.toml"
    save_settings(path, {"theme": "dark"})
    assert path.read_text(encoding="utf-8") == 'theme = "dark"\n'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", "fr"),
        ("language", ["zh"]),
        ("theme", 1),
        ("port", 70_000),
        ("port", -1),
        ("port", True),
        ("port", "80"),
        ("allowed_origins", "https://example.org"),
        ("allowed_origins", ["*"]),
        ("allowed_origins", [1]),
        ("default_model", 3),
        ("default_model", "a\nb"),
        ("context_tokens", 0.5),
        ("no_such_setting", 1),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_written(tmp_path: Path, name: str, value: Any) -> None:
    path = tmp_path / "settings.toml"
    with pytest.raises(SettingInvalid) as caught:
        save_settings(path, {"theme": "dark", name: value})
    assert caught.value.name == name
    assert not path.exists()


@pytest.mark.parametrize("content", [b"port = ", b"port = 'x'", b"\xff"])
def test_a_spoilt_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(SettingInvalid):
        load_settings(path)
    with pytest.raises(SettingInvalid):
        save_settings(path, {"theme": "dark"})
    assert path.read_bytes() == content
