"""The program for every Linux: one archive to unpack, and one file that unpacks itself.

The self-extracting file is packed with xz, a quarter smaller than with gzip, the only packer that every system is sure
to have; so it brings an unpacker of its own along, which needs nothing but glibc, as the program itself does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from installers.archive import Member, members_of, write_tar_xz, write_tar_zst
from installers.deb import dependencies
from installers.integration import LINUX, integration
from installers.manifest import file_hash
from installers.needs import Needs, needs_of
from installers.places import BUILD, DIST, run, source_date, system, version

PARTS = LINUX / "portable"
_FOLDER = "liangli"
# What the program's folder holds; all else in it is the user's.
_PROGRAM_FILES = (
    *("liangli", "_internal", "share", "install", "uninstall", "README.txt"),
    *("THIRD-PARTY-NOTICES.txt", "licenses", "sbom.cdx.json"),
)


def build_tar(bundle: Path, icons: Path) -> Path:
    """`dist/liangli-VERSION-linux-x86_64.tar.zst`."""
    DIST.mkdir(exist_ok=True)
    target = DIST / f"liangli-{version()}-{system()}.tar.zst"
    date = source_date()
    write_tar_zst(portable_members(bundle, icons, needs_of(bundle), date=date), target, date=date)
    return target


def build_run(bundle: Path, icons: Path) -> Path:
    """`dist/liangli-VERSION-linux-x86_64.run`."""
    DIST.mkdir(exist_ok=True)
    target = DIST / f"liangli-{version()}-{system()}.run"
    needs, date, payload = needs_of(bundle), source_date(), BUILD / "payload.tar.xz"
    members = list(portable_members(bundle, icons, needs, date=date))
    write_tar_xz(members, payload, date=date)
    write_run(target, tool=build_unpacker(BUILD / "unxz"), payload=payload, unpacked_bytes=_size(members), needs=needs)
    payload.unlink()
    return target


def portable_members(bundle: Path, icons: Path, needs: Needs, *, date: int) -> Iterator[Member]:
    """The frozen program with what installs it for a user and removes it again."""
    texts = {
        "VERSION": version(),
        "GLIBC": needs.versions["GLIBC"],
        "PACKAGES": " ".join(_package_names(needs)),
        "PROGRAM_FILES": " ".join(_PROGRAM_FILES),
    }
    yield from members_of(bundle, _FOLDER)
    for member in integration("share", icons=icons, version=version(), date=date):
        # Software centres do not look for the description among a user's own files.
        if not member.path.startswith("share/metainfo/"):
            yield Member(path=f"{_FOLDER}/{member.path}", file=member.file, content=member.content)
    for name in ("install", "uninstall"):
        yield Member(path=f"{_FOLDER}/{name}", content=script(f"{name}.sh", texts), is_program=True)
    yield Member(path=f"{_FOLDER}/README.txt", content=script("README.txt", texts))


def script(name: str, texts: Mapping[str, str]) -> bytes:
    """A file of packaging/linux/portable with the places that are named between @ filled."""
    text = (PARTS / name).read_text(encoding="utf-8")
    for place, value in {"WORDS": (PARTS / "words.sh").read_text(encoding="utf-8").strip(), **texts}.items():
        text = text.replace(f"@{place}@", value)
    return text.encode()


def write_run(target: Path, *, tool: Path, payload: Path, unpacked_bytes: int, needs: Needs) -> None:
    """The script, the unpacker and the payload behind one another; the script knows their sizes and the hash."""
    texts = {
        "VERSION": version(),
        "GLIBC": needs.versions["GLIBC"],
        "UNPACKED_KIB": str(unpacked_bytes // 1024),
        "TOOL_BYTES": str(tool.stat().st_size),
        "PAYLOAD_BYTES": str(payload.stat().st_size),
        "PAYLOAD_SHA256": file_hash(payload),
    }
    # As long as the place that it fills: else the number would change the length that it tells.
    place = b"@HEADER_BYTES@"
    header = script("run_header.sh", texts)
    header = header.replace(place, str(len(header)).ljust(len(place)).encode())
    with target.open("wb") as file:
        file.write(header)
        for part in (tool, payload):
            with part.open("rb") as source:
                while piece := source.read(1 << 20):
                    file.write(piece)
    target.chmod(0o755)


def build_unpacker(target: Path) -> Path:
    """The unpacker: a small program that needs nothing but glibc. A C compiler and liblzma.a are needed here."""
    run("cc", "-O2", "-s", "-Wl,--build-id=none", "-o", target, PARTS / "unxz.c", "-l:liblzma.a", "-lpthread")
    return target


def _package_names(needs: Needs) -> list[str]:
    """Without versions, and of two names for one package the one that is understood everywhere."""
    depends, _ = dependencies(needs)
    names = (alternatives.split(" | ")[-1].split(" ")[0] for alternatives in depends)
    return [name for name in names if name not in ("libc6", "libgcc-s1")]


def _size(members: list[Member]) -> int:
    return sum(member.file.stat().st_size if member.file else len(member.content) for member in members)
