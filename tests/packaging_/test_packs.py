"""What is packed here is what the app takes."""

from __future__ import annotations

from pathlib import Path

from installers.manifest import write_manifest
from installers.packs import write_pack, write_pack_archive

from inference.engine_packs.store import Fitting, PackStore, broken_files, this_system

HERE = Fitting(system=this_system(), ggml="0.25.3")


def test_a_pack_is_taken_and_packed_the_same_again(tmp_path: Path) -> None:
    library = tmp_path / "libggml-vulkan.so"
    library.write_bytes(b"vulkan" * 1000)
    folder = tmp_path / "pack"
    facts = {"version": "0.25.3", "ggml": "0.25.3", "system": this_system()}
    write_pack(folder, [library], name="vulkan", needs=["a Vulkan driver"], **facts)
    first = write_pack_archive(folder, tmp_path / "a.tar.xz", date=0)
    assert write_pack_archive(folder, tmp_path / "b.tar.xz", date=0).read_bytes() == first.read_bytes()
    added = PackStore(tmp_path / "home").add(first, HERE)
    assert added.manifest.needs == ("a Vulkan driver",) and not list(broken_files(added.folder, added.manifest))


def test_an_engine_is_taken_without_its_links(tmp_path: Path) -> None:
    libraries = tmp_path / "engine" / "llama_cpp" / "lib"
    libraries.mkdir(parents=True)
    (libraries / "libggml.so.0").write_bytes(b"library")
    (libraries / "libggml.so").symlink_to("libggml.so.0")
    facts = {"kind": "engine", "name": "llama-cpp-python", "version": "0.3.36", "ggml": "0.25.3"}
    write_manifest(tmp_path / "engine", **facts, system=this_system())
    (libraries.parent / "compiled.pyc").write_bytes(b"of a trial")
    archive = write_pack_archive(tmp_path / "engine", tmp_path / "e.tar.xz", date=0)
    added = PackStore(tmp_path / "home").add(archive, HERE)
    assert (added.folder / "llama_cpp" / "lib" / "libggml.so").resolve().name == "libggml.so.0"
