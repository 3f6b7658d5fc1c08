"""The doctor in a child: the same diagnosis, and one for a child that dies or hangs."""

from __future__ import annotations

import sys

import psutil
import pytest

from inference.text.doctor.subject import Subject, diagnose
from inference.worker.examination import examine_in_child
from tests.inference.text.templates import QWEN25

SUBJECT = Subject(template=QWEN25, bos="", eos="<|im_end|>", architecture="qwen2", name="Qwen")


async def test_the_same_diagnosis() -> None:
    assert await examine_in_child(SUBJECT) == diagnose(SUBJECT)


async def test_no_template() -> None:
    found = await examine_in_child(Subject(template=None, bos="", eos="", architecture="qwen", name="Qwen-7B-Chat"))
    assert (found.usable, found.offered, found.findings[0].key) == (False, "qwen1", "missing")


@pytest.mark.parametrize(
    ("behaviour", "limit"), [("import time; time.sleep(60)", "time"), ("import os; os._exit(3)", "memory")]
)
async def test_a_child_that_fails_is_a_finding(behaviour: str, limit: str) -> None:
    found = await examine_in_child(SUBJECT, command=[sys.executable, "-c", behaviour], seconds=1.0)
    assert [(finding.key, finding.fields) for finding in found.findings] == [("over_limit", {"limit": limit})]
    assert psutil.Process().children() == []
