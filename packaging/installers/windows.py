"""The setup for Windows, made with NSIS of the frozen program's folder. Also where Linux has makensis."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from installers.places import BUILD, DIST, PACKAGING, run, source_date, version

RECIPES = PACKAGING / "windows"
# The program for terminals, and the one that opens the window without a terminal behind it.
PROGRAM, WINDOW = "liangli.exe", "liangliw.exe"
_COLOUR = (0x0A, 0x70, 0x5B)  # the icon's


def build_setup(payload: Path, icon: Path, *, folder: Path = DIST, target: str | None = None) -> Path:
    """`liangli-VERSION-windows-x64-setup.exe`. `target` is NSIS's, where not its own 32-bit one is wanted."""
    if missing := [name for name in (PROGRAM, WINDOW) if not (payload / name).is_file()]:
        raise SystemExit(f"{payload} holds no {' and no '.join(missing)}: it is no frozen program for Windows")
    folder.mkdir(exist_ok=True)
    BUILD.mkdir(exist_ok=True)
    setup = folder / f"liangli-{version()}-windows-x64-setup.exe"
    files = BUILD / "windows-files.nsh"
    names = payload_files(payload)
    side = BUILD / "windows-side.bmp"
    side.write_bytes(plain_picture(164, 314, _COLOUR))
    files.write_text(file_list(payload, names), encoding="utf-8-sig", newline="\r\n")
    size = sum((payload / name).stat().st_size for name in names)
    values = {
        "VERSION": version(),
        "VERSION4": numeric_version(version()),
        "PAYLOAD": payload,
        "FILES": files,
        "SIZE_KIB": size // 1024,
        # More than there is to pack only costs time and memory.
        "DICTIONARY_MB": min(64, size // 1_000_000 + 1),
        "ICON": icon,
        "SIDE": side,
        "OUTPUT": setup,
        **({"TARGET": target} if target else {}),
    }
    option = "/" if sys.platform == "win32" else "-"
    defined = [f"{option}D{name}={value}" for name, value in values.items()]
    run(
        *("makensis", f"{option}V2", f"{option}WX", f"{option}INPUTCHARSET", "UTF8", *defined),
        RECIPES / "liangli.nsi",
        environment={"SOURCE_DATE_EPOCH": str(source_date())},
    )
    return setup


def payload_files(payload: Path) -> list[str]:
    """All files by their paths with "/", in the one order that every file system gives."""
    return sorted(path.relative_to(payload).as_posix() for path in payload.rglob("*") if path.is_file())


def file_list(payload: Path, names: Iterable[str]) -> str:
    """NSIS's commands that install the files, folder by folder."""
    lines: list[str] = []
    folder = None
    for name in sorted(names, key=lambda name: (str(PurePosixPath(name).parent), name)):
        parent = PurePosixPath(name).parent
        if parent != folder:
            folder = parent
            place = "$INSTDIR" if str(parent) == "." else "$INSTDIR\\" + _escaped("\\".join(parent.parts))
            lines.append(f'SetOutPath "{place}"')
        lines.append(f'File "{payload / name}"')
    return "\n".join(lines) + "\n"


def _escaped(path: str) -> str:
    return path.replace("$", "$$")


def plain_picture(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """A .bmp of one colour (red, green, blue)."""
    row = bytes(reversed(colour)) * width
    row += b"\0" * (-len(row) % 4)
    head = struct.pack("<2sIHHI", b"BM", 54 + height * len(row), 0, 0, 54)
    head += struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, height * len(row), 2835, 2835, 0, 0)
    return head + row * height


def numeric_version(text: str) -> str:
    """ "0.1.0rc1" → "0.1.0.0": Windows knows four numbers."""
    numbers = []
    for part in text.split(".")[:4]:
        digits = ""
        for character in part:
            if not character.isdigit():
                break
            digits += character
        numbers.append(digits or "0")
    return ".".join([*numbers, "0", "0", "0", "0"][:4])


def version_resource(text: str, *, program: str) -> str:
    """What Windows shows of a program under "Details", as PyInstaller reads it."""
    numbers = tuple(int(part) for part in numeric_version(text).split("."))
    strings = {
        "CompanyName": "Liangli",
        "FileDescription": "量力",
        "FileVersion": text,
        "InternalName": program.removesuffix(".exe"),
        "LegalCopyright": "Apache-2.0",
        "OriginalFilename": program,
        "ProductName": "量力",
        "ProductVersion": text,
    }
    entries = ", ".join(f"StringStruct({name!r}, {value!r})" for name, value in strings.items())
    # 0804: Chinese (China); 04B0: Unicode.
    return (
        "VSVersionInfo(\n"
        f"  ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3F, flags=0, OS=0x40004, fileType=1,\n"
        "    subtype=0, date=(0, 0)),\n"
        f"  kids=[StringFileInfo([StringTable('080404B0', [{entries}])]),\n"
        "    VarFileInfo([VarStruct('Translation', [0x0804, 1200])])])\n"
    )
