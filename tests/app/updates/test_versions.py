"""The order of versions, and that each has one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app
from app.updates.versions import is_unfinished, is_version, version_key

# As https://semver.org says, lowest first.
ORDERED = (
    *("0.1.0-alpha", "0.1.0-alpha.1", "0.1.0-alpha.2", "0.1.0-alpha.10", "0.1.0-alpha.beta", "0.1.0-beta"),
    *("0.1.0-rc.1", "0.1.0", "0.1.1-rc.1", "0.1.1", "0.2.0", "0.10.0", "1.0.0-1", "1.0.0-rc1", "1.0.0", "999999.0.0"),
)


def test_the_order() -> None:
    assert sorted(sorted(ORDERED), key=version_key) == list(ORDERED)
    assert len({version_key(one) for one in ORDERED}) == len(ORDERED)


def test_what_runs_here_has_a_version() -> None:
    assert is_version(app.VERSION)
    assert is_unfinished("0.2.0-rc.1") and not is_unfinished("0.2.0")


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3-RC1", "1.2.3+x"),
        *(" 1.2.3", "1.2.3\n", "1.2.3-a.b.c.d.e", "1.2.3-" + "a" * 17, "1000000.0.0", "1.2.3-../x", "１.2.3", "-1.2.3"),
    ],
)
def test_other_spellings_are_none(text: str) -> None:
    assert not is_version(text)


@given(st.text(max_size=70) | st.from_regex(r"\d+\.\d+\.\d+(-[a-z0-9.]+)?", fullmatch=True))
def test_whatever_is_taken_can_be_compared(text: str) -> None:
    if is_version(text):
        assert version_key(text) < (1_000_000,)
