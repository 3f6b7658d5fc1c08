"""Breaking up what a text layout cannot bear."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.gui.transcript import tame

LINES = st.text(st.sampled_from("ab 量```~\n"), max_size=300)


def test_no_line_stays_longer_than_the_layout_bears() -> None:
    text = tame.tamed_markdown("x" * 50_000 + "\n```\n" + "y" * 50_000)
    assert max(map(len, text.split("\n"))) <= tame.LINE_CHARACTERS + 1
    assert max(map(len, tame.tamed_plain("z" * 50_000).split("\n"))) <= tame.LINE_CHARACTERS * 1.1


def test_endless_paragraphs_are_cut_but_code_is_not() -> None:
    prose = "\n".join(["word " * 20] * 1_000)
    assert "\n\n" in tame.tamed_markdown(prose)
    assert "\n\n" not in tame.tamed_markdown(f"```\n{prose}\n```")


@given(st.text())
def test_plain_text_is_copied_as_it_was(text: str) -> None:
    clean = text.replace(tame.BREAK, "").replace("\u2060", "")
    assert tame.untamed(tame.tamed_plain(clean)) == clean


def test_cut_code_is_copied_as_it_was() -> None:
    code = "```\n" + "ab" * 5_000 + "\n```"
    assert tame.untamed(tame.tamed_markdown(code)) == code


@given(st.lists(LINES, max_size=8).map(lambda parts: (" x" * 1_500).join(parts)), st.integers(0, 20_000))
def test_a_beginning_tamed_is_the_beginning_of_the_whole_tamed(text: str, cut: int) -> None:
    beginning = tame.tamed_markdown(text[:cut])
    assert tame.tamed_markdown(text).startswith(beginning)
