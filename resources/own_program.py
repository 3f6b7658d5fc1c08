"""How one of this program's own modules is run as a child process, from a checkout and from the installed package."""

from __future__ import annotations

import runpy
import sys
from typing import Final

RUN_MODULE: Final = "--run-module"


def module_command(module: str) -> tuple[str, ...]:
    """The command line that runs a module as __main__, to which its arguments are added.

    The installed package has no Python that takes `-m`: there the program is its own Python, see `run_as_child`.
    """
    if is_frozen():
        return (sys.executable, RUN_MODULE, module)
    return (sys.executable, "-m", module)


def is_frozen() -> bool:
    """Whether this is the installed package."""
    return bool(getattr(sys, "frozen", False))


def run_as_child() -> bool:
    """For the package's entry: runs the module that the command line names, if it does, and tells whether it did."""
    if sys.argv[1:2] != [RUN_MODULE] or len(sys.argv) < 3:
        return False
    module = sys.argv[2]
    del sys.argv[1:3]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return True
