"""An engine that cannot work says so before a model is loaded. Stand-ins play the libraries."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from inference.backends.llama_cpp import soundness
from inference.backends.llama_cpp.back_ends import BackEnds
from inference.errors import EngineUnsound

MAPS = """\
7f00-7f01 r--p 00000000 fe:00 11 /opt/the engine/llama_cpp/lib/libggml.so.0
7f01-7f02 r-xp 00001000 fe:00 11 /opt/the engine/llama_cpp/lib/libggml.so.0
7f03-7f04 r--p 00000000 fe:00 11 /opt/the engine/llama_cpp/lib/libggml.so
7f05-7f06 r--p 00000000 fe:00 12 /opt/the engine/llama_cpp/lib/libggml-base.so.0
7f07-7f08 rw-p 00000000 00:00 0
"""
SECOND = "7f09-7f0a r--p 00000000 fe:00 13 /opt/llama_cpp/lib/libggml.so\n"


def _engine(monkeypatch: pytest.MonkeyPatch, back_ends: BackEnds, *, devices: int, copies: int = 1) -> None:
    monkeypatch.setattr(soundness, "ggml", SimpleNamespace(ggml_backend_dev_count=lambda: devices))
    monkeypatch.setattr(soundness, "back_ends", back_ends)
    monkeypatch.setattr(soundness, "mapped_copies", lambda: ("libggml.so", "libggml.so.0")[:copies])


def test_copies_are_counted_by_file_and_not_by_name(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text(MAPS)
    assert soundness.mapped_copies(maps) == ("libggml.so.0",)
    maps.write_text(MAPS + SECOND)
    assert soundness.mapped_copies(maps) == ("libggml.so", "libggml.so.0")
    assert soundness.mapped_copies(tmp_path / "none") == ()


def test_the_engine_of_this_environment_is_sound() -> None:
    soundness.require_sound()


@pytest.mark.parametrize(
    ("back_ends", "devices", "copies", "reason"),
    [
        (BackEnds(separate=True, failed=("libggml-cpu-x64.so",)), 0, 1, "no_device"),
        (BackEnds(separate=True, loaded=("libggml-vulkan.so",)), 1, 1, "no_device"),
        (BackEnds(separate=True, cpu_variant="x64"), 1, 2, "two_copies"),
        (BackEnds(separate=True, cpu_variant="x64"), 1, 1, ""),
        (BackEnds(), 1, 2, ""),
    ],
)
def test_what_is_unsound(
    monkeypatch: pytest.MonkeyPatch, back_ends: BackEnds, devices: int, copies: int, reason: str
) -> None:
    _engine(monkeypatch, back_ends, devices=devices, copies=copies)
    if not reason:
        soundness.require_sound()
        return
    with pytest.raises(EngineUnsound) as caught:
        soundness.require_sound()
    assert caught.value.reason == reason
