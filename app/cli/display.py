"""Whether a window can be shown: Qt ends the whole process when its display does not answer."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Mapping
from pathlib import PurePosixPath

CONNECT_SECONDS = 1.0
Address = str | tuple[str, int]


def display_answers(environment: Mapping[str, str]) -> bool:
    """True where there is a display that takes connections; elsewhere than on Linux there always is one."""
    if sys.platform != "linux" or environment.get("QT_QPA_PLATFORM"):
        return True
    return any(_takes_connections(address) for address in addresses(environment))


def addresses(environment: Mapping[str, str]) -> tuple[Address, ...]:
    """Where the displays that the environment names listen: paths of local sockets, or host and port."""
    found: list[Address] = []
    if wayland := environment.get("WAYLAND_DISPLAY"):
        found.append(str(PurePosixPath(environment.get("XDG_RUNTIME_DIR", "/"), wayland)))
    if x11 := re.fullmatch(r"(?:unix/?)?([^:]*):(\d{1,4})(?:\.\d+)?", environment.get("DISPLAY", "")):
        host, number = x11[1], int(x11[2])
        # Xorg listens on both kinds of name; one that begins with NUL needs no file.
        local = f"/tmp/.X11-unix/X{number}"  # noqa: S108 the place is fixed by X11
        found += [(host, 6000 + number)] if host else [f"\0{local}", local]
    return tuple(found)


def _takes_connections(address: Address) -> bool:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    try:
        with socket.socket(family) as connection:
            connection.settimeout(CONNECT_SECONDS)
            connection.connect(address)
    except OSError:
        return False
    return True
