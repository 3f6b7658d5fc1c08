"""Manual pages and completions, written from the app's own command line."""

from __future__ import annotations

import sys
from pathlib import Path

from installers.command_line import read_command_line
from installers.completions import bash_completion, fish_completion, zsh_completion
from installers.integration import SHELL
from installers.manual import manual_page
from installers.places import PACKAGING, run, source_date, version


def write_documents(folder: Path) -> None:
    """Write liangli.1, liangli.zh_CN.1, liangli.bash, liangli.zsh and liangli.fish.

    The same commands give the same bytes. Needs a Python that the app runs in.
    """
    english, chinese = read_command_line("en"), read_command_line("zh")
    date = source_date()
    texts = {
        "liangli.1": manual_page(english, "en", version=version(), date=date),
        "liangli.zh_CN.1": manual_page(chinese, "zh", version=version(), date=date),
        "liangli.bash": bash_completion(english),
        "liangli.zsh": zsh_completion(english, chinese),
        "liangli.fish": fish_completion(english, chinese),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def build_documents(python: Path) -> Path:
    """The same by that Python, where the packages look for them."""
    run(python, "-m", "installers.documents", SHELL, environment={"PYTHONPATH": str(PACKAGING)})
    return SHELL


if __name__ == "__main__":
    write_documents(Path(sys.argv[1]))
