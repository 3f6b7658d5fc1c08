"""The app's icon in every size and form, drawn from its one SVG."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

from installers.environment import build_python
from installers.places import BUILD, PACKAGING, ROOT, run

SVG = ROOT / "resources" / "icons" / "app" / "liangli.svg"
SIZES = (16, 22, 24, 32, 48, 64, 96, 128, 256, 512)
_WINDOWS_SIZES = (16, 24, 32, 48, 64, 128, 256)
# On a Mac icons have air around them: 824 of 1024 pixels are filled.
_MACOS_MARGIN = 100 / 1024
# Kinds of pictures in an .icns file by their pixels, the sharp ones (@2x) too.
_MACOS_KINDS = {
    b"icp4": 16,
    b"icp5": 32,
    b"ic07": 128,
    b"ic08": 256,
    b"ic09": 512,
    b"ic10": 1024,
    b"ic11": 32,
    b"ic12": 64,
    b"ic13": 256,
    b"ic14": 512,
}


def build_icons() -> Path:
    """The folder, made anew: `16.png` … `512.png`, `liangli.ico`, `liangli.icns`."""
    folder = BUILD / "icons"
    macos = folder / "macos"
    macos.mkdir(parents=True, exist_ok=True)
    _draw({size: folder / f"{size}.png" for size in SIZES}, 0)
    macos_sizes = sorted(set(_MACOS_KINDS.values()))
    _draw({size: macos / f"{size}.png" for size in macos_sizes}, _MACOS_MARGIN)
    pictures = {size: (folder / f"{size}.png").read_bytes() for size in _WINDOWS_SIZES}
    (folder / "liangli.ico").write_bytes(windows_icon(pictures))
    pictures = {size: (macos / f"{size}.png").read_bytes() for size in macos_sizes}
    (folder / "liangli.icns").write_bytes(macos_icon(pictures))
    return folder


def _draw(files: Mapping[int, Path], margin: float) -> None:
    pairs = [word for size, file in files.items() for word in (str(size), file)]
    run(
        *(build_python(), "-m", "installers.draw_icons", SVG, str(margin), *pairs),
        environment={"PYTHONPATH": str(PACKAGING), "QT_QPA_PLATFORM": "offscreen"},
    )


def windows_icon(pictures: Mapping[int, bytes]) -> bytes:
    """An .ico of PNG pictures by their sizes, which are square and at most 256 pixels (Windows since Vista)."""
    head = struct.pack("<HHH", 0, 1, len(pictures))
    at = len(head) + 16 * len(pictures)
    entries, body = b"", b""
    for size, picture in sorted(pictures.items()):
        side = size % 256  # 0 means 256
        entries += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(picture), at + len(body))
        body += picture
    return head + entries + body


def macos_icon(pictures: Mapping[int, bytes]) -> bytes:
    """An .icns of PNG pictures by their sizes."""
    parts = [(kind, pictures[size]) for kind, size in _MACOS_KINDS.items()]
    body = b"".join(kind + struct.pack(">I", 8 + len(picture)) + picture for kind, picture in parts)
    return b"icns" + struct.pack(">I", 8 + len(body)) + body
