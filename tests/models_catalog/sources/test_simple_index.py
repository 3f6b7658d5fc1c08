from __future__ import annotations

import contextlib
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_catalog.sources.simple_index import IndexFile, index_of_pip, parse_page, wheel_of

PAGE = "https://index.example/simple/some-part1/"
DIGEST = "ab" * 32


def test_json_page_with_relative_addresses() -> None:
    page = {
        "files": [{"filename": "x", "url": "../../files/some_part1-1.0-py3-none-any.whl", "hashes": {"sha256": DIGEST}}]
    }
    files = parse_page(json.dumps(page).encode(), content_type="application/vnd.pypi.simple.v1+json", page_url=PAGE)
    assert files == (
        IndexFile(
            filename="some_part1-1.0-py3-none-any.whl",
            url="https://index.example/files/some_part1-1.0-py3-none-any.whl",
            sha256=DIGEST,
        ),
    )


def test_html_page_with_base_fragment_and_escapes() -> None:
    page = f"""<html><head><base href="https://files.example/"></head><body>
        <a>no address</a>
        <a href="p/some%5Fpart1-1.0-py3-none-any.whl#sha256={DIGEST}">…</a>
        <a href="p/some_part1-1.1-py3-none-any.whl#md5=00">…</a></body></html>"""
    files = parse_page(page.encode(), content_type="text/html; charset=utf-8", page_url=PAGE)
    assert [(file.filename, file.sha256) for file in files] == [
        ("some_part1-1.0-py3-none-any.whl", DIGEST),
        ("some_part1-1.1-py3-none-any.whl", None),
    ]
    assert files[0].url == "https://files.example/p/some%5Fpart1-1.0-py3-none-any.whl"


@given(st.binary(max_size=300), st.sampled_from(["text/html", "application/json", ""]))
def test_any_page_gives_files_or_a_plain_error(body: bytes, content_type: str) -> None:
    with contextlib.suppress(ValueError, msgspec.DecodeError):
        parse_page(body, content_type=content_type, page_url=PAGE)


def test_the_wheel_is_chosen_by_name_and_exact_version() -> None:
    names = ["some_part1-1.0.tar.gz", "some_part11-1.0-py3-none-any.whl", "some_part1-1.0.1-py3-none-any.whl"]
    files = tuple(IndexFile(filename=name, url=f"https://x/{name}", sha256=None) for name in names)
    assert wheel_of(files, "some-part1", "1.0") is None
    wanted = IndexFile(filename="Some_Part1-1.0-py3-none-any.whl", url="https://x/y", sha256=None)
    assert wheel_of((*files, wanted), "some-part1", "1.0") == wanted


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text("[global]\nindex-url = https://mirror.example/simple/\n")
    return tmp_path


def test_the_index_is_the_one_pip_would_use(configured: Path) -> None:
    assert index_of_pip({}, configured) == "https://mirror.example/simple"
    assert (
        index_of_pip({"PIP_INDEX_URL": "https://other.example/simple/"}, configured) == "https://other.example/simple"
    )


def test_a_configuration_file_that_cannot_be_read_is_passed_over(configured: Path) -> None:
    broken = configured / "broken.conf"
    broken.write_bytes(b"\xff[not ini")
    assert index_of_pip({"PIP_CONFIG_FILE": str(broken)}, configured) == "https://mirror.example/simple"
