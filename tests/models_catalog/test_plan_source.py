"""From what is typed to plan data, over hubs that speak as the real ones do; requests are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from models_catalog.errors import (
    AddressNotUnderstood,
    ModelFileMissing,
    QuantizationMissing,
    RemoteAnswerWrong,
    RemoteClosed,
    RemoteMissing,
    RemoteUnreachable,
    RepositoryWithoutGguf,
)
from models_catalog.gguf.plan_data import ORIGIN, model_file_bytes, read_plan_data
from models_catalog.gguf.screen import screen_plan_data
from models_catalog.plan_cache import PlanCache
from models_catalog.plan_source import PlanSource
from models_catalog.remote_header.kept_listings import KeptListings
from models_catalog.remote_header.values import RemoteFile
from models_catalog.starter import starters
from models_catalog.transfer.patience import Patience
from tests.models_catalog.gguf.hostile import sound_models
from tests.models_catalog.hub_server import Behaviour, ModelHub, Stored
from tests.models_catalog.remote_header.conftest import F16, Q8_0, quantized, stored, with_large_vocabulary
from tests.tiny_models import write_tiny_llama

REPOSITORY = "Qwen/Tiny-GGUF"


@pytest.fixture
def model_hub() -> Iterator[ModelHub]:
    server = ModelHub()
    model = with_large_vocabulary(sound_models()["qwen2"], 3_000)
    server.files = {
        f"{REPOSITORY}/tiny-q8_0.gguf": stored(quantized(model, Q8_0, name="Tiny", file_type=7)),
        f"{REPOSITORY}/tiny-f16.gguf": stored(quantized(model, F16, name="Tiny", file_type=1)),
        f"{REPOSITORY}/mmproj-f16.gguf": Stored(b"GGUF", 100),
        "Only/Text": Stored(b"#", 1),
        "Only/Text/README.md": Stored(b"#", 1),
    }
    yield server
    server.close()


@pytest.fixture
def source(model_hub: ModelHub, patience: Patience, tmp_path: Path) -> PlanSource:
    return PlanSource(cache=PlanCache(tmp_path / "plans"), addresses=model_hub.addresses, patience=patience)


async def test_all_quantizations_of_a_repository(source: PlanSource, model_hub: ModelHub) -> None:
    q8, f16 = await source.resolve(REPOSITORY)
    assert (q8.name, f16.name) == ("Q8_0", "F16")
    assert q8.size_bytes == model_hub.files[f"{REPOSITORY}/tiny-q8_0.gguf"].size_bytes
    assert q8.sha256 == model_hub.files[f"{REPOSITORY}/tiny-q8_0.gguf"].sha256
    assert q8.origin == f16.origin == f"modelscope:{REPOSITORY}"
    for quantization in (q8, f16):
        header = screen_plan_data(read_plan_data(await source.plan_data_of(quantization), "x"))
        assert header.quantization == quantization.name
        assert model_file_bytes(header) == quantization.size_bytes
        assert header.text(ORIGIN) == q8.origin
    assert model_hub.routes() == ["modelscope-list", *["modelscope", "cdn"] * 3]


async def test_what_was_read_once_is_not_asked_for_again(
    source: PlanSource, model_hub: ModelHub, patience: Patience, tmp_path: Path
) -> None:
    (q8,) = await source.resolve(f"{REPOSITORY}:q8_0")
    first = await source.plan_data_of(q8)
    asked = len(model_hub.seen)
    later = PlanSource(cache=PlanCache(tmp_path / "plans"), addresses=model_hub.addresses, patience=patience)
    assert await later.plan_data_of(q8) == first
    # The same bytes on another hub are the same model.
    (elsewhere,) = await later.resolve(f"hf.co/{REPOSITORY}:Q8_0")
    assert await later.plan_data_of(elsewhere) == first
    assert model_hub.routes()[asked:] == ["huggingface-list"]


async def test_without_a_hub_named_the_next_one_is_asked(source: PlanSource, model_hub: ModelHub) -> None:
    model_hub.script("modelscope-list", always=Behaviour(status=404))
    model_hub.script("huggingface-list", always=Behaviour(status=502))
    found = await source.resolve(f"{REPOSITORY}:F16")
    assert found[0].origin == f"hf-mirror:{REPOSITORY}"
    assert await source.plan_data_of(found[0])
    assert model_hub.routes()[:3] == ["modelscope-list", "huggingface-list", "mirror-list"]


async def test_nowhere_is_said_as_it_is(source: PlanSource, model_hub: ModelHub) -> None:
    with pytest.raises(RemoteClosed) as closed:
        await source.resolve("No/Body")
    assert closed.value.address == "No/Body"
    model_hub.script("huggingface-list", always=Behaviour(status=404))
    model_hub.script("mirror-list", always=Behaviour(status=404))
    with pytest.raises(RemoteMissing):
        await source.resolve("No/Body")
    # One of the two that have the same repositories has spoken.
    model_hub.script("mirror-list", always=Behaviour(status=503))
    with pytest.raises(RemoteMissing):
        await source.resolve("No/Body")
    model_hub.script("huggingface-list", always=Behaviour(status=503))
    with pytest.raises(RemoteUnreachable) as unreachable:
        await source.resolve("No/Body")
    assert {one.source: one.status for one in unreachable.value.problems}["ModelScope"] == 404
    assert {one.source: one.kind for one in unreachable.value.problems}["hf-mirror"] == "status"


async def test_quantizations_and_repositories_that_are_not_there(source: PlanSource) -> None:
    with pytest.raises(QuantizationMissing) as missing:
        await source.resolve(f"{REPOSITORY}:Q2_K")
    assert missing.value.available == ("Q8_0", "F16")
    with pytest.raises(RepositoryWithoutGguf):
        await source.resolve("Only/Text")
    with pytest.raises(AddressNotUnderstood):
        await source.resolve("what is this")


async def test_a_plain_address_is_remembered_as_long_as_its_etag_stays(
    source: PlanSource, model_hub: ModelHub, tmp_path: Path
) -> None:
    model_hub.files["tiny-q8_0.gguf"] = model_hub.files[f"{REPOSITORY}/tiny-q8_0.gguf"]
    (one,) = await source.resolve(model_hub.plain("tiny-q8_0.gguf") + "?token=secret")
    assert (one.name, one.size_bytes) == ("Q8_0", None)
    assert "secret" not in one.origin
    first = await source.plan_data_of(one)
    sent_bytes = model_hub.sent_bytes
    assert await source.plan_data_of(one) == first
    assert model_hub.sent_bytes - sent_bytes == 64
    assert len(model_hub.seen) == 2
    assert not [path for path in tmp_path.rglob("*.plan") if b"secret" in path.read_bytes()]
    model_hub.files["tiny-q8_0.gguf"] = model_hub.files[f"{REPOSITORY}/tiny-f16.gguf"]
    changed = read_plan_data(await source.plan_data_of(one), "x")
    assert changed.quantization == "F16"
    assert b"secret" not in first


async def test_a_file_here(source: PlanSource, tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "tiny.gguf", weights="q8_0")
    (one,) = await source.resolve(str(path))
    assert (one.name, one.size_bytes) == ("Q8_0", path.stat().st_size)
    header = read_plan_data(await source.plan_data_of(one), "x")
    assert model_file_bytes(header) == path.stat().st_size
    with pytest.raises(ModelFileMissing):
        await source.resolve(str(tmp_path / "gone.gguf"))


async def test_a_starter_by_its_key(source: PlanSource, model_hub: ModelHub) -> None:
    known = starters()[0]
    (one,) = await source.resolve(known.key)
    assert (one.name, one.size_bytes, one.sha256) == (known.quantization, known.size_bytes, known.sha256)
    (file,) = one.files
    assert isinstance(file, RemoteFile)
    assert [at.name for at in file.sources] == ["ModelScope", "Hugging Face", "hf-mirror"]
    assert file.sources[0].url.startswith(f"{model_hub.base}/modelscope/models/Qwen/")
    with pytest.raises(RemoteClosed):
        await source.plan_data_of(one)


async def test_parts_at_a_plain_address(source: PlanSource, model_hub: ModelHub) -> None:
    (one,) = await source.resolve(model_hub.plain("dir/m-Q8_0-00001-of-00002.gguf") + "?t=1")
    urls = [file.sources[0].url for file in one.files if isinstance(file, RemoteFile)]
    assert urls == [model_hub.plain(f"dir/m-Q8_0-0000{n}-of-00002.gguf") + "?t=1" for n in (1, 2)]


async def test_the_token_does_not_follow_the_redirect(source: PlanSource, model_hub: ModelHub) -> None:
    (one,) = await source.resolve(f"huggingface.co/{REPOSITORY}:F16")
    await source.plan_data_of(one)
    assert {seen.route: seen.headers.get("Authorization") for seen in model_hub.seen} == {
        "huggingface-list": "Bearer secret",
        "huggingface": "Bearer secret",
        "cdn": None,
    }


async def test_a_listed_hash_that_the_hub_denies_is_not_taken(source: PlanSource) -> None:
    (one,) = await source.resolve(f"huggingface.co/{REPOSITORY}:F16")
    (file,) = one.files
    assert isinstance(file, RemoteFile)
    wrong = replace(one, files=(replace(file, sha256="0" * 64),))
    with pytest.raises(RemoteAnswerWrong):
        await source.plan_data_of(wrong)


async def test_a_kept_listing_stands_in_for_hubs_out_of_reach(
    source: PlanSource, model_hub: ModelHub, patience: Patience, tmp_path: Path
) -> None:
    def opened() -> PlanSource:
        return PlanSource(
            cache=PlanCache(tmp_path / "plans"),
            listings=KeptListings(tmp_path / "listings"),
            addresses=model_hub.addresses,
            patience=patience,
        )

    fresh = await opened().resolve(f"hf.co/{REPOSITORY}:q8_0")
    plan = await opened().plan_data_of(fresh[0])
    assert fresh[0].listed_at is None
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.glob("*/*"))
    for route in ("huggingface", "cdn", "huggingface-list"):
        model_hub.script(route, always=Behaviour(status=500))
    (kept,) = await opened().resolve(f"hf.co/{REPOSITORY}:q8_0")
    assert kept.listed_at is not None and replace(kept, listed_at=None, files=()) == replace(fresh[0], files=())
    assert [replace(file, listed_at=None) for file in kept.files if isinstance(file, RemoteFile)] == [*fresh[0].files]
    assert await opened().plan_data_of(kept) == plan
    # What a hub says now counts more than what another one said once.
    (elsewhere,) = await opened().resolve(f"{REPOSITORY}:q8_0")
    assert (elsewhere.listed_at, elsewhere.origin) == (None, f"modelscope:{REPOSITORY}")
    # A hub that says that it has it no longer is believed.
    model_hub.script("huggingface-list", Behaviour(status=401))
    with pytest.raises(RemoteClosed):
        await opened().resolve(f"hf.co/{REPOSITORY}")
    with pytest.raises(RemoteUnreachable):
        await opened().resolve(f"hf.co/{REPOSITORY}")


async def test_a_damaged_listing_is_none(model_hub: ModelHub, patience: Patience, tmp_path: Path) -> None:
    source = PlanSource(listings=KeptListings(tmp_path), addresses=model_hub.addresses, patience=patience)
    await source.resolve(f"hf.co/{REPOSITORY}")
    (path,) = tmp_path.glob("*.listing")
    path.write_bytes(path.read_bytes()[:-3])
    model_hub.script("huggingface-list", always=Behaviour(status=500))
    with pytest.raises(RemoteUnreachable):
        await source.resolve(f"hf.co/{REPOSITORY}")
