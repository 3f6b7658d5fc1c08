"""Writes the licence notices of everything in the frozen program: one list, and the texts in a folder beside it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from installers.components import Component
from installers.places import ROOT, version

NAME, FOLDER = "THIRD-PARTY-NOTICES.txt", "licenses"
_HEAD = """Liangli {version} is under the Apache License, version 2.0 (licenses/Liangli/LICENSE).
It contains the parts below, which others wrote; the text of each licence is in the folder that is named.
Qt, PySide6 and Shiboken6 are used under the LGPL and may be replaced: licenses/pyside6-essentials/qt-relinking.txt
says how.
Models are not part of the program; each has a licence of its own, which is shown before it is downloaded.

量力 {version} 采用 Apache-2.0 许可证（licenses/Liangli/LICENSE）。
程序包含下列第三方组件，各自的许可证全文见所列文件夹。
Qt、PySide6 与 Shiboken6 按 LGPL 使用，可以自行替换，方法见 licenses/pyside6-essentials/qt-relinking.txt。
模型不属于本程序，各有自己的许可证，下载之前会显示。
"""


def write_notices(components: Iterable[Component], folder: Path) -> Path:
    """THIRD-PARTY-NOTICES.txt and `licenses/` in the folder; those of an earlier build are replaced."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    write_texts("Liangli", {"LICENSE": (ROOT / "LICENSE").read_bytes()}, folder)
    lines = [_HEAD.format(version=version())]
    for component in components:
        place = write_texts(component.name, component.texts, folder)
        title = f"{component.name} {component.version}".strip()
        lines.append(f"{title}\n  {component.licence}\n  {component.homepage}\n  {place}/\n")
    target = folder / NAME
    target.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    return target


def write_texts(name: str, texts: Mapping[str, bytes], folder: Path) -> str:
    """The texts in a folder of their own; tells which, relative to `folder`."""
    place = f"{FOLDER}/{re.sub('[^A-Za-z0-9._+-]', '_', name)}"
    (folder / place).mkdir(parents=True, exist_ok=True)
    for file, text in sorted(texts.items()):
        (folder / place / file).write_bytes(text)
    return place
