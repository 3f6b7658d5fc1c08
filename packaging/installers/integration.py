"""The files by which a Linux desktop and shell know the app, as they lie below a `share` folder."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from installers.archive import Member
from installers.icons import SIZES, SVG
from installers.places import BUILD, PACKAGING

ID = "io.github.liangli.Liangli"
LINUX = PACKAGING / "linux"
# Written from the commands themselves; taken when they are there.
SHELL = BUILD / "shell"
_SHELL_FILES = {
    "liangli.1": "man/man1/liangli.1.gz",
    "liangli.zh_CN.1": "man/zh_CN/man1/liangli.1.gz",
    "liangli.bash": "bash-completion/completions/liangli",
    "liangli.zsh": "zsh/vendor-completions/_liangli",
    "liangli.fish": "fish/vendor_completions.d/liangli.fish",
}


def integration(share: str, *, icons: Path, version: str, date: int) -> Iterator[Member]:
    """Desktop entry, MIME type, AppStream description, icons, man pages, completions; `share` is put before each."""
    yield Member(path=f"{share}/applications/{ID}.desktop", file=LINUX / f"{ID}.desktop")
    yield Member(path=f"{share}/mime/packages/{ID}.xml", file=LINUX / f"{ID}.mime.xml")
    yield Member(path=f"{share}/metainfo/{ID}.metainfo.xml", content=metainfo(version, date).encode())
    yield Member(path=f"{share}/icons/hicolor/scalable/apps/{ID}.svg", file=SVG)
    for size in SIZES:
        yield Member(path=f"{share}/icons/hicolor/{size}x{size}/apps/{ID}.png", file=icons / f"{size}.png")
    for name, path in _SHELL_FILES.items():
        if (SHELL / name).is_file():
            content = (SHELL / name).read_bytes()
            yield Member(path=f"{share}/{path}", content=_packed(content) if path.endswith(".gz") else content)


def metainfo(version: str, date: int) -> str:
    """The AppStream description of this version, released on that day (seconds since the epoch)."""
    day = datetime.fromtimestamp(date, UTC).date().isoformat()
    text = (LINUX / f"{ID}.metainfo.xml").read_text(encoding="utf-8")
    filled = text.replace("@VERSION@", version).replace("@DATE@", day)
    assert not re.search("@[A-Z]+@", filled)
    return filled


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)
