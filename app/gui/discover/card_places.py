"""Where the parts of a card are: the same answer for painting and for pressing."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QFontMetrics

from app.gui.discover.card import Card, Part
from app.gui.theme.fonts import ui_font

CARD_HEIGHT = 112
GAP = 10
PADDING = 16
AVATAR = 40
BUTTON_HEIGHT = 34
CONTROL = 28
RING = 20
ICON = 14
# Below this the button stands under the title instead of beside it.
NARROW = 500
LEAST_BAR = 56
TITLE_TOP, FACTS_TOP, LOW_TOP = 13, 40, 80
BADGE_HEIGHT = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """All in the coordinates of the view. An empty rectangle: the part is not there."""

    card: QRect
    avatar: QRect
    title: QRect
    badge: QRect
    facts: QRect
    bar: QRect
    numbers: QRect
    speed: QRect
    size: QRect
    note: QRect
    ring: QRect
    progress: QRect
    presses: tuple[tuple[Part, QRect], ...]

    def part_at(self, point: QPoint) -> Part | None:
        """What is pressed there."""
        return next((part for part, place in self.presses if place.contains(point)), None)


class Measures:
    """The fonts of a card with their measures; made once for each view."""

    def __init__(self) -> None:
        self.title = ui_font(15, 600)
        self.small = ui_font(12)
        self.strong = ui_font(12, 500)
        self.button = ui_font(14, 500)
        self.title_metrics = QFontMetrics(self.title)
        self.small_metrics = QFontMetrics(self.small)
        self.strong_metrics = QFontMetrics(self.strong)
        self.button_metrics = QFontMetrics(self.button)


def places(card: Card, item: QRect, measures: Measures, action_words: str) -> Places:
    """item: what the view gives one row, the gap below it included."""
    frame = QRect(item.left() + 1, item.top() + 1, item.width() - 2, CARD_HEIGHT)
    left, right = frame.left() + PADDING, frame.right() - PADDING
    narrow = frame.width() < NARROW
    avatar = QRect(left, frame.top() + PADDING, AVATAR, AVATAR)
    text_left = left + AVATAR + 13
    button_top = frame.top() + (LOW_TOP - 16 if narrow else PADDING + 2)
    ring, progress, presses, taken = _presses(card, right, button_top, measures, action_words)
    text_right = right if narrow or not taken else right - taken - 12
    title, badge = _title(card, text_left, text_right, frame.top(), measures)
    facts_right = right if narrow else text_right
    facts = QRect(text_left, frame.top() + FACTS_TOP, max(0, facts_right - text_left), 20)
    low_right = right - taken - 12 if narrow and taken else right
    low = QRect(left, frame.top() + LOW_TOP, max(0, low_right - left), 20)
    bar, numbers, speed, size = _low(card, low, measures)
    return Places(
        card=frame,
        avatar=avatar,
        title=title,
        badge=badge,
        facts=facts,
        bar=bar,
        numbers=numbers,
        speed=speed,
        size=size,
        note=low if card.note else QRect(),
        ring=ring,
        progress=progress,
        presses=presses,
    )


def _title(card: Card, left: int, right: int, top: int, measures: Measures) -> tuple[QRect, QRect]:
    badge_width = 0
    if card.badge is not None:
        tone, words = card.badge
        badge_width = measures.strong_metrics.horizontalAdvance(words) + (18 if tone == "plain" else 37)
    wanted = measures.title_metrics.horizontalAdvance(card.title) + 2
    room = right - left - (badge_width + 10 if badge_width else 0)
    title = QRect(left, top + TITLE_TOP, max(40, min(wanted, room)), BADGE_HEIGHT)
    badge = QRect(title.right() + 11, title.top(), badge_width, BADGE_HEIGHT) if badge_width else QRect()
    return title, badge


def _presses(
    card: Card, right: int, top: int, measures: Measures, action_words: str
) -> tuple[QRect, QRect, tuple[tuple[Part, QRect], ...], int]:
    """Ring, words of the progress, what can be pressed, and the width that all of it takes."""
    if card.progress is not None:
        middle = top + BUTTON_HEIGHT // 2
        presses = []
        at = right
        for part in reversed(card.controls):
            at -= CONTROL
            presses.append((part, QRect(at, middle - CONTROL // 2, CONTROL, CONTROL)))
            at -= 4
        width = measures.strong_metrics.horizontalAdvance(card.progress_words) + 2
        words = QRect(at - 6 - width, middle - 10, width, 20)
        ring = QRect(words.left() - 8 - RING, middle - RING // 2, RING, RING)
        return ring, words, tuple(reversed(presses)), right - ring.left()
    if card.action is not None:
        icon = 0 if card.action in (Part.ALTERNATIVE, Part.SEE) else 17 + 7
        width = measures.button_metrics.horizontalAdvance(action_words) + icon + 30
        return QRect(), QRect(), ((card.action, QRect(right - width, top, width, BUTTON_HEIGHT)),), width
    return QRect(), QRect(), (), 0


def _low(card: Card, low: QRect, measures: Measures) -> tuple[QRect, QRect, QRect, QRect]:
    """From the right: size, speed, numbers; the bar takes what is left. The numbers go first where it is narrow."""
    if card.filled is None:
        return QRect(), QRect(), QRect(), QRect()
    metrics = measures.small_metrics
    widths = {name: metrics.horizontalAdvance(getattr(card, name)) for name in ("size", "speed", "numbers")}
    needed = widths["size"] + widths["speed"] + 2 * (ICON + 6 + 16)
    with_numbers = needed + widths["numbers"] + 10
    shows_numbers = low.width() - with_numbers >= LEAST_BAR
    shows_size = low.width() - needed >= LEAST_BAR
    at = low.right() + 1
    size = speed = numbers = QRect()
    if shows_size and card.size:
        at -= widths["size"] + ICON + 6
        size = QRect(at, low.top(), widths["size"] + ICON + 8, low.height())
        at -= 16
    if card.speed:
        at -= widths["speed"] + ICON + 6
        speed = QRect(at, low.top(), widths["speed"] + ICON + 8, low.height())
        at -= 16
    if shows_numbers:
        at -= widths["numbers"]
        numbers = QRect(at, low.top(), widths["numbers"] + 2, low.height())
        at -= 10
    return QRect(low.left(), low.top(), max(0, at - low.left()), low.height()), numbers, speed, size
