"""Text that comes from outside: standard input and arguments, in whatever encoding they are."""

from __future__ import annotations

import os
import stat
import sys


def decode(content: bytes) -> str:
    """Bytes as text: UTF-8 (with or without a mark), UTF-16 with its mark, or the GB 18030 of older Chinese files."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", "replace")


def argument_text(argument: str) -> str:
    """An argument of the command line; bytes that were not of the locale's encoding are decoded as above."""
    return decode(os.fsencode(argument)) if any("\udc80" <= one <= "\udcff" for one in argument) else argument


def read_piped_text() -> str:
    """All of standard input when it is a pipe, file or socket; "" for a terminal, a device, or none at all."""
    if sys.stdin is None:
        return ""
    try:
        kind = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return ""
    if not (stat.S_ISFIFO(kind) or stat.S_ISREG(kind) or stat.S_ISSOCK(kind)):
        return ""
    return decode(sys.stdin.buffer.read())


def joined(prompt: str, piped: str) -> str:
    """The prompt and below it the piped text; surrounding blank lines go."""
    return "\n\n".join(part for part in (prompt.strip(), piped.strip()) if part)
