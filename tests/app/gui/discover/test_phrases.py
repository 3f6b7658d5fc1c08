"""What is said of models and downloads."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.download_values import DownloadState
from app.gui.discover import phrases
from app.values import Language
from resources import wording
from tests.app.gui.discover.discover_service import FITS, MODELS, status


@pytest.mark.parametrize(
    ("count", "zh", "en"),
    [
        (8_000_000_000, "80 亿", "8B"),
        (8_200_000_000, "82 亿", "8.2B"),
        (600_000_000, "6 亿", "600M"),
        (335_000_000, "3.35 亿", "335M"),
        (24_000_000, "2400 万", "24M"),
        (743_000_000_000, "7430 亿", "743B"),
        (2_400_000_000_000, "2.4 万亿", "2.4T"),
        (1_000_000_000_000, "1 万亿", "1T"),
        (999_900_000, "10 亿", "1B"),
        (512, "512", "512"),
    ],
)
def test_parameters_are_counted_as_people_say_them(count: int, zh: str, en: str) -> None:
    assert phrases.parameter_count(count, "zh") == zh and phrases.parameter_count(count, "en") == en


@given(st.integers(min_value=1, max_value=10**14), st.sampled_from(("zh", "en")))
def test_a_count_is_short_and_never_in_exponents(count: int, language: Language) -> None:
    shown = phrases.parameter_count(count, language)
    assert len(shown) <= 9 and "e" not in shown.lower()


def test_active_parameters_are_told() -> None:
    assert phrases.parameters(MODELS[2], "zh") == "305 亿参数（激活 33 亿）"
    assert phrases.parameters(MODELS[2], "en") == "30.5B parameters (3.3B active)"


def test_what_is_missing_is_said_with_the_verdict() -> None:
    assert phrases.verdict(FITS["qwen3-32b"], "zh") == "超出：还差 5.60 GB"
    assert phrases.verdict(FITS["qwen3-8b"], "en") == "fits"
    assert phrases.verdict(replace(FITS["qwen3-8b"], verdict=None), "zh") == "无法试算"


def test_speed_is_one_number() -> None:
    assert phrases.speed((30.0, 41.6, 50.0), "zh") == "约 42 词元/秒"
    assert phrases.speed((1.0, 1.52, 2.0), "en") == "about 1.5 tokens/s"


def test_a_download_is_told_by_its_state() -> None:
    assert phrases.download(status("a"), "zh") == "63% · 剩 80 秒"
    assert phrases.download(status("a", remaining_seconds=None), "zh") == "63%"
    assert phrases.download(status("a", state="verifying", checked_bytes=625_000_000), "zh") == "正在校验 10%"
    assert phrases.download(status("a", state="queued", outside_hours=True), "zh") == "等待允许下载的时段"
    assert phrases.percent(status("a", total_bytes=0)) == 0


def test_every_state_and_ability_has_words() -> None:
    for state in get_args(DownloadState):
        assert phrases.download(status("a", state=state), "en")
    assert len(phrases.abilities(phrases.ABILITIES, "zh")) == len(phrases.ABILITIES)
    assert phrases.abilities(("vision", "chat", "flying"), "zh") == ["对话", "看图"]
    for commercial in ("yes", "form", "no", "unknown"):
        assert wording.text(f"discover.commercial.{commercial}", "zh")
