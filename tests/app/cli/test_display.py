"""Displays that answer and displays that do not."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from app.cli.display import addresses, display_answers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ()),
        ({"DISPLAY": ":1"}, ("\0/tmp/.X11-unix/X1", "/tmp/.X11-unix/X1")),
        ({"DISPLAY": "localhost:10.0"}, (("localhost", 6010),)),
        ({"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": "/run/user/1000"}, ("/run/user/1000/wayland-0",)),
        ({"WAYLAND_DISPLAY": "/tmp/w", "XDG_RUNTIME_DIR": "/run"}, ("/tmp/w",)),
        ({"DISPLAY": "nonsense"}, ()),
    ],
)
def test_addresses(environment: dict[str, str], expected: tuple[object, ...]) -> None:
    assert addresses(environment) == expected


def test_a_display_that_listens(tmp_path: Path) -> None:
    environment = {"WAYLAND_DISPLAY": "w", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert not display_answers(environment)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "w"))
        server.listen()
        assert display_answers(environment)
    assert not display_answers(environment)


def test_no_display_is_named() -> None:
    assert not display_answers({})
    assert not display_answers({"DISPLAY": ":9377"})
    assert display_answers({"QT_QPA_PLATFORM": "offscreen"})
