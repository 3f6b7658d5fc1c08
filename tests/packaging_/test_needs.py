"""What libraries ask for, and the packages that bring it."""

from __future__ import annotations

import pytest
from installers.deb import control_text, dependencies
from installers.needs import Needs, read_needs

SAID = """
Dynamic Section:
  NEEDED               libQt6Core.so.6
  NEEDED               libglib-2.0.so.0
  NEEDED               libc.so.6
  RUNPATH              $ORIGIN/../../lib

Version References:
  required from libc.so.6:
    0x06969185 0x00 54 GLIBC_2.9
    0x069691b4 0x00 29 GLIBC_2.34
  required from libstdc++.so.6:
    0x0297f879 0x00 41 GLIBCXX_3.4.29
"""
NEEDS = Needs(libraries={"libc.so.6": ("a",), "libglib-2.0.so.0": ("a",)}, versions={"GLIBC": "2.34"})


def test_what_is_carried_is_not_needed() -> None:
    needs = read_needs({"plugin.so": SAID, "other.so": SAID.replace("GLIBC_2.34", "GLIBC_2.4")}, {"libQt6Core.so.6"})
    assert needs.libraries == {
        "libc.so.6": ("other.so", "plugin.so"),
        "libglib-2.0.so.0": ("other.so", "plugin.so"),
    }
    assert needs.versions == {"GLIBC": "2.34", "GLIBCXX": "3.4.29"}


def test_a_package_that_changed_its_name_has_both() -> None:
    depends, recommends = dependencies(NEEDS)
    assert "libglib2.0-0t64 | libglib2.0-0" in depends
    assert "libc6 (>= 2.34)" in depends
    assert any("fonts-noto-cjk" in names for names in recommends)


def test_the_cards_library_is_only_recommended() -> None:
    needs = Needs(libraries={"libvulkan.so.1": ("libggml-vulkan.so",)}, versions={"GLIBC": "2.34"})
    depends, recommends = dependencies(needs)
    assert "libvulkan1" in recommends
    assert not any("vulkan" in names for names in depends)


def test_an_unknown_library_stops_the_build() -> None:
    with pytest.raises(SystemExit, match=r"libnew\.so\.1"):
        dependencies(Needs(libraries={"libnew.so.1": ("a",)}, versions={"GLIBC": "2.34"}))


def test_a_control_file_has_no_long_or_empty_lines() -> None:
    lines = control_text(NEEDS, 1234, "0.1.0").splitlines()
    assert "Installed-Size: 1234" in lines
    assert all(lines)
    description = lines[next(index for index, line in enumerate(lines) if line.startswith("Description:")) + 1 :]
    assert description
    assert all(line.startswith(" ") for line in description)
