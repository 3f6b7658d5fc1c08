"""Markdown tokens as HTML for a text document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gui.theme.tokens import LIGHT
from app.gui.transcript.html import to_html
from app.gui.transcript.markdown import Prose, segments


def html_of(source: str) -> str:
    return "".join(to_html(one.tokens, LIGHT) for one in segments(source) if isinstance(one, Prose))


@pytest.mark.parametrize(
    "source",
    [
        "<img src='file:///etc/passwd'>",
        "![x](file:///etc/passwd)",
        "![x](http://evil.example/a.png)",
        "a <script>alert(1)</script>",
        "`<img src=x>`",
        "| <img src=x> |\n|--|\n| <b>y</b> |",
        '[x](http://a.example/"><img src=y>)',
    ],
)
def test_nothing_is_loaded_and_no_markup_of_the_text_survives(source: str) -> None:
    assert "<img" not in html_of(source)
    assert "<script" not in html_of(source)


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "//host/share", "x"]
)
def test_only_web_and_mail_links_are_links(target: str) -> None:
    assert "href" not in html_of(f"[x]({target})")


def test_links_tables_and_quotes() -> None:
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html_of("[x](https://example.org/a?b=1&c=2)")
    assert 'align="right"' in html_of("| a |\n|--:|\n| 1 |")
    assert "border-left" in html_of("> q")
    assert "<s>x</s>" in html_of("~~x~~")
    assert "一<br/>二" in html_of("一\n二")
    assert 'start="3"' in html_of("3. c")


@given(st.text(st.sampled_from("<>&\"'`*_[]()!#|-\n a量:/")))
def test_text_never_becomes_markup(source: str) -> None:
    assert "<img" not in html_of(source)


def test_deep_nesting_is_drawn_flat() -> None:
    quoted = html_of("> " * 15 + "x")
    assert quoted.count("<table") == quoted.count("</table>") == 3
    starred = html_of("*a **b " * 30 + "c** d* " * 30)
    assert 0 < starred.count("<em>") + starred.count("<strong>") <= 8
    assert starred.count("<em>") == starred.count("</em>")


def test_countless_spans_end_in_plain_text() -> None:
    many = html_of("*a* " * 2_000)
    assert many.count("<em>") == many.count("</em>") <= 100
    assert many.count("a") >= 2_000
