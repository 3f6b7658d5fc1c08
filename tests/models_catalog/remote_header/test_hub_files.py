from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from models_catalog.remote_header.hub_files import Hub, list_files
from models_catalog.remote_header.values import RemoteFile
from models_catalog.sources.faults import SourceFailed, SourceFault, SourceUnfit
from models_catalog.transfer.http_range import open_client
from models_catalog.transfer.patience import Patience
from tests.models_catalog.hub_server import COMMIT, Behaviour, ModelHub, Stored

REPOSITORY = "Qwen/Qwen3-8B-GGUF"


@pytest.fixture
async def client(patience: Patience) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(patience) as opened:
        yield opened


@pytest.fixture
def filled(model_hub: ModelHub) -> ModelHub:
    model_hub.files = {
        f"{REPOSITORY}/a-Q4_K_M.gguf": Stored(b"GGUF", 1000),
        f"{REPOSITORY}/sub/b 通.gguf": Stored(b"GGUF", 2000),
        f"{REPOSITORY}/README.md": Stored(b"#", 1),
        f"{REPOSITORY}/empty.gguf": Stored(b"", 0),
    }
    return model_hub


async def ask(
    hub: Hub, server: ModelHub, client: httpx.AsyncClient, repository: str = REPOSITORY
) -> tuple[RemoteFile, ...]:
    return await list_files(client, hub, repository, addresses=server.addresses, patience=Patience())


@pytest.mark.parametrize("hub", list(Hub))
async def test_gguf_files_with_sizes_and_hashes(hub: Hub, filled: ModelHub, client: httpx.AsyncClient) -> None:
    found = await ask(hub, filled, client)
    assert [(file.name, file.size_bytes) for file in found] == [("a-Q4_K_M.gguf", 1000), ("sub/b 通.gguf", 2000)]
    assert found[0].sha256 == filled.files[f"{REPOSITORY}/a-Q4_K_M.gguf"].sha256
    assert found[0].revision == COMMIT
    assert found[1].sources[0].url.endswith("/sub/b%20%E9%80%9A.gguf")
    assert len(filled.seen) == 1


async def test_hugging_face_is_held_to_the_commit_it_named(filled: ModelHub, client: httpx.AsyncClient) -> None:
    found = await ask(Hub.HUGGINGFACE, filled, client)
    assert f"/resolve/{COMMIT}/" in found[0].sources[0].url
    assert found[0].sources[0].headers == (("Authorization", "Bearer secret"),)


async def test_the_token_is_for_hugging_face_alone(filled: ModelHub, client: httpx.AsyncClient) -> None:
    for hub in Hub:
        await ask(hub, filled, client)
    tokens = {seen.route: seen.headers.get("Authorization") for seen in filled.seen}
    assert tokens == {"modelscope-list": None, "huggingface-list": "Bearer secret", "mirror-list": None}


@pytest.mark.parametrize(("hub", "status"), [(Hub.MODELSCOPE, 404), (Hub.HUGGINGFACE, 401), (Hub.HF_MIRROR, 401)])
async def test_a_repository_that_is_not_there(
    hub: Hub, status: int, filled: ModelHub, client: httpx.AsyncClient
) -> None:
    with pytest.raises(SourceUnfit) as caught:
        await ask(hub, filled, client, "No/Body")
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (Behaviour(body=b"not json"), SourceUnfit),
        (Behaviour(body=b"[]"), SourceUnfit),
        (Behaviour(body=b'{"Success":false}'), SourceUnfit),
        (Behaviour(body=b'{"Data":{"Files":[{"Path":7}]}}'), SourceUnfit),
        (Behaviour(body=b"<html>", headers={"Content-Type": "text/html"}), SourceUnfit),
        (Behaviour(body=b"[" * 100_000), SourceFault),
        (Behaviour(status=500), SourceFailed),
        (Behaviour(body=b" " * (17 * 1024 * 1024)), SourceUnfit),
    ],
)
async def test_listings_that_are_none(
    behaviour: Behaviour, error: type[Exception], filled: ModelHub, client: httpx.AsyncClient
) -> None:
    filled.script("modelscope-list", behaviour)
    with pytest.raises(error):
        await ask(Hub.MODELSCOPE, filled, client)


async def test_names_that_climb_or_hide_are_left_out(filled: ModelHub, client: httpx.AsyncClient) -> None:
    names = ["../up.gguf", "a/../../b.gguf", "new\nline.gguf", "back\\slash.gguf", "x" * 500 + ".gguf", "good.gguf"]
    body = json.dumps({"Data": {"Files": [{"Path": name, "Size": 5, "Sha256": "XYZ"} for name in names]}}).encode()
    filled.script("modelscope-list", Behaviour(body=body))
    found = await ask(Hub.MODELSCOPE, filled, client)
    assert [(file.name, file.sha256, file.revision) for file in found] == [("good.gguf", None, "")]
