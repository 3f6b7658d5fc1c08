"""Code as coloured HTML. Pygments is imported when the first code is drawn."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Final

from app.gui.theme.tokens import SyntaxColours

# Lexing 20,000 characters takes about 20 ms, and nobody reads colours in longer ones.
HIGHLIGHTED_CHARACTERS: Final = 20_000


@lru_cache(maxsize=64)
def highlighted(code: str, language: str, colours: SyntaxColours) -> str:
    """The code as HTML, coloured where its language is known and it is not too long."""
    if not language or len(code) > HIGHLIGHTED_CHARACTERS:
        return escape(code)
    from pygments import lex
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Token
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(code)
    colour_of = (
        (Token.Keyword, colours.keyword),
        (Token.Operator.Word, colours.keyword),
        (Token.Name.Function, colours.name),
        (Token.Name.Class, colours.name),
        (Token.Name.Builtin, colours.name),
        (Token.Name.Tag, colours.keyword),
        (Token.Literal.String, colours.string),
        (Token.Literal.Number, colours.number),
        (Token.Comment, colours.comment),
    )
    parts: list[str] = []
    for kind, value in lex(code, lexer):
        colour = next((colour for family, colour in colour_of if kind in family), None)
        parts.append(f'<span style="color:{colour}">{escape(value)}</span>' if colour else escape(value))
    return "".join(parts)
