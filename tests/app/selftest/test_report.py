"""The report: in words, for machines, and without anything private."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path

import pytest

from app.errors import ServiceUnreachable
from app.selftest import report
from app.selftest.course import make_checks
from app.selftest.values import Check, Finding, Result, Surroundings
from resources import wording


def surroundings(tmp_path: Path, **environment: str) -> Surroundings:
    return Surroundings(
        environment=environment,
        language="en",
        data_folder=tmp_path / "data",
        scratch=tmp_path / "scratch",
        has_display=False,
        screenshot=None,
    )


def test_a_check_that_breaks_or_hangs_does_not_keep_the_others_from_being_made() -> None:
    def breaks() -> Finding:
        raise ServiceUnreachable(address="http://127.0.0.1:1")

    never = threading.Event()

    def hangs() -> Finding:
        never.wait()
        return Finding(seen=("input_system",))

    checks = [
        Check(name="service", look=breaks, limit_seconds=5),
        Check(name="window", look=hangs, limit_seconds=0.02),
        Check(name="input", look=lambda: Finding(seen=("input_system",)), limit_seconds=5),
    ]
    results = list(make_checks(checks, "en", limit_seconds=20))
    never.set()
    assert [result.finding.verdict for result in results] == ["failed", "failed", "ok"]
    assert results[0].finding.facts["error"] == "ServiceUnreachable"
    assert results[1].finding.seen == ("too_slow",)
    assert report.worst(results) == "failed"


def test_what_there_is_no_time_for_is_said_not_to_be_checked() -> None:
    check = Check(name="input", look=lambda: Finding(seen=("input_system",)), limit_seconds=5)
    begun = time.monotonic()
    (result,) = make_checks([check], "zh", limit_seconds=0)
    assert (result.finding.verdict, result.finding.seen) == ("warning", ("no_time",))
    assert time.monotonic() - begun < 1


def test_an_error_without_words_of_its_own_is_told_by_its_name() -> None:
    def breaks() -> Finding:
        raise PermissionError("no")

    (result,) = make_checks([Check(name="clock", look=breaks, limit_seconds=5)], "zh", limit_seconds=5)
    assert result.finding.facts["error"] == "PermissionError"
    assert "PermissionError: no" in result.finding.facts["reason"]


def test_nothing_private_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "王小明")
    around = surroundings(tmp_path, HOME="/home/王 小明😀", LIANGLI_HOME="/mnt/大盘/liangli")
    privacy = report.Privacy(around)
    facts = {
        "paths": ["/home/王 小明😀/.local", "/mnt/大盘/liangli/logs"],
        "reason": f"cannot write {tmp_path}/scratch/data or /media/王小明/usb",
        "count": 3,
    }
    result = Result(name="folders", finding=Finding(verdict="failed", seen=("broken",), facts=facts), seconds=0.1)
    whole = report.as_json([result], "zh", privacy, 0.1)
    said = json.dumps(whole, ensure_ascii=False) + report.line(result, "zh", privacy)
    assert "小明" not in said
    assert whole["checks"][0]["facts"] == {
        "paths": ["~/.local", "$LIANGLI_HOME/logs"],
        "reason": "cannot write $SCRATCH/data or /media/…/usb",
        "count": 3,
    }


def test_every_sentence_that_is_said_has_words() -> None:
    folder = Path(report.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    table = wording._file("selftest")["seen"]
    for key in re.findall(r'seen=\("(\w+)"', source) + re.findall(r'seen [+=]+ \["(\w+)"', source):
        assert key in table, key
    for ending in ("failed", "hangs", "illegal_instruction", "no_device", "two_copies"):
        assert f"engine_{ending}" in table


def test_a_line_says_the_facts(tmp_path: Path) -> None:
    finding = Finding(seen=("service",), facts={"start_seconds": 1.25})
    result = Result(name="service", finding=finding, seconds=1.3)
    privacy = report.Privacy(surroundings(tmp_path))
    assert report.line(result, "en", privacy) == "✓ Service: It answered after 1.2 s. (1.30 s)"
    assert report.line(result, "zh", privacy) == "✓ 后台服务：1.2 秒后可以应答。 (1.30 s)"
    assert report.last_line([result], "en", 2.0) == "All 1 checks passed in 2.0 s."
