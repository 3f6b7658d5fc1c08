"""How old a system may be: what is claimed is read from the README, and more is refused."""

from __future__ import annotations

import pytest
from installers import floor
from installers.needs import Needs


def _needs(glibc: str) -> Needs:
    return Needs(libraries={}, versions={"GLIBC": glibc, "GLIBCXX": "3.4.9"})


@pytest.mark.parametrize(("glibc", "is_fine"), [("2.9", True), ("2.35", True), ("2.36", False), ("2.100", False)])
def test_more_than_claimed_is_refused(glibc: str, is_fine: bool) -> None:
    told = floor.above(_needs(glibc), {"glibc": "2.35", "libstdc++": "3.4.30"})
    assert bool(told) is not is_fine
    assert is_fine or glibc in told[0]


def test_the_readme_claims_both() -> None:
    assert set(floor.claimed(floor.README.read_text(encoding="utf-8"))) == {"glibc", "libstdc++"}


def test_a_readme_without_claims_is_refused() -> None:
    with pytest.raises(SystemExit, match="claims nothing"):
        floor.claimed("# About\n")
