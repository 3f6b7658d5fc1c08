from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import AlreadyRunning, DataFolderUnusable
from app.paths import RuntimeInfo, write_runtime
from app.service.lock import ServiceLock
from app.service.token import kept_token


def test_only_one_holds_it_and_the_other_learns_who(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANGLI_HOME", str(tmp_path))
    write_runtime(RuntimeInfo(base_url="http://127.0.0.1:5", token="t", pid=77))
    first, second = ServiceLock(tmp_path / "lock"), ServiceLock(tmp_path / "lock")
    first.take()
    with pytest.raises(AlreadyRunning) as error:
        second.take()
    assert (error.value.pid, error.value.address) == (77, "http://127.0.0.1:5")
    first.release()
    second.take()
    second.release()


def test_a_folder_that_cannot_hold_it(tmp_path: Path) -> None:
    with pytest.raises(DataFolderUnusable):
        ServiceLock(tmp_path / "missing" / "lock").take()


def test_the_token_is_kept_and_private(tmp_path: Path) -> None:
    token = kept_token(tmp_path)
    assert len(token) >= 32
    (tmp_path / "token").chmod(0o644)
    assert kept_token(tmp_path) == token
    assert (tmp_path / "token").stat().st_mode & 0o077 == 0
    (tmp_path / "token").write_text("short")
    assert len(kept_token(tmp_path)) >= 32
