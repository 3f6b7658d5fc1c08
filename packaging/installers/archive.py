"""Archives that are the same, byte for byte, whenever they are made of the same files."""

from __future__ import annotations

import io
import lzma
import stat
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

ZSTD_LEVEL = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file in an archive; its `path` has no leading "/". Its bytes are a file's, or given, or it is a link."""

    path: str
    file: Path | None = None
    content: bytes = b""
    link: str = ""
    is_program: bool = False


def members_of(folder: Path, prefix: str) -> Iterator[Member]:
    """All files and links below the folder, as files below `prefix`. Links stay links."""
    for path in folder.rglob("*"):
        name = str(PurePosixPath(prefix) / path.relative_to(folder).as_posix())
        if path.is_symlink():
            yield Member(path=name, link=str(path.readlink()))
        elif path.is_file():
            # Libraries are not run, whatever their modes say.
            is_program = bool(path.stat().st_mode & stat.S_IXUSR) and ".so" not in path.suffixes
            yield Member(path=name, file=path, is_program=is_program)


def write_tar(members: Iterable[Member], stream: BinaryIO, *, date: int, root: str = "") -> None:
    """A tar of the members and of the folders that they need, in the order of their names.

    All belongs to root, bears the one date, and has the mode 755 or 644. `root` is put before each path ("./").
    GNU's form is understood by every tar, also where a path is longer than 100 bytes.
    """
    by_path = {member.path: member for member in members}
    folders = {str(folder) for path in by_path for folder in PurePosixPath(path).parents if str(folder) != "."}
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8") as archive:
        if root:
            archive.addfile(_folder(root, date))
        for path in sorted(folders | by_path.keys(), key=lambda path: path.split("/")):
            if path in folders:
                archive.addfile(_folder(root + path, date))
            else:
                _add(archive, by_path[path], root + path, date)


def _folder(path: str, date: int) -> tarfile.TarInfo:
    entry = _entry(path, date, 0o755)
    entry.type = tarfile.DIRTYPE
    return entry


def _add(archive: tarfile.TarFile, member: Member, path: str, date: int) -> None:
    entry = _entry(path, date, 0o755 if member.is_program else 0o644)
    if member.link:
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, member.link, 0o777
        archive.addfile(entry)
    elif member.file is not None:
        entry.size = member.file.stat().st_size
        with member.file.open("rb") as file:
            archive.addfile(entry, file)
    else:
        entry.size = len(member.content)
        archive.addfile(entry, io.BytesIO(member.content))


def _entry(path: str, date: int, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.mtime, entry.mode = date, mode
    entry.uname = entry.gname = "root"
    return entry


def write_tar_zst(members: Iterable[Member], target: Path, *, date: int) -> None:
    """The tar through the tool zstd, in one thread: with more the bytes depend on their number."""
    with target.open("wb") as file:
        command = ("zstd", f"-{ZSTD_LEVEL}", "--single-thread", "--no-progress", "--quiet", "--stdout")
        try:
            packer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file)
        except FileNotFoundError as error:
            raise SystemExit("zstd is needed and not installed") from error
        with packer:
            assert packer.stdin is not None
            write_tar(members, packer.stdin, date=date)
    if packer.returncode:
        raise SystemExit(f"zstd failed with code {packer.returncode}")


def write_tar_xz(members: Iterable[Member], target: Path | BinaryIO, *, date: int, root: str = "") -> None:
    """The tar in the form xz, packed as machine code of x86 is packed best. SHA-256 of the content is in it."""
    filters = [
        {"id": lzma.FILTER_X86},
        {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 64 << 20},
    ]
    with lzma.open(target, "wb", check=lzma.CHECK_SHA256, filters=filters) as stream:
        write_tar(members, stream, date=date, root=root)


def write_ar(parts: Iterable[tuple[str, bytes | Path]], target: Path, *, date: int) -> None:
    """The plain archive that a .deb is. Names have at most 16 characters."""
    with target.open("wb") as file:
        file.write(b"!<arch>\n")
        for name, content in parts:
            size = content.stat().st_size if isinstance(content, Path) else len(content)
            file.write(f"{name:<16}{date:<12}{0:<6}{0:<6}{0o100644:<8o}{size:<10}`\n".encode("ascii"))
            if isinstance(content, Path):
                with content.open("rb") as source:
                    while piece := source.read(1 << 20):
                        file.write(piece)
            else:
                file.write(content)
            if size % 2:
                file.write(b"\n")
