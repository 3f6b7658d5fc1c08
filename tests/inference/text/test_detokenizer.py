"""Bytes to characters, however they are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inference.text.detokenizer import Utf8Joiner

from . import pieces_of


def _joined(chunks: list[bytes]) -> str:
    joiner = Utf8Joiner()
    return "".join(map(joiner.feed, chunks)) + joiner.flush()


@given(st.text(), st.data())
def test_any_cut_gives_the_text(text: str, data: st.DataObject) -> None:
    whole = text.encode("utf-8", "ignore")
    assert _joined(data.draw(pieces_of(whole))) == whole.decode()


@given(st.binary(), st.data())
def test_wrong_bytes_give_the_same_replacements_however_they_are_cut(junk: bytes, data: st.DataObject) -> None:
    assert _joined(data.draw(pieces_of(junk))) == _joined([junk])


def test_a_character_appears_with_its_last_byte() -> None:
    joiner = Utf8Joiner()
    assert [joiner.feed(bytes([byte])) for byte in "量".encode()] == ["", "", "量"]


def test_a_wrong_byte_is_replaced_and_the_text_goes_on() -> None:
    assert _joined([b"a\xff", b"b"]) == "a\N{REPLACEMENT CHARACTER}b"


def test_an_answer_cut_off_inside_a_character_ends_before_it() -> None:
    assert _joined(["好".encode(), "量".encode()[:2]]) == "好"
