"""A chat's first title, taken from the user's first message."""

from __future__ import annotations

LONGEST_CHARACTERS = 24


def title_from(text: str) -> str:
    """The beginning of the first line that says something; cut between words where the script has spaces."""
    line = next((" ".join(line.split()) for line in text.splitlines() if line.strip(" \t#>*-`")), "")
    line = line.lstrip("#>*-` ")
    line = "".join(character for character in line if character.isprintable())
    if len(line) <= LONGEST_CHARACTERS:
        return line
    cut = line[: LONGEST_CHARACTERS + 1]
    at_word = cut.rfind(" ")
    if at_word >= LONGEST_CHARACTERS // 2 and line[LONGEST_CHARACTERS - 1].isascii():
        return cut[:at_word] + "…"
    return line[:LONGEST_CHARACTERS] + "…"
