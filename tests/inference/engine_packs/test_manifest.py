"""A manifest is read strictly: names that lead elsewhere, doubles and nonsense are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.engine_packs.errors import PackRefused
from inference.engine_packs.manifest import read_manifest, safe_name
from tests.inference.engine_packs.archives import manifest_bytes

FILES = {"libggml-vulkan.so": b"abc"}


def test_all_that_it_says_is_read() -> None:
    manifest = read_manifest(manifest_bytes(FILES, needs=["a driver"]), name="x")
    assert (manifest.kind, manifest.name, manifest.ggml) == ("pack", "vulkan", "0.25.3")
    assert (manifest.back_ends, manifest.needs, manifest.total_bytes) == (("vulkan",), ("a driver",), 3)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../a",
            "a/../b",
            "/a",
            "C:/a",
            "C:a",
            "a\\b",
            "a/",
            "",
            ".",
            "..",
            ".hidden",
            "a//b",
            "a\0b",
            "con",
            "NUL.so",
        ),
        *("a.", "a b", "文", "a/b/c/d/e/f/g", "a:b", "x" * 101, "com1.dll", "~a"),
    ],
)
def test_names_that_lead_elsewhere(name: str) -> None:
    assert not safe_name(name)
    with pytest.raises(PackRefused):
        read_manifest(manifest_bytes({name: b"x"}), name="x")


@pytest.mark.parametrize(
    "facts",
    [
        *({"format": 2}, {"kind": "program"}, {"name": "../x"}, {"name": "a..b"}, {"name": ""}, {"version": "../1"}),
        *({"ggml": "1/2"}, {"system": 3}, {"back_ends": "vulkan"}, {"needs": ["a\x1b[2J"]}, {"files": {}}),
        *(
            {"files": []},
            {"other": 1},
            {"files": {"a": {"size": 1}}},
            {"files": {"manifest.json": {}}},
            {"name": "nul"},
        ),
        {"files": {"a": {"size": 5 << 30, "sha256": "0" * 64}}},
        {"files": {"a": {"size": -1, "sha256": "0" * 64}}},
        {"files": {"a": {"size": True, "sha256": "0" * 64}}},
        {"files": {"a": {"size": 1, "sha256": "0" * 64}, "A": {"size": 1, "sha256": "0" * 64}}},
        {"files": {"a": {"size": 1, "sha256": "0" * 64}, "a/b": {"size": 1, "sha256": "0" * 64}}},
    ],
)
def test_nonsense_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(PackRefused) as caught:
        read_manifest(manifest_bytes(FILES, **facts), name="it.tar.xz")
    assert (caught.value.name, caught.value.reason) == ("it.tar.xz", "manifest")


def test_a_key_that_comes_twice() -> None:
    doubled = manifest_bytes(FILES).replace(b'"name"', b'"name": "a", "name"', 1)
    assert json.loads(doubled)["name"] == "vulkan"
    with pytest.raises(PackRefused):
        read_manifest(doubled, name="x")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(PackRefused):
        read_manifest(content, name="x")
