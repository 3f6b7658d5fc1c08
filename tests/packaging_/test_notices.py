"""Licence notices and the bill of materials: complete or no package, and the same every time."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from installers import components, notices, sbom
from installers.components import Component, Source

PART = Component(
    name="other+part",
    version="1:2.3+x~1",
    licence="MIT",
    purl="pkg:pypi/other-part@2.3",
    homepage="https://example.org/",
    texts={"LICENSE": b"Do as you like."},
    files=("_internal/other.so",),
)


def test_a_part_without_the_text_of_its_licence_stops_the_build() -> None:
    with pytest.raises(SystemExit, match="without the text"):
        components.checked(replace(PART, texts={"LICENSE": b" \n"}))


@pytest.mark.parametrize("licence", ["", "UNKNOWN"])
def test_a_part_without_a_licence_stops_the_build(licence: str) -> None:
    with pytest.raises(SystemExit, match=r"under which licence other\+part"):
        components.checked(replace(PART, licence=licence))


def test_a_library_that_nobody_knows_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "libstrange.so").write_bytes(b"")
    with pytest.raises(SystemExit, match=r"libstrange\.so"):
        components.debian_package(tmp_path / "libstrange.so")


def _installed(folder: Path, *, licence_file: bool) -> PathDistribution:
    info = folder / "nice_thing-1.0.dist-info"
    (info / "licenses").mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: Nice_Thing\nVersion: 1.0\nLicense-Expression: MIT\n")
    record = "nice_thing.py,,\nnice_core.so,,\nnice_thing-1.0.dist-info/METADATA,,\n"
    if licence_file:
        (info / "licenses" / "LICENSE").write_text("MIT, so do.")
        record += "nice_thing-1.0.dist-info/licenses/LICENSE,,\n"
    (info / "RECORD").write_text(record)
    for name in ("nice_thing.py", "nice_core.so"):
        (folder / name).write_text("")
    return PathDistribution(info)


def test_frozen_files_are_of_the_package_that_lists_them(tmp_path: Path) -> None:
    package = _installed(tmp_path, licence_file=True)
    core = Source(path=tmp_path / "nice_core.so", target="_internal/nice_core.so")
    other = Source(path=tmp_path / "other.so", target="_internal/other.so")
    owned, strange = components.by_distribution(
        [Source(path=tmp_path / "nice_thing.py", target=""), core, other], [package]
    )
    assert owned == [(package, ["_internal/nice_core.so"])]
    assert strange == [other]
    part = components.of_distribution(*owned[0])
    assert (part.name, part.licence, part.texts) == ("nice-thing", "MIT", {"LICENSE": b"MIT, so do."})
    assert part.files == ("_internal/nice_core.so",)


def test_a_package_without_licence_files_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"nice-thing 1\.0 comes without"):
        components.of_distribution(_installed(tmp_path, licence_file=False), [])


def test_texts_that_are_named_are_here() -> None:
    for name in ("pyside6-essentials", "shiboken6", "nvidia-ml-py", "llama.cpp"):
        assert all(components.own_texts(name).values())
    assert {"LGPL-3.0.txt", "GPL-3.0.txt", "qt-relinking.txt"} <= components.own_texts("pyside6-essentials").keys()


def test_notices_name_each_part_and_its_text(tmp_path: Path) -> None:
    (tmp_path / "licenses" / "of-before").mkdir(parents=True)
    text = notices.write_notices([PART], tmp_path).read_text(encoding="utf-8")
    assert "other+part 1:2.3+x~1\n  MIT\n" in text
    assert (tmp_path / "licenses" / "other+part" / "LICENSE").read_bytes() == b"Do as you like."
    assert (tmp_path / "licenses" / "Liangli" / "LICENSE").is_file()
    assert not (tmp_path / "licenses" / "of-before").exists()


def _bill(folder: Path, monkeypatch: pytest.MonkeyPatch, parts: list[Component]) -> bytes:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    return bytes(sbom.write_sbom(parts, folder).read_bytes())


def test_the_bill_is_the_same_and_changes_with_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_internal").mkdir()
    (tmp_path / "_internal" / "other.so").write_bytes(b"1")
    first = _bill(tmp_path, monkeypatch, [PART])
    assert _bill(tmp_path, monkeypatch, [PART]) == first
    (tmp_path / "_internal" / "other.so").write_bytes(b"2")
    read, changed = json.loads(first), json.loads(_bill(tmp_path, monkeypatch, [PART]))
    assert read["serialNumber"] != changed["serialNumber"]
    assert read["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    [part] = read["components"]
    assert part["components"][0]["hashes"][0]["content"].startswith("6b86b273")
    compound = json.loads(_bill(tmp_path, monkeypatch, [replace(PART, licence="MIT OR ISC")]))["components"][0]
    assert compound["licenses"] == [{"expression": "MIT OR ISC"}]


def test_the_bill_fits_its_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cyclonedx", reason="cyclonedx-python-lib[json-validation] is not installed")
    validation = importlib.import_module("cyclonedx.validation.json")
    schema = importlib.import_module("cyclonedx.schema")
    (tmp_path / "_internal").mkdir()
    (tmp_path / "_internal" / "other.so").write_bytes(b"1")
    written = _bill(tmp_path, monkeypatch, [PART, replace(PART, purl="pkg:pypi/b@1", licence="MIT OR ISC")])
    assert validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(written.decode()) is None
