"""The package for Debian, Ubuntu and their relatives.

The program lies in /opt/liangli, the place for packages that are not the distribution's own: its many private
libraries can never meet the system's there. No script of ours runs as root: desktop files, MIME types, icons and man
pages have triggers of the packages that use them. Nothing of the user's is in the package, so that neither removing
nor purging it touches chats or models.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tomllib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from installers.archive import Member, members_of, write_ar, write_tar, write_tar_xz
from installers.integration import LINUX, integration
from installers.needs import Needs, needs_of
from installers.places import BUILD, DIST, source_date, version

FOLDER = "opt/liangli"
_LIBSTDCXX_OF = {"3.4.28": "9", "3.4.29": "11", "3.4.30": "12", "3.4.31": "13", "3.4.32": "13.2", "3.4.33": "14"}
_FONTS = "fonts-noto-cjk | fonts-wqy-microhei | fonts-wqy-zenhei"


def build_deb(bundle: Path, icons: Path) -> Path:
    """`dist/liangli_VERSION_amd64.deb` of the frozen program."""
    date = source_date()
    members = sorted(package_members(bundle, icons, date), key=lambda member: member.path)
    data = BUILD / "data.tar.xz"
    # xz, not zstd: the package managers of Debian 11 and older do not know zstd, and it is smaller.
    write_tar_xz(members, data, date=date, root="./")
    control = control_text(needs_of(bundle), installed_kib(members), version())
    DIST.mkdir(exist_ok=True)
    target = DIST / f"liangli_{version()}_amd64.deb"
    write_deb(target, control, members, data, date=date)
    data.unlink()
    return target


def package_members(bundle: Path, icons: Path, date: int) -> Iterable[Member]:
    """All files of the package."""
    yield from members_of(bundle, FOLDER)
    yield Member(path="usr/bin/liangli", link=f"/{FOLDER}/liangli")
    yield from integration("usr/share", icons=icons, version=version(), date=date)
    documents = "usr/share/doc/liangli"
    yield Member(path=f"{documents}/copyright", file=LINUX / "copyright")
    yield Member(path=f"{documents}/changelog.gz", content=gzip.compress(_changelog(date).encode(), 9, mtime=0))
    yield Member(path="usr/share/lintian/overrides/liangli", file=LINUX / "lintian-overrides")


def write_deb(target: Path, control: str, members: Sequence[Member], data: Path, *, date: int) -> None:
    """The package of its control file and its packed data, with the hashes that dpkg --verify looks at."""
    sums = "".join(f"{_md5(member)}  {member.path}\n" for member in members if not member.link)
    about = (Member(path="control", content=control.encode()), Member(path="md5sums", content=sums.encode()))
    tar = io.BytesIO()
    write_tar(about, tar, date=date, root="./")
    packed = gzip.compress(tar.getvalue(), 9, mtime=0)
    parts = (("debian-binary", b"2.0\n"), ("control.tar.gz", packed), ("data.tar.xz", data))
    write_ar(parts, target, date=date)


def control_text(needs: Needs, size_kib: int, package_version: str) -> str:
    """The control file. $LIANGLI_MAINTAINER names who publishes the package ("Name <address>")."""
    depends, recommends = dependencies(needs)
    return (
        "Package: liangli\n"
        f"Version: {package_version}\n"
        "Architecture: amd64\n"
        f"Maintainer: {os.environ.get('LIANGLI_MAINTAINER', 'Liangli <nobody@localhost>')}\n"
        f"Installed-Size: {size_kib}\n"
        f"Depends: {', '.join(depends)}\n"
        f"Recommends: {', '.join(recommends)}\n"
        "Section: utils\n"
        "Priority: optional\n"
        f"Description: {(LINUX / 'description.txt').read_text(encoding='utf-8').strip()}\n"
    )


def dependencies(needs: Needs) -> tuple[list[str], list[str]]:
    """Depends and Recommends. Raises SystemExit for a library whose package nobody wrote down."""
    table = tomllib.loads((LINUX / "debian_packages.toml").read_text(encoding="utf-8"))
    known = set(table["depends"]) | set(table["recommends"]) | set(table["versioned"]["libraries"])
    if unknown := sorted(set(needs.libraries) - known):
        raise SystemExit(f"{LINUX / 'debian_packages.toml'} does not say which package brings {', '.join(unknown)}")
    depends = {table["depends"][name] for name in needs.libraries if name in table["depends"]}
    depends.add(f"libc6 (>= {needs.versions['GLIBC']})")
    depends.add("libgcc-s1")
    if used := needs.versions.get("GLIBCXX"):
        depends.add(f"libstdc++6 (>= {_LIBSTDCXX_OF[used]})")
    recommends = {table["recommends"][name] for name in needs.libraries if name in table["recommends"]}
    return sorted(depends), [_FONTS, *sorted(recommends), "xdg-utils"]


def installed_kib(members: Iterable[Member]) -> int:
    """What the files take on a disk, as Debian counts it: whole KiB for each, one for each folder and link."""
    members = list(members)
    folders = {folder for member in members for folder in Path(member.path).parents}
    sizes = (member.file.stat().st_size if member.file else len(member.content) for member in members)
    return sum(max(1, -(-size // 1024)) for size in sizes) + len(folders)


def _md5(member: Member) -> str:
    content = member.file.read_bytes() if member.file else member.content
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _changelog(date: int) -> str:
    day = format_datetime(datetime.fromtimestamp(date, UTC))
    return (
        f"liangli ({version()}) stable; urgency=medium\n\n"
        "  * What is new is told by the program and in CHANGELOG.md of its source.\n\n"
        f" -- {os.environ.get('LIANGLI_MAINTAINER', 'Liangli <nobody@localhost>')}  {day}\n"
    )
