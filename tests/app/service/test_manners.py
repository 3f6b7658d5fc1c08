"""From what the catalogue says of a model to how its engine is to talk to it."""

from __future__ import annotations

from dataclasses import replace

from app.service.manners import Manners, manner_of
from app.values import LocalModel
from inference.text.profiles import find_profile
from inference.values import SamplingAdvice
from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.values import Model
from tests.app.service.fakes import Running, model

MODELS = {one.id: one for one in KeptIndex().get().index.models}


def test_a_model_that_thinks() -> None:
    manner = manner_of(MODELS["qwen3-8b"])
    assert manner.thinking is not None
    assert (manner.thinking.open, manner.thinking.soft_off) == ("<think>", "/no_think")
    assert (manner.sampling_thinking.temperature, manner.sampling_answering.temperature) == (0.6, 0.7)
    assert manner.stop == ("<|im_end|>", "<|endoftext|>")
    assert not manner.own_is_wrong


def test_a_model_with_one_sampling_for_all() -> None:
    manner = manner_of(MODELS["qwen2.5-7b-instruct"])
    assert manner.thinking is None
    assert manner.sampling_thinking == manner.sampling_answering
    assert manner.sampling_answering == SamplingAdvice(temperature=0.7, top_p=0.8, top_k=20, repeat_penalty=1.05)


def test_a_model_whose_turns_are_marked_by_tokens() -> None:
    manner = manner_of(MODELS["baichuan2-7b-chat"])
    assert (manner.template, manner.own_is_wrong) == ("baichuan", True)


def test_every_template_that_is_named_is_there() -> None:
    for one in MODELS.values():
        template = manner_of(one).template
        assert template is None or find_profile(template) is not None, one.id


async def test_a_broken_catalogue_keeps_no_model_from_loading() -> None:
    async def broken(file: LocalModel) -> Model | None:
        raise OSError

    assert await Manners(broken).of(model("a")) is None


async def test_what_is_used_is_shown(running: Running) -> None:
    file = replace(model("qwen-coder"), path="/m/Qwen2.5-Coder-0.5B-Instruct-Q4_K_M.gguf")
    running.world.shelf_models = [file, model("nobody")]
    reply = await running.http.get("/v1/models")
    listed = {one["id"]: one["liangli"] for one in reply.json()["data"]}
    assert listed["qwen-coder"]["catalogue_model"] == "qwen2.5-coder-0.5b-instruct"
    assert listed["qwen-coder"]["sampling_defaults"]["answering"]["top_k"] == 20
    assert listed["nobody"]["catalogue_model"] == ""
    assert listed["nobody"]["sampling_defaults"]["answering"]["top_k"] == 40
    status = await running.ask("POST", "/engines/load", {"model": "qwen-coder"})
    assert status["catalogue_model"] == "qwen2.5-coder-0.5b-instruct"
    manner = running.world.engines[0].plan.manner
    assert manner is not None
    assert manner.sampling_answering.top_k == 20
