"""Archives are the same from the same files, and hold what they should."""

from __future__ import annotations

import io
import lzma
import subprocess
import tarfile
from pathlib import Path

from installers.archive import Member, members_of, write_ar, write_tar, write_tar_xz
from installers.checksums import write_checksums

from .conftest import touched

DATE = 1_700_000_000


def _tar(bundle: Path) -> bytes:
    stream = io.BytesIO()
    write_tar(members_of(bundle, "opt/liangli"), stream, date=DATE, root="./")
    return stream.getvalue()


def test_the_same_files_give_the_same_bytes(bundle: Path) -> None:
    first = _tar(bundle)
    touched(bundle)
    assert _tar(bundle) == first


def test_a_tar_is_roots_and_sorted_and_keeps_links(bundle: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(_tar(bundle))) as tar:
        entries = {entry.name.removeprefix("./"): entry for entry in tar.getmembers()}
        names = tar.getnames()
    assert {(entry.uid, entry.uname, entry.gname, entry.mtime) for entry in entries.values()} == {
        (0, "root", "root", DATE)
    }
    folder = "opt/liangli/_internal/engine"
    assert names.index(f"./{folder}") < names.index(f"./{folder}/libggml.so") < names.index(f"./{folder}/libggml.so.0")
    assert entries[f"{folder}/libggml.so"].linkname == "libggml.so.0"
    assert entries[f"{folder}/libggml.so.0"].mode == 0o644  # a library is no program
    assert entries["opt/liangli/liangli"].mode == 0o755
    assert "opt/liangli/_internal/量力 😀.toml" in entries


def test_xz_is_told_the_hash_of_what_is_in_it(bundle: Path, tmp_path: Path) -> None:
    write_tar_xz(members_of(bundle, "a"), tmp_path / "a.tar.xz", date=DATE)
    packed = (tmp_path / "a.tar.xz").read_bytes()
    decoder = lzma.LZMADecompressor()
    assert decoder.decompress(packed)[257:262] == b"ustar"
    assert decoder.check == lzma.CHECK_SHA256


def test_an_ar_is_read_by_the_tool(tmp_path: Path) -> None:
    target = tmp_path / "x.a"
    (tmp_path / "file").write_bytes(b"abc")
    write_ar([("debian-binary", b"2.0\n"), ("odd", tmp_path / "file"), ("last", b"end")], target, date=DATE)
    content = target.read_bytes()
    assert content.startswith(b"!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\nodd  ")
    assert len(content) % 2 == 0
    assert content.endswith(b"end\n")


def test_checksums_are_what_sha256sum_reads(tmp_path: Path) -> None:
    for name in ("b.run", "a.deb"):
        (tmp_path / name).write_text(name)
    (tmp_path / "folder").mkdir()
    sums = write_checksums(tmp_path)
    assert [line.split("  ")[1] for line in sums.read_text().splitlines()] == ["a.deb", "b.run"]
    subprocess.run(("sha256sum", "--check", "--quiet", sums.name), cwd=tmp_path, check=True)
    assert write_checksums(tmp_path).read_text().count("\n") == 2


def test_a_member_of_given_bytes() -> None:
    stream = io.BytesIO()
    write_tar([Member(path="control", content=b"x")], stream, date=DATE)
    with tarfile.open(fileobj=io.BytesIO(stream.getvalue())) as tar:
        file = tar.extractfile("control")
        assert file is not None
        assert file.read() == b"x"
