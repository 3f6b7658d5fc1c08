"""What the doctor says of a model's template, over HTTP."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.service.template_reports import TemplateReports
from app.service.templates import Templates
from inference.text.doctor.subject import Subject
from inference.text.doctor.values import Diagnosis
from tests.app.service.fakes import Running, model
from tests.tiny_models import write_tiny_llama


@pytest.mark.skipif(os.name != "posix", reason="needs a child process")
async def test_a_template_is_examined(running: Running, tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "tiny.gguf", template="{{ raise_exception('no chats') }}")
    running.world.shelf_models = [replace(model("tiny"), path=str(path))]
    found = await running.ask("GET", "/models/tiny/template")
    assert (found["model"], found["severity"], found["usable"]) == ("tiny", "broken", False)
    assert found["findings"] == [{"key": "refuses_all", "severity": "broken", "fields": {"detail": "no chats"}}]


async def test_the_names_of_all_profiles(running: Running) -> None:
    assert {"chatml", "baichuan", "rwkv-world"} <= set(await running.ask("GET", "/chat-profiles"))


async def test_each_template_is_examined_once(tmp_path: Path) -> None:
    seen: list[Subject] = []

    async def examine(subject: Subject) -> Diagnosis:
        seen.append(subject)
        return Diagnosis(findings=())

    templates = Templates(TemplateReports(tmp_path / "templates.json"), examine=examine)
    first = replace(model("a"), path=str(write_tiny_llama(tmp_path / "a.gguf")))
    other = replace(model("b"), path=str(write_tiny_llama(tmp_path / "b.gguf", template="{{ messages[0].content }}")))
    for one in (first, other, first):
        assert (await templates.diagnosis(one)).usable
    assert [subject.template == "{{ messages[0].content }}" for subject in seen] == [False, True]
    again = Templates(TemplateReports(tmp_path / "templates.json"), examine=examine)
    assert (await again.diagnosis(other)).usable
    assert again.known(replace(other, size_bytes=1)) is None
    assert len(seen) == 2


async def test_a_model_that_is_not_here(running: Running) -> None:
    reply = await running.http.get("/liangli/v1/models/nothing/template")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "ModelMissing")
