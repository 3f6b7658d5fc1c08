"""Children of this program, from a checkout and from the installed package."""

from __future__ import annotations

import subprocess
import sys

import pytest

from resources.own_program import module_command, run_as_child


def test_a_checkout_lets_python_run_the_module() -> None:
    assert module_command("json.tool") == (sys.executable, "-m", "json.tool")


def test_the_package_is_its_own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert module_command("json.tool") == (sys.executable, "--run-module", "json.tool")


def test_the_packages_entry_runs_the_module_with_its_own_arguments() -> None:
    entry = "import sys; from resources.own_program import run_as_child; assert run_as_child()"
    command = [sys.executable, "-c", entry, "--run-module", "json.tool", "--compact"]
    done = subprocess.run(command, input='{"a": [1, 2]}', capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == '{"a":[1,2]}'


@pytest.mark.parametrize("arguments", [[], ["chat"], ["--run-module"]])
def test_a_users_command_line_is_no_child(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["liangli", *arguments])
    assert not run_as_child()
