"""The catalogue over HTTP, as the client asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.catalogue_values import CatalogueFit, CatalogueFound, CatalogueQuery
from app.client.http import ServiceClient
from app.errors import RemoteError
from tests.app.service.fakes import TOKEN, FakeWorld, Running, model, until

T = TypeVar("T")

OWN = """
id = "mine"
name = { zh = "我的", en = "Mine" }
vendor = { zh = "自己", en = "Myself" }
about = { zh = "。", en = "." }

[[models]]
id = "mine-1b"
name = { zh = "我的 1B", en = "Mine 1B" }
total_parameters = 1_000_000_000
licence = "apache-2.0"
abilities = ["chat"]
profile = "chatml"
plan_data = "qwen3-0.6b"
sources = [{ huggingface = "me/Mine-1B-GGUF@0123abc", modelscope = "me/Mine-1B-GGUF", confirmed = false }]
"""


async def ask(running: Running, question: Callable[[ServiceClient], T]) -> T:
    """As a face asks: in a thread, by the typed client."""

    def in_thread() -> T:
        with ServiceClient(running.base_url, TOKEN, "zh") as client:
            return question(client)

    return await asyncio.to_thread(in_thread)


async def search(running: Running, **query: Any) -> CatalogueFound:
    return await ask(running, lambda client: client.catalogue(CatalogueQuery(**query)))


def write_own(folder: Path, text: str = OWN) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "mine.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("text", ["千问 8b", "qianwen 8b", "qwen 8b"])
async def test_is_searched_in_chinese_pinyin_and_english(running: Running, text: str) -> None:
    found = await search(running, text=text, unconfirmed=True)
    assert "qwen3-8b" in [one.id for one in found.models[:12]]
    assert all(one.name.zh and one.name.en and one.vendor.zh for one in found.models)


async def test_filters_narrow_what_is_found(running: Running) -> None:
    everything = await search(running, unconfirmed=True)
    assert len(everything.models) > 100 and everything.hidden == 0
    narrow = await search(
        running,
        unconfirmed=True,
        abilities=("code",),
        min_parameters=1_000_000_000,
        max_parameters=8_000_000_000,
        commercial=True,
        states=("ready",),
    )
    expected = [
        one.id
        for one in everything.models
        if "code" in one.abilities
        and 1_000_000_000 <= one.total_parameters <= 8_000_000_000
        and one.commercial == "yes"
        and one.state == "ready"
    ]
    assert [one.id for one in narrow.models] == expected and expected
    by_vendor = await search(running, unconfirmed=True, vendor="智谱", licence="mit")
    assert by_vendor.models and {one.vendor.zh for one in by_vendor.models} == {"智谱 AI"}


async def test_unconfirmed_models_are_counted_and_not_shown(running: Running) -> None:
    shown, everything = await search(running), await search(running, unconfirmed=True)
    assert shown.hidden == len(everything.models) - len(shown.models) > 0
    assert all(one.confirmed for one in shown.models)


async def test_models_that_are_here_are_named(running: Running, world: FakeWorld) -> None:
    here = replace(model("coder"), path="/models/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf")
    by_origin = replace(model("hub"), path="/cache/x.gguf", origin="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF")
    gone = replace(here, id="gone", missing=True)
    world.shelf_models += [here, by_origin, gone, replace(here, id="tuned", path="/models/my-coder-1.5b.gguf")]
    found = await search(running, text="qwen2.5-coder-1.5b-instruct", unconfirmed=True)
    assert (found.models[0].id, found.models[0].local) == ("qwen2.5-coder-1.5b-instruct", ("coder", "hub"))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"abilities": ["flying"]}, "abilities"),
        ({"states": ["gone"]}, "states"),
        ({"abilities": "code"}, "abilities"),
        ({"max_parameters": "many"}, "max_parameters"),
        ({"text": 7}, "text"),
    ],
)
async def test_a_wrong_query_is_refused_in_words(running: Running, body: dict[str, Any], field: str) -> None:
    reply = await running.http.post("/liangli/v1/catalogue/search", json=body)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (400, "BadRequest") and field in error["message"]


async def test_own_models_are_found_and_changes_are_told(running: Running, tmp_path: Path) -> None:
    families = tmp_path / "data" / "families"
    assert (await search(running, text="mine-1b")).models == ()
    async with running.events() as events:
        write_own(families)
        (only,) = (await search(running, text="mine-1b")).models
        assert only.own and only.plannable
        await until(events, "catalogue")
    (families / "broken.toml").write_text('id = "x"', encoding="utf-8")
    (problem,) = (await search(running, text="mine-1b")).problems
    assert problem.path.endswith("broken.toml") and problem.problem


async def test_a_model_is_shown_with_the_pages_of_its_sources(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    write_own(tmp_path / "data" / "families")
    detail = await ask(running, lambda client: client.catalogue_model("mine-1b"))
    assert (detail.family.zh, detail.model.name.en) == ("我的", "Mine 1B")
    assert [(one.hub, one.address, one.confirmed) for one in detail.sources] == [
        ("modelscope", "https://modelscope.cn/models/me/Mine-1B-GGUF", False),
        ("huggingface", "https://mirror.example/me/Mine-1B-GGUF/tree/0123abc", False),
    ]
    with pytest.raises(RemoteError) as caught:
        await ask(running, lambda client: client.catalogue_model("qwen3-8"))
    assert (caught.value.code, caught.value.http_status) == ("CatalogueModelUnknown", 404)
    assert "qwen3-8b" in caught.value.fields["candidates"]


async def test_a_fit_follows_as_an_event_and_is_known_then(running: Running) -> None:
    async with running.events() as events:
        assert await ask(running, lambda client: client.catalogue_fits(("qwen3-0.6b", "no-such-model"))) == []
        told = await until(events, "catalogue_fit", model="qwen3-0.6b")
    assert told["error"] is None and told["quantization"] and told["verdict"]
    assert told["needed_bytes"] > told["size_bytes"] / 2 and told["budget_bytes"] > 0 and told["decode"][1] > 0
    (known,) = await ask(running, lambda client: client.catalogue_fits(("qwen3-0.6b",)))
    assert known == CatalogueFit(**(told | {"decode": tuple(told["decode"])}))
