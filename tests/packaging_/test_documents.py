"""Manual pages and completions know every command and option, and the tools that read them find no fault."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from installers.command_line import Command, read_command_line
from installers.documents import write_documents
from installers.integration import _SHELL_FILES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    write_documents(folder)
    return folder


@pytest.fixture(scope="module")
def program() -> Command:
    return read_command_line("en")


def test_what_the_packages_take_is_written(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == set(_SHELL_FILES)


@pytest.mark.parametrize("name", _SHELL_FILES)
def test_every_command_and_option_is_in_it(folder: Path, program: Command, name: str) -> None:
    text = (folder / name).read_text(encoding="utf-8").replace("\\-", "-")
    for command in program.walk():
        assert not command.path or command.path[-1] in text
        for flag in (flag for option in command.options for flag in option.flags):
            assert (flag if name != "liangli.fish" else flag.lstrip("-")) in text, (command.path, flag)


def test_the_same_commands_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_documents(tmp_path)
    for name in _SHELL_FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_can_read_its_completion(folder: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", folder / f"liangli.{shell}"], check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pla"], "plan"),
        (["plan", "--kv", "q8"], "q8_0"),
        (["engine", "sel"], "select"),
        (["--selft"], "--selftest"),
        (["--lang", ""], "zh en"),
    ],
)
def test_bash_offers_what_fits(folder: Path, tmp_path: Path, words: list[str], offered: str) -> None:
    script = (
        'source "$1"; shift; COMP_WORDS=(liangli "$@"); COMP_CWORD=$#; _liangli 2> /dev/null; echo "${COMPREPLY[*]}"'
    )
    command = ["bash", "-c", script, "bash", str(folder / "liangli.bash"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == offered


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
@pytest.mark.parametrize("name", ["liangli.1", "liangli.zh_CN.1"])
def test_groff_finds_no_fault(folder: Path, name: str) -> None:
    command = ["groff", "-K", "utf8", "-man", "-Tutf8", "-ww", str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "liangli" in done.stdout
