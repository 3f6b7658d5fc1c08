from __future__ import annotations

from pathlib import Path

import pytest

from models_catalog.sources.addresses import Addresses
from models_catalog.sources.byte_source import WholeFile
from models_catalog.sources.locate import source_name, source_of
from models_catalog.starter import SourceEntry, starters


def located(entry: SourceEntry, addresses: Addresses) -> WholeFile:
    source = source_of(starters()[0], entry, addresses)
    assert isinstance(source, WholeFile)
    return source


@pytest.mark.parametrize(
    ("number", "url"),
    [
        (0, "https://modelscope.cn/models/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/master/"),
        (
            1,
            "https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/ebb2015119c907b064c512bf053e945850b5875f/",
        ),
        (
            2,
            "https://hf-mirror.com/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/ebb2015119c907b064c512bf053e945850b5875f/",
        ),
    ],
)
def test_hub_addresses(number: int, url: str) -> None:
    entry = starters()[0].sources[number]
    source = located(entry, Addresses())
    assert source.url == url + "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    assert source.name == source_name(entry)
    assert source.headers == ()


def test_the_users_endpoint_and_token_are_for_hugging_face_alone() -> None:
    addresses = Addresses.from_environment({"HF_ENDPOINT": "https://hub.example/", "HF_TOKEN": " hf_secret "})
    sources = [located(entry, addresses) for entry in starters()[0].sources[:3]]
    assert sources[1].url.startswith("https://hub.example/Qwen/")
    assert sources[1].headers == (("Authorization", "Bearer hf_secret"),)
    assert sources[0].headers == sources[2].headers == ()


def test_modelscopes_token_is_for_modelscope_alone() -> None:
    addresses = Addresses.from_environment({"MODELSCOPE_API_TOKEN": "ms-1"}, home=Path("/nowhere"))
    sources = [located(entry, addresses) for entry in starters()[0].sources[:3]]
    assert dict(sources[0].headers) == {"Authorization": "Bearer ms-1", "Cookie": "m_session_id=ms-1"}
    assert sources[1].headers == sources[2].headers == ()


def test_an_empty_environment_means_the_official_addresses(tmp_path: Path) -> None:
    assert Addresses.from_environment({"HF_ENDPOINT": "", "HF_TOKEN": ""}, home=tmp_path) == Addresses()


def test_a_stored_token_is_found_where_huggingface_hub_keeps_it(tmp_path: Path) -> None:
    for place in (".cache/huggingface", "cache/huggingface", "home"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "token").write_text(f"hf_{place[0]}\n")
    (tmp_path / "mine").write_text("hf_mine")

    def token(**environment: str) -> str | None:
        return Addresses.from_environment(environment, home=tmp_path).huggingface_token

    assert token() == "hf_."
    assert token(XDG_CACHE_HOME=str(tmp_path / "cache")) == "hf_c"
    assert token(HF_HOME=str(tmp_path / "home")) == "hf_h"
    assert token(HF_TOKEN_PATH=str(tmp_path / "mine"), HF_HOME=str(tmp_path / "home")) == "hf_mine"
    assert token(HF_TOKEN="hf_said", HF_HOME=str(tmp_path / "home")) == "hf_said"
    # It was given to huggingface.co: no other place is told it unless the user says so.
    assert token(HF_ENDPOINT="https://mirror.example") is None
    assert token(HF_ENDPOINT="https://mirror.example", HF_TOKEN="hf_said") == "hf_said"
    assert token(HF_HUB_DISABLE_IMPLICIT_TOKEN="1") is None
    (tmp_path / "mine").write_bytes(b"two words \xff")
    assert token(HF_TOKEN_PATH=str(tmp_path / "mine")) is None
    assert token(HF_TOKEN_PATH=str(tmp_path)) is None
