"""The data folder and the runtime file."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from app import paths
from app.errors import DataFolderUnusable, PortableFolderUnusable


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "数据 folder"
    monkeypatch.setenv(paths.HOME_VARIABLE, str(home))
    return home


def test_everything_is_inside_the_chosen_folder(home: Path) -> None:
    assert paths.prepare_data_folder() == home
    assert paths.models_folder().is_dir()
    assert paths.logs_folder().is_dir()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_without_a_choice_it_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(paths.HOME_VARIABLE)
    assert paths.data_folder().name == "liangli"
    assert paths.data_folder().is_absolute()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installed program, without a choice of the user's."""
    folder = tmp_path / "U 盘 😀" / "liangli"
    folder.mkdir(parents=True)
    monkeypatch.delenv(paths.HOME_VARIABLE)
    monkeypatch.setattr("sys.frozen", True, raising=False)
    monkeypatch.setattr("sys.executable", str(folder / "liangli"))
    return folder


def test_an_installed_program_keeps_nothing_beside_itself_unless_it_is_told_to(installed: Path) -> None:
    assert paths.portable_folder() is None
    assert installed not in paths.data_folder().parents


@pytest.mark.parametrize("mark", ["portable", "data"])
def test_a_portable_program_keeps_everything_beside_itself(installed: Path, mark: str) -> None:
    (installed / mark).mkdir() if mark == "data" else (installed / mark).touch()
    assert paths.prepare_data_folder() == installed / "data"
    assert paths.chats_file().parent == paths.models_folder().parent == installed / "data"


def test_what_the_user_chose_wins_over_portable(installed: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (installed / "portable").touch()
    monkeypatch.setenv(paths.HOME_VARIABLE, str(home))
    assert paths.data_folder() == home


def test_a_portable_program_that_cannot_write_says_so(installed: Path) -> None:
    (installed / "portable").touch()
    (installed / "data").write_text("in the way")
    with pytest.raises(PortableFolderUnusable):
        paths.prepare_data_folder()


def test_a_checkout_is_not_portable(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (installed / "portable").touch()
    monkeypatch.delattr("sys.frozen")
    assert paths.portable_folder() is None


def test_a_file_in_the_way_is_an_error_of_ours(home: Path) -> None:
    home.write_text("in the way")
    with pytest.raises(DataFolderUnusable) as caught:
        paths.prepare_data_folder()
    assert caught.value.path == str(home)


def test_runtime_file_goes_round_and_is_private() -> None:
    paths.prepare_data_folder()
    info = paths.RuntimeInfo(base_url="http://127.0.0.1:11466", token="t0ken", pid=42)
    paths.write_runtime(info)
    assert paths.read_runtime() == info
    assert stat.S_IMODE(paths.runtime_file().stat().st_mode) == 0o600
    paths.remove_runtime(43)
    assert paths.read_runtime() == info
    paths.remove_runtime(42)
    assert paths.read_runtime() is None
    paths.remove_runtime(42)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"base_url": "x"}', b"\xff\xfe", b'{"base_url":1,"token":2,"pid":"x"}']
)
def test_a_spoilt_runtime_file_is_no_service(content: bytes) -> None:
    paths.prepare_data_folder()
    paths.runtime_file().write_bytes(content)
    assert paths.read_runtime() is None


def test_an_interrupted_write_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch) -> None:
    paths.prepare_data_folder()
    first = paths.RuntimeInfo(base_url="http://127.0.0.1:1", token="a", pid=1)
    paths.write_runtime(first)

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("resources.atomic_file.os.fsync", full_disk)
    with pytest.raises(DataFolderUnusable):
        paths.write_runtime(paths.RuntimeInfo(base_url="http://127.0.0.1:2", token="b", pid=2))
    assert paths.read_runtime() == first
    assert list(paths.data_folder().glob(".runtime.json.*")) == []
