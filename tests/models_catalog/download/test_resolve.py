from __future__ import annotations

from collections.abc import Iterator

import pytest

from models_catalog.download.resolve import DownloadFinder
from models_catalog.errors import (
    AddressNotUnderstood,
    FileNameRefused,
    QuantizationMissing,
    RemoteClosed,
    RemoteMissing,
    SourceUnknown,
)
from models_catalog.transfer.patience import Patience
from tests.models_catalog.hub_server import Behaviour, ModelHub, Stored

REPOSITORY = "Somebody/Some-Model-GGUF"
SMALL, LARGE, EYES = Stored(b"small", 1000), Stored(b"large", 5000), Stored(b"eyes", 300)


@pytest.fixture
def models() -> Iterator[ModelHub]:
    hub = ModelHub()
    hub.files = {
        f"{REPOSITORY}/some-model-q4_k_m.gguf": SMALL,
        f"{REPOSITORY}/some-model-q8_0-00001-of-00002.gguf": LARGE,
        f"{REPOSITORY}/some-model-q8_0-00002-of-00002.gguf": SMALL,
        f"{REPOSITORY}/mmproj-BF16.gguf": EYES,
        f"{REPOSITORY}/mmproj-F16.gguf": EYES,
    }
    yield hub
    hub.close()


@pytest.fixture
def finder(models: ModelHub, patience: Patience) -> DownloadFinder:
    return DownloadFinder(addresses=models.addresses, patience=patience)


async def test_equal_files_of_all_hubs_are_sources_of_one(finder: DownloadFinder) -> None:
    small, large = await finder.find(REPOSITORY)
    assert (small.quantization, small.size_bytes, large.quantization) == ("Q4_K_M", 1300, "Q8_0")
    first = small.model.files[0]
    assert {source.name for source in first.sources} == {"ModelScope", "Hugging Face", "hf-mirror"}
    assert first.place == ("Somebody", "Some-Model-GGUF", "some-model-q4_k_m.gguf")
    assert (first.sha256, first.size_bytes) == (SMALL.sha256, 1000)
    # Only the origin is told the token.
    assert [source.name for source in first.sources if source.headers] == ["Hugging Face"]


async def test_parts_and_projector_are_one_item(finder: DownloadFinder) -> None:
    (large,) = await finder.find(f"{REPOSITORY}:q8_0")
    assert [file.place[-1] for file in large.model.files] == [
        "some-model-q8_0-00001-of-00002.gguf",
        "some-model-q8_0-00002-of-00002.gguf",
        "mmproj-F16.gguf",
    ]


async def test_a_file_of_a_repository(finder: DownloadFinder) -> None:
    (small,) = await finder.find(f"{REPOSITORY}:some-model-q4_k_m.gguf")
    assert small.quantization == "Q4_K_M"
    with pytest.raises(RemoteMissing):
        await finder.find(f"{REPOSITORY}:nothing.gguf")
    with pytest.raises(QuantizationMissing):
        await finder.find(f"{REPOSITORY}:Q2_K")


async def test_a_hub_that_is_away_is_done_without(finder: DownloadFinder, models: ModelHub) -> None:
    models.script("modelscope-list", always=Behaviour(status=500))
    small, _ = await finder.find(REPOSITORY)
    assert {source.name for source in small.model.files[0].sources} == {"Hugging Face", "hf-mirror"}


async def test_wished_sources_only(finder: DownloadFinder) -> None:
    small, _ = await finder.find(REPOSITORY, ["hf-mirror"])
    assert [source.name for source in small.model.files[0].sources] == ["hf-mirror"]
    with pytest.raises(SourceUnknown):
        await finder.find(REPOSITORY, ["nowhere"])


async def test_what_is_not_there(finder: DownloadFinder) -> None:
    with pytest.raises(RemoteClosed):
        await finder.find("Somebody/Nothing")
    with pytest.raises(AddressNotUnderstood):
        await finder.find("no-model-of-this-name")


async def test_an_address(finder: DownloadFinder, models: ModelHub) -> None:
    (one,) = await finder.find("https://example.org/x/y/model-q4_0.gguf?sig=1")
    assert one.model.files[0].place == ("example.org", "model-q4_0.gguf")
    assert one.model.files[0].sources[0].url.endswith("?sig=1")


@pytest.mark.parametrize("name", ["a/%2e%2e/x.gguf", "CON.gguf", "x:y.gguf", "d /x.gguf", "\u202ex.gguf"])
async def test_a_repository_with_a_hostile_name(finder: DownloadFinder, models: ModelHub, name: str) -> None:
    models.files = {f"{REPOSITORY}/{name}": SMALL}
    with pytest.raises(FileNameRefused):
        await finder.find(REPOSITORY)
