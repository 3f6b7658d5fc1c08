"""Markdown tokens as the HTML that a QTextDocument draws. Nothing in it refers to a file or an address to load."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from app.gui.theme.fonts import MONO_FAMILIES
from app.gui.theme.tokens import READING, Theme
from app.gui.transcript.tame import with_breaks

if TYPE_CHECKING:
    from markdown_it.token import Token

_MONO = ",".join(f"'{family}'" for family in MONO_FAMILIES)
# Deeper ones are drawn like the last level: Qt's time for nested tables and spans grows with their depth squared.
QUOTE_LEVELS = 3
SPAN_LEVELS = 8
# Nor does it bear thousands of spans in one paragraph: those after the first are plain.
SPANS = 100
_ALLOWED_LINKS = ("http://", "https://", "mailto:")


def style(theme: Theme) -> str:
    """The default style sheet of a prose document.

    Line heights are parts of the font's own, which for Chinese faces is 1.45 em: 120 % of it is 1.74 em.
    """
    return f"""
    p, li {{ line-height: 120%; margin-top: 0; margin-bottom: 10px; color: {theme.text}; }}
    li p {{ margin-bottom: 2px; }}
    ul, ol {{ margin-top: 0; margin-bottom: 8px; margin-left: 0; -qt-list-indent: 1; }}
    li {{ margin-bottom: 5px; }}
    h1 {{ font-size: {READING + 6}px; margin-top: 12px; margin-bottom: 10px; }}
    h2 {{ font-size: {READING + 4}px; margin-top: 12px; margin-bottom: 8px; }}
    h3, h4, h5, h6 {{ font-size: {READING + 1}px; margin-top: 10px; margin-bottom: 6px; }}
    td, th {{ line-height: 110%; }}
    """


def to_html(tokens: Sequence[Token], theme: Theme) -> str:
    """The body of a document for these top-level tokens."""
    parts: list[str] = []
    quotes = 0
    for token in tokens:
        quotes += token.nesting if token.type.startswith("blockquote") else 0
        match token.type:
            case "blockquote_open" if quotes > QUOTE_LEVELS:
                pass
            case "blockquote_close" if quotes >= QUOTE_LEVELS:
                pass
            case "inline":
                parts.append(_inline(token.children or (), theme))
            case "fence" | "code_block":  # inside a list or a quotation
                parts.append(_nested_code(token.content, theme))
            case "hr":
                parts.append(f'<p style="color:{theme.border_strong}">' + "─" * 12 + "</p>")
            case "table_open":
                parts.append(
                    '<table border="1" cellspacing="0" cellpadding="7" style="margin-top:8px;margin-bottom:12px;'
                    f'border-collapse:collapse;border-style:solid;border-color:{theme.border_strong}">'
                )
            case "blockquote_open":
                parts.append(
                    '<table border="0" cellspacing="0" cellpadding="0" style="margin-bottom:8px"><tr>'
                    f'<td style="border-left:3px solid {theme.border_strong};padding-left:12px">'
                )
            case "blockquote_close":
                parts.append("</td></tr></table>")
            case _ if token.hidden or not token.tag:
                pass
            case _ if token.nesting == 1:
                parts.append(_opening(token, theme))
            case _ if token.nesting == -1:
                parts.append(f"</{token.tag}>")
    return "".join(parts)


def _opening(token: Token, theme: Theme) -> str:
    extra = ""
    align = str(token.attrGet("style") or "").removeprefix("text-align:")
    if align in ("left", "center", "right"):
        extra += f' align="{align}"'
    if token.type == "th_open":
        extra += f' bgcolor="{theme.sunken}"'
    start = token.attrGet("start")
    if token.type == "ordered_list_open" and isinstance(start, int):
        extra += f' start="{start}"'
    return f"<{token.tag}{extra}>"


def _inline(children: Sequence[Token], theme: Theme) -> str:
    parts: list[str] = []
    closings: list[str] = []
    spans = 0
    for token in children:
        if token.nesting == 1:
            spans += 1
            drawn = len(closings) < SPAN_LEVELS and spans <= SPANS
            opening, closing = _span(token, theme) if drawn else ("", "")
            parts.append(opening)
            closings.append(closing)
        elif token.nesting == -1:
            parts.append(closings.pop())
        else:
            parts.append(_leaf(token, theme))
    return "".join(parts)


def _span(token: Token, theme: Theme) -> tuple[str, str]:
    if token.type == "link_open":
        return _link(str(token.attrGet("href") or ""), theme), "</a>"
    return f"<{token.tag}>", f"</{token.tag}>"


def _leaf(token: Token, theme: Theme) -> str:
    match token.type:
        case "code_inline":
            return _inline_code(token.content, theme)
        case "softbreak" | "hardbreak":
            # Chat models end lines where they mean it, and a joining space is wrong between Chinese characters.
            return "<br/>"
        case "image":  # never fetched: its description, as a link that asks
            return _link(str(token.attrGet("src") or ""), theme) + f"[{escape(token.content or 'image')}]</a>"
        case _:
            return escape(with_breaks(token.content))


def _link(target: str, theme: Theme) -> str:
    if not target.lower().startswith(_ALLOWED_LINKS):
        return "<a>"
    return f'<a href="{escape(target)}" style="color:{theme.accent};text-decoration:underline">'


def _inline_code(content: str, theme: Theme) -> str:
    return (
        f'<span style="background-color:{theme.hover};color:{theme.text};font-family:{_MONO};'
        f'font-size:{READING - 2}px">{escape(with_breaks(content))}</span>'
    )


def _nested_code(content: str, theme: Theme) -> str:
    lines = escape(with_breaks(content.rstrip("\n"))).replace(" ", "&nbsp;").replace("\n", "<br/>")
    return (
        '<table border="0" cellspacing="0" cellpadding="8" width="100%" style="margin-bottom:8px">'
        f'<tr><td bgcolor="{theme.sunken}" style="font-family:{_MONO};font-size:13px">{lines}</td></tr></table>'
    )
