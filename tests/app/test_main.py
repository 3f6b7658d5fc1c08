"""The entry point: exit codes, errors in words, and the way to the window or the terminal."""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import app
from app import main as entry
from app import paths
from app.cli.parser import COMMANDS
from app.errors import ModelMissing, RemoteError


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    for name in ("LIANGLI_DEBUG", "DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


def _ending_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(COMMANDS["ls"], "run", run)


def test_an_error_is_one_readable_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _ending_with(monkeypatch, ModelMissing(model="x", available=("y",)))
    assert entry.main(["ls"]) == 8
    assert capsys.readouterr().err == 'error: There is no model "x" on this computer. Available: y\n'
    assert entry.main(["ls", "--lang", "zh"]) == 8
    assert capsys.readouterr().err == "错误：本机没有名为“x”的模型。现有：y\n"


def test_an_error_of_the_service_has_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    _ending_with(monkeypatch, RemoteError(code="MemoryTooSmall", fields={}, http_status=507))
    assert entry.main(["ls"]) == 11


def test_an_unexpected_error_is_still_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _ending_with(monkeypatch, ZeroDivisionError("two\nlines"))
    assert entry.main(["ls"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "ZeroDivisionError" in said
    monkeypatch.setenv("LIANGLI_DEBUG", "1")
    entry.main(["ls"])
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _ending_with(monkeypatch, KeyboardInterrupt())
    assert entry.main(["ls"]) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_went_away_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "app", "probe", "--json"]
    done = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, cwd=Path(app.__file__).parents[1], check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (entry.CLOSED_PIPE, b"")


def test_the_language_comes_from_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths.settings_file().write_text('language = "zh"\n')
    assert entry.main(["status"]) == 3
    assert capsys.readouterr().out == "服务没有运行。\n"
    paths.settings_file().write_text("language = \n")
    assert entry.main(["status"]) == 3
    assert capsys.readouterr().out == "The service is not running.\n"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_a_display_the_chat_opens_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[argparse.Namespace] = []

    def chat(args: argparse.Namespace) -> int:
        seen.append(args)
        return 7

    monkeypatch.setattr(COMMANDS["chat"], "run", chat)
    assert entry.main(["--yes", "--lang", "zh"]) == 7
    assert "没有图形界面" in capsys.readouterr().err
    assert (seen[0].yes, seen[0].language, seen[0].model) == (True, "zh", None)


def test_the_foreground_service_gets_its_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: dict[str, object] = {}

    def serve(data_folder: Path, **options: object) -> int:
        seen.update(options, folder=data_folder)
        return 0

    module = type(sys)("app.service.run")
    module.serve = serve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app.service.run", module)
    assert entry.main(["serve", "--no-daemon", "--port", "4000", "--token", "secret"]) == 0
    assert seen == {"port": 4000, "token": "secret", "folder": tmp_path}


def test_a_terminal_that_cannot_show_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert entry.main(["--lang", "zh", "status"]) == 3
    sys.stdout.flush()
    assert raw.getvalue() == b"???????\n"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_a_file_cannot_be_opened_without_a_display(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["模型.gguf", "--lang", "zh"]) == entry.NO_WINDOW
    assert "liangli import" in capsys.readouterr().err


def test_files_and_addresses_go_to_the_window(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[object] = []
    module = type(sys)("app.gui.application")

    def run_gui(*arguments: object) -> int:
        seen.append(arguments)
        return 0

    module.run_gui = run_gui  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app.gui.application", module)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.chdir(tmp_path)
    assert entry.main(["a.gguf", "liangli://model?hf=a/b"]) == 0
    assert seen == [(tmp_path, "en", [str(tmp_path / "a.gguf"), "liangli://model?hf=a/b"])]
    assert entry.main(["liangli://delete?everything=1"]) == 105
    assert "was not opened" in capsys.readouterr().err


def test_what_belongs_to_the_self_test_goes_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--json"], ["--screenshot", "x.png"], ["--selftest", "ls"]):
        with pytest.raises(SystemExit):
            entry.main(arguments)
        assert "--selftest" in capsys.readouterr().err
