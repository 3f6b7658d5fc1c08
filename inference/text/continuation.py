"""The prompt that continues an interrupted answer: the header of a new answer, followed by what there is of it.

Built on the very prompt the answer began with, not on the template's way of writing finished answers: templates trim
answers, drop their thinking or end them. So the tokens that the engine has already seen are met again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from inference.text.message_style import PROBE_REASONING, PROBE_TEXT
from inference.text.reasoning import ReasoningTags


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingLayout:
    """A thinking answer is `before`, `tags.open`, `lead`, thinking, `between` (it holds `tags.close`), answer."""

    tags: ReasoningTags
    before: str
    lead: str
    between: str


def thinking_layout(tags: ReasoningTags, sample: str | None) -> ThinkingLayout:
    """Read from `sample`, a rendered answer PROBE_TEXT with reasoning PROBE_REASONING; else the most usual layout."""
    opening, closing = re.escape(tags.open), re.escape(tags.close)
    full = re.search(f"(\\s*){opening}(\\s*){PROBE_REASONING}(\\s*{closing}\\s*){PROBE_TEXT}", sample or "")
    if full:
        return ThinkingLayout(tags=tags, before=full[1], lead=full[2], between=full[3])
    empty = re.search(f"(\\s*){opening}(\\s*){closing}(\\s*){PROBE_TEXT}", sample or "")
    if empty:
        line = "\n" if empty[2] else ""
        return ThinkingLayout(tags=tags, before=empty[1], lead=line, between=f"{line}{tags.close}{empty[3]}")
    return ThinkingLayout(tags=tags, before="", lead="\n", between=f"\n{tags.close}\n\n")


def continued(header: str, *, content: str, reasoning: str, layout: ThinkingLayout | None) -> str:
    """`header` ends where a new answer would begin. With reasoning but no content the thinking itself goes on."""
    if layout is None:
        return header + content
    if not reasoning:
        if content and opens_thinking(header, layout.tags):
            return header + layout.between + content
        return header + content
    if not opens_thinking(header, layout.tags):
        header = _without_closed_block(header, layout.tags)
        before = "" if header.endswith(layout.before) else layout.before
        header += before + layout.tags.open + layout.lead
    return header + reasoning + (layout.between + content if content else "")


def opens_thinking(prompt: str, tags: ReasoningTags | None) -> bool:
    """The prompt ends with an opened thinking block that holds nothing yet."""
    return tags is not None and prompt.rstrip().endswith(tags.open)


def _without_closed_block(header: str, tags: ReasoningTags) -> str:
    """A header that says "no thinking" by an empty block, without it: this answer has been thinking."""
    return re.sub(f"(?:{re.escape(tags.open)}\\s*)?{re.escape(tags.close)}\\s*\\Z", "", header)
