"""A screen for the window: the one that is there, else a virtual one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_VIRTUAL = "Xvfb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """kind: "screen", "Xvfb" or "offscreen" (Qt draws into memory only). variables: for the window's environment."""

    kind: str
    variables: dict[str, str]


@contextmanager
def display() -> Iterator[Display]:
    """The user's screen, or a virtual X server for as long as it is needed, or none at all."""
    if os.name == "nt" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        yield Display(kind="screen", variables={})
    elif shutil.which(_VIRTUAL) is None:
        yield Display(kind="offscreen", variables={"QT_QPA_PLATFORM": "offscreen"})
    else:
        with _virtual_screen() as name:
            yield Display(kind=_VIRTUAL, variables={"DISPLAY": name, "QT_QPA_PLATFORM": "xcb"})


@contextmanager
def _virtual_screen() -> Iterator[str]:
    reading, writing = os.pipe()
    # The server chooses a free number and writes it into the pipe when it is ready.
    command = [_VIRTUAL, "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    with subprocess.Popen(
        command, pass_fds=(writing,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as answer:
                yield f":{answer.readline().strip()}"
        finally:
            server.terminate()
