"""How Chinese names are spelled in pinyin, from the small table `resources/pinyin.txt`."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice, product

import resources

# Spellings of one run that are tried at most: names have one or two characters with several readings.
_MAX_SPELLINGS = 8
_RUN = re.compile(r"[\u3400-\u9fff]+")


@lru_cache(maxsize=1)
def _readings() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in resources.path("pinyin.txt").read_text(encoding="utf-8").splitlines():
        syllable, _, characters = line.partition(" ")
        for character in characters if syllable != "#" else "":
            found[character] = (*found.get(character, ()), syllable)
    return found


def chinese_runs(text: str) -> tuple[str, ...]:
    """The stretches of Chinese characters, in their order."""
    return tuple(_RUN.findall(text))


def spellings(run: str) -> tuple[tuple[str, ...], ...]:
    """Every way to read the characters, as syllables; () when one of them is not in the table."""
    readings = _readings()
    return tuple(islice(product(*(readings.get(character, ()) for character in run)), _MAX_SPELLINGS))


def is_short_for(typed: str, syllables: tuple[str, ...]) -> bool:
    """Whether `typed` begins each of some first syllables in turn, as people type: "tyqw", "tongyiqw", "tyqianw"."""
    # The positions in `typed` that can be reached after each syllable.
    reached = {0}
    for syllable in syllables:
        following = set()
        for position in reached:
            taken = 0
            rest = typed[position:]
            while taken < len(syllable) and rest.startswith(syllable[: taken + 1]):
                taken += 1
                following.add(position + taken)
        if len(typed) in following:
            return True
        if not following:
            return False
        reached = following
    return False
