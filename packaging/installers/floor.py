"""How old a Linux may be for what was built here, and whether that is what packaging/README.md says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from installers.needs import Needs, needs_of
from installers.places import PACKAGING

README = PACKAGING / "README.md"
_CLAIM = re.compile(r"^\| (glibc|libstdc\+\+) \| ([\d.]+) \|", re.MULTILINE)
_FAMILIES = {"glibc": "GLIBC", "libstdc++": "GLIBCXX"}


def check_floor(bundle: Path) -> str:
    """Says what the program needs. Raises SystemExit where it needs a newer system than the README claims."""
    needs = needs_of(bundle)
    claims = claimed(README.read_text(encoding="utf-8"))
    if broken := above(needs, claims):
        raise SystemExit("\n".join(broken))
    return "\n".join(f"{name} {needs.versions.get(_FAMILIES[name], '0')} (claimed: {claims[name]})" for name in claims)


def claimed(readme: str) -> dict[str, str]:
    """The table of the README: the newest symbols that a program may ask for, {"glibc": "2.35"}."""
    found: dict[str, str] = dict(_CLAIM.findall(readme))
    if missing := _FAMILIES.keys() - found.keys():
        raise SystemExit(f"{README} claims nothing of {', '.join(sorted(missing))}")
    return found


def above(needs: Needs, claims: Mapping[str, str]) -> list[str]:
    """A sentence for each library of which a newer version is needed than claimed."""
    return [
        f"the program needs {name} {needed}, and {README.name} claims {claim}"
        for name, claim in claims.items()
        if _numbers(needed := needs.versions.get(_FAMILIES[name], "0")) > _numbers(claim)
    ]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
