from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pytest

from models_catalog.download.resolve import Candidate, DownloadFinder
from models_catalog.errors import (
    AddressNotUnderstood,
    FileNameRefused,
    QuantizationMissing,
    RemoteClosed,
    RemoteMissing,
    RemoteUnreachable,
    SourceUnknown,
)
from models_catalog.remote_header.errors import RemoteBusy
from models_catalog.sources.byte_source import WholeFile
from models_catalog.starter import starters
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
    assert [source.name for source in first.sources if isinstance(source, WholeFile) and source.headers] == [
        "Hugging Face"
    ]


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
    (source,) = one.model.files[0].sources
    assert isinstance(source, WholeFile) and source.url.endswith("?sig=1")


@pytest.mark.parametrize("name", ["a/%2e%2e/x.gguf", "CON.gguf", "x:y.gguf", "d /x.gguf", "\u202ex.gguf"])
async def test_a_repository_with_a_hostile_name(finder: DownloadFinder, models: ModelHub, name: str) -> None:
    models.files = {f"{REPOSITORY}/{name}": SMALL}
    with pytest.raises(FileNameRefused):
        await finder.find(REPOSITORY)


STARTER = starters()[0]
STARTER_HOME = "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF"


@dataclass(frozen=True)
class Known:
    """A file as the server needs it, of which only hash and size matter."""

    sha256: str = STARTER.sha256
    size_bytes: int = STARTER.size_bytes
    head: bytes = b""


def source_names(candidate: Candidate) -> set[str]:
    return {source.name for source in candidate.model.files[0].sources}


async def test_the_package_index_is_one_more_source_of_a_starter_found_on_a_hub(
    finder: DownloadFinder, models: ModelHub
) -> None:
    models.files = {f"{STARTER_HOME}/{STARTER.file}": cast(Stored, Known())}
    for text in (STARTER.key, "qwen2.5-coder-0.5b-instruct:q4_k_m", f"{STARTER_HOME}:q4_k_m"):
        (found,) = await finder.find(text)
        assert source_names(found) == {"ModelScope", "Hugging Face", "hf-mirror", "Python package index"}
        assert found.model.files[0].place == (*STARTER_HOME.split("/"), STARTER.file)
    (found,) = await finder.find(STARTER.key, ["modelscope"])
    assert source_names(found) == {"ModelScope"}


async def test_another_file_under_a_starters_name_is_not_on_the_package_index(
    finder: DownloadFinder, models: ModelHub
) -> None:
    models.files = {f"{STARTER_HOME}/{STARTER.file}": SMALL}
    (found,) = await finder.find(STARTER.key)
    assert "Python package index" not in source_names(found)


async def test_without_any_hub_a_starter_is_found_all_the_same(finder: DownloadFinder, models: ModelHub) -> None:
    for route in ("modelscope-list", "huggingface-list", "mirror-list"):
        models.script(route, always=Behaviour(status=503))
    for text in (STARTER.key, "qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-0.5b-instruct:Q4_K_M", STARTER_HOME):
        (found,) = await finder.find(text)
        assert (found.quantization, found.size_bytes) == ("Q4_K_M", STARTER.size_bytes)
        assert source_names(found) == {"ModelScope", "Hugging Face", "hf-mirror", "Python package index"}
    (found,) = await finder.find(STARTER.key, ["package-index"])
    assert source_names(found) == {"Python package index"}
    for text, sources in ((f"{STARTER_HOME}:q8_0", ()), (STARTER.key, ("modelscope",)), (REPOSITORY, ())):
        with pytest.raises((RemoteUnreachable, RemoteBusy)):
            await finder.find(text, sources)
