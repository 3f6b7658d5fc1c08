"""Downloads in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import get_args

import pytest

from app.download_values import DownloadState
from app.gui.downloads.telling import (
    TONES,
    fraction,
    long_time,
    model_of,
    progress_words,
    shown_name,
    source_words,
    state_words,
)
from tests.app.gui.downloads.queue_service import TRANSFERRING, download
from tests.app.gui.fake_service import MODEL


@pytest.mark.parametrize("state", get_args(DownloadState))
def test_every_state_has_words_and_a_tone(state: DownloadState) -> None:
    for language in ("zh", "en"):
        assert state_words(download(1, state), "", None, language)
    assert state in TONES


def test_a_state_says_what_it_waits_for_and_how_far_a_check_is() -> None:
    night = download(1, outside_hours=True)
    assert state_words(night, "22:30-07:00", None, "zh") == "等到 22:30 再下载"
    assert state_words(night, "broken", None, "en") == "Waits until broken"
    since = datetime(2026, 11, 24, 22, 31)
    assert state_words(download(1, "waiting"), "", since, "zh").startswith("22:31 起")
    assert state_words(download(1, "verifying", checked_bytes=3_150_000_000), "", None, "zh") == "正在校验 63%"


def test_progress_and_source() -> None:
    assert progress_words(TRANSFERRING, "zh") == "2.50 GB / 5.00 GB · 12.4 MB/s · 还需 3 分 22 秒"
    assert source_words(TRANSFERRING, "zh") == "来自 ModelScope · 4 个连接"
    assert source_words(replace(TRANSFERRING, source="Python package index", connections=1), "en") == (
        "from Python package index · 1 connection"
    )
    assert progress_words(download(2), "zh") == "5.00 GB"
    assert progress_words(download(2, total_bytes=0), "zh") == ""
    assert source_words(download(2, "paused", source="ModelScope"), "zh") == ""


def test_a_bar_is_shown_only_where_it_says_something() -> None:
    assert fraction(TRANSFERRING) == 0.5
    assert fraction(download(1, "verifying", checked_bytes=1_250_000_000)) == 0.25
    assert fraction(replace(TRANSFERRING, received_bytes=6_000_000_000)) == 1.0
    for status in (download(1), download(1, "done"), replace(TRANSFERRING, total_bytes=0)):
        assert fraction(status) is None


def test_a_name_says_nothing_twice() -> None:
    assert shown_name(download(1, name="Qwen3-8B-GGUF Q4_K_M")) == "Qwen3-8B"
    assert shown_name(download(1, name="Qwen3-8B")) == "Qwen3-8B"
    assert shown_name(download(1, name="", model="a/b.gguf")) == "a/b.gguf"


def test_long_times_without_seconds() -> None:
    assert long_time(42, "zh") == "42 秒"
    assert long_time(5_400, "zh") == "1 小时 30 分"
    assert long_time(400_000, "en") == "about 5 days"


def test_a_finished_download_is_found_among_the_models() -> None:
    done = download(1, "done", files=("Qwen/Qwen3-1B-GGUF/a.gguf", "Qwen/Qwen3-1B-GGUF/mmproj.gguf"))
    here = replace(MODEL, path="D:\\models\\Qwen\\Qwen3-1B-GGUF\\a.gguf")
    assert model_of(done, (MODEL, here)) == here
    assert model_of(done, (MODEL, replace(here, place="added"))) is None
    starter = replace(done, id="starter:q", name=MODEL.name, files=())
    assert model_of(starter, (MODEL,)) == MODEL
