"""The local hub speaks the real protocol: Hugging Face's own client understands it, and is refused by it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants, errors

from tests.models_catalog.hub_server import COMMIT, Behaviour, ModelHub, Stored

REPOSITORY = "Qwen/Tiny-GGUF"
CONTENT = random.Random(7).randbytes(300_000)


@pytest.fixture(scope="module", autouse=True)
def quiet_client() -> Iterator[None]:
    """No telemetry, no other transfer than plain HTTP, no token of this computer: set where the client reads it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
        patched.setattr(constants, "HF_HUB_DISABLE_XET", True)
        patched.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
        patched.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
        yield


@pytest.fixture
def server() -> Iterator[ModelHub]:
    hub = ModelHub()
    hub.files = {
        f"{REPOSITORY}/README.md": Stored(b"# Tiny", 6),
        f"{REPOSITORY}/Q4_K_M/tiny-q4_k_m.gguf": Stored(CONTENT, len(CONTENT)),
        f"{REPOSITORY}/tiny-q8_0.gguf": Stored(b"GGUF", 5_000),
    }
    yield hub
    hub.close()


@pytest.fixture
def api(server: ModelHub) -> HfApi:
    return HfApi(endpoint=server.addresses.huggingface, token=False)


def test_the_real_client_lists_a_repository(api: HfApi) -> None:
    info = api.model_info(REPOSITORY, files_metadata=True)
    assert (info.id, info.sha) == (REPOSITORY, COMMIT)
    found = {file.rfilename: (file.size, file.lfs and file.lfs.sha256) for file in info.siblings or ()}
    assert found["Q4_K_M/tiny-q4_k_m.gguf"] == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def test_the_real_client_follows_the_pages_of_a_tree(api: HfApi, server: ModelHub) -> None:
    server.page_entries = 1
    listed = list(api.list_repo_tree(REPOSITORY, recursive=True))
    assert {entry.path for entry in listed} == {
        "Q4_K_M",
        "Q4_K_M/tiny-q4_k_m.gguf",
        "README.md",
        "tiny-q8_0.gguf",
    }
    assert server.routes() == ["huggingface-tree"] * 4
    assert [entry.path for entry in api.list_repo_tree(REPOSITORY)] == ["Q4_K_M", "README.md", "tiny-q8_0.gguf"]
    assert [entry.path for entry in api.list_repo_tree(REPOSITORY, "Q4_K_M")] == ["Q4_K_M/tiny-q4_k_m.gguf"]


def test_the_real_client_downloads_a_file_over_the_redirect(api: HfApi, server: ModelHub, tmp_path: Path) -> None:
    path = api.hf_hub_download(REPOSITORY, "Q4_K_M/tiny-q4_k_m.gguf", cache_dir=tmp_path)
    assert Path(path).read_bytes() == CONTENT
    # The client keeps files by the hash and the commit that the hub names before it redirects.
    assert hashlib.sha256(CONTENT).hexdigest() in str(Path(path).resolve())
    assert COMMIT in path
    assert "cdn" in server.routes()


def test_the_real_client_is_refused_as_by_the_real_hub(api: HfApi, server: ModelHub, tmp_path: Path) -> None:
    with pytest.raises(errors.RepositoryNotFoundError):
        api.model_info("No/Body")
    with pytest.raises(errors.EntryNotFoundError):
        api.hf_hub_download(REPOSITORY, "none.gguf", cache_dir=tmp_path)
    server.private[REPOSITORY] = frozenset({"mine"})
    with pytest.raises(errors.RepositoryNotFoundError):
        api.model_info(REPOSITORY)
    assert api.model_info(REPOSITORY, token="mine").private
    server.private.clear()
    server.gated[REPOSITORY] = frozenset({"accepted"})
    assert api.model_info(REPOSITORY).gated == "manual"
    for token in (False, "stranger"):
        with pytest.raises(errors.GatedRepoError):
            api.hf_hub_download(REPOSITORY, "README.md", cache_dir=tmp_path, token=token)
    assert api.hf_hub_download(REPOSITORY, "README.md", cache_dir=tmp_path, token="accepted")


def test_the_real_client_waits_as_long_as_it_is_told(api: HfApi, server: ModelHub) -> None:
    busy = Behaviour(status=429, headers={"Retry-After": "7", "RateLimit": '"api";r=0;t=7'})
    server.script("huggingface-list", always=busy)
    with pytest.raises(errors.HfHubHTTPError) as refused:
        api.model_info(REPOSITORY)
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "7"
