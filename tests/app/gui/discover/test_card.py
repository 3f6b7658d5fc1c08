"""What a card says, and where its parts are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication

from app.catalogue_values import CatalogueFit
from app.gui.discover.card import Part, make_card
from app.gui.discover.card_places import Measures, places
from app.values import ErrorBody
from tests.app.gui.discover.discover_service import FITS, MODELS, status

BY_ID = {one.id: one for one in MODELS}


def test_a_model_that_fits_can_be_downloaded() -> None:
    card = make_card(BY_ID["qwen3-8b"], FITS["qwen3-8b"], None, "zh")
    assert card.title == "通义千问 Qwen3-8B" and card.facts == "阿里巴巴 · 82 亿参数 · Q4_K_M · Apache 2.0"
    assert card.badge == ("good", "合适") and card.action is Part.DOWNLOAD and card.primary
    assert (card.numbers, card.speed, card.size) == ("5.90 / 7.50 GB", "约 42 词元/秒", "5.03 GB")
    assert "合适" in card.spoken("zh") and "约 42 词元/秒" in card.spoken("zh")


def test_nothing_is_guessed_before_the_fit_is_known() -> None:
    card = make_card(BY_ID["qwen3-8b"], None, None, "zh")
    assert card.badge is None and card.filled is None and not card.speed and card.note == "正在试算……"
    assert card.action is Part.SEE and not card.primary
    distant = make_card(BY_ID["kimi-k2.6"], None, None, "zh")
    assert "选中它" in distant.note and distant.action is Part.SEE


def test_what_is_too_large_leads_to_something_else() -> None:
    card = make_card(BY_ID["qwen3-32b"], FITS["qwen3-32b"], None, "zh")
    assert card.badge == ("bad", "超出：还差 5.60 GB") and card.action is Part.ALTERNATIVE
    assert card.filled is not None and card.filled > 1


def test_what_cannot_be_had_says_why() -> None:
    card = make_card(BY_ID["qwen3-asr-0.6b"], None, None, "zh")
    assert card.badge == ("plain", "暂不支持") and card.action is None and "语音识别" in card.note
    old = make_card(BY_ID["chatglm-6b"], None, None, "zh")
    assert old.action is Part.ALTERNATIVE and old.badge == ("plain", "有后续型号")
    assert make_card(BY_ID["spark-x2"], None, None, "zh").badge == ("plain", "未经核实")


def test_what_is_here_begins_a_chat() -> None:
    here = BY_ID["qwen2.5-coder-1.5b"]
    assert make_card(here, FITS[here.id], None, "zh").action is Part.CHAT
    assert make_card(replace(here, abilities=("embedding",)), FITS[here.id], None, "zh").action is None
    converted = replace(here, state="needs_conversion")
    assert make_card(converted, FITS[here.id], None, "zh").badge == ("good", "合适")


def test_a_download_takes_the_place_of_the_button() -> None:
    glm = BY_ID["glm4-9b"]
    card = make_card(glm, FITS[glm.id], status("glm4-9b:Q4_K_M"), "zh")
    assert card.action is None and card.controls == (Part.PAUSE, Part.CANCEL)
    assert card.progress == pytest.approx(0.63) and card.progress_words == "63% · 剩 80 秒"
    paused = make_card(glm, None, status("glm4-9b", state="paused"), "zh")
    assert paused.controls == (Part.RESUME, Part.CANCEL)
    assert make_card(glm, FITS[glm.id], None, "zh", asked=True).progress == 0.0
    assert make_card(glm, FITS[glm.id], status("glm4-9b", state="done"), "zh").progress is None


def test_a_fit_that_could_not_be_told_says_why() -> None:
    refused = CatalogueFit(model="qwen3-8b", error=ErrorBody(code="PlanFailed", fields={}))
    card = make_card(BY_ID["qwen3-8b"], refused, None, "zh")
    assert card.note and card.badge is None and card.filled is None


@given(
    st.sampled_from(MODELS),
    st.booleans(),
    st.sampled_from((None, "transferring", "paused", "failed")),
    st.integers(min_value=300, max_value=1_200),
    st.sampled_from(("zh", "en")),
)
def test_parts_never_lie_over_each_other(
    qapp: QApplication, chosen: object, known: bool, state: str | None, width: int, language: str
) -> None:
    one = next(one for one in MODELS if one is chosen)
    card = make_card(
        one,
        FITS.get(one.id) if known else None,
        status(one.id, state=state) if state else None,
        "zh" if language == "zh" else "en",
    )
    where = places(card, QRect(0, 0, width, 124), Measures(), "查看替代")
    for part in (*(place for _, place in where.presses), where.title, where.facts, where.bar):
        assert part.isEmpty() or where.card.contains(part)
    solid = [where.title, where.badge, where.ring, where.progress, *(place for _, place in where.presses)]
    low = [where.bar, where.numbers, where.speed, where.size]
    shown = [place for place in (*solid, *low) if not place.isEmpty()]
    for at, place in enumerate(shown):
        for other in shown[at + 1 :]:
            assert not place.intersects(other), (card.title, width)
