"""Which model of the catalogue a file is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_catalog.families.kept_index import KeptIndex
from models_catalog.families.recognise import Recogniser, Traits

INDEX = KeptIndex().get().index
RECOGNISER = Recogniser(INDEX)
BLOB = "/m/blobs/sha256-" + "a1" * 32


def _id(file: str, origin: str = "", name: str = "", architecture: str = "") -> str | None:
    model = RECOGNISER.recognise(Traits(file=file, origin=origin, name=name, architecture=architecture))
    return model.id if model is not None else None


@pytest.mark.parametrize(
    ("traits", "model"),
    [
        # by the repository
        (("/m/Q/R/x.gguf", "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "", "qwen2"), "qwen2.5-coder-0.5b-instruct"),
        (("/m/x.gguf", "hf.co/unsloth/Qwen3-8B-GGUF:Q4_K_M", "", "qwen3"), "qwen3-8b"),
        (("/m/rwkv7-g1-1.5b-20250429-ctx4096-Q8_0.gguf", "BlinkDL/rwkv7-g1", "", "rwkv7"), "rwkv7-g1-1.5b"),
        # by the file's name, whoever quantized it
        (("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "", "Instruct AWQ", "qwen2"), "qwen2.5-coder-0.5b-instruct"),
        (("Qwen_Qwen3-4B-Instruct-2507-Q4_K_M.gguf", "someone/else", "", ""), "qwen3-4b-instruct-2507"),
        (("C:\\m\\BF16\\Qwen3-30B-A3B-BF16-00001-of-00002.gguf", "", "", "qwen3moe"), "qwen3-30b-a3b"),
        (("Qwen3-8B-UD-IQ2_XXS.gguf", "", "", "qwen3"), "qwen3-8b"),
        (("Baichuan2-7B-Chat.Q4_0.gguf", "", "", "baichuan"), "baichuan2-7b-chat"),
        # by what it calls itself
        (("ggml-model-q4_k_m.gguf", "", "Baichuan2 7B Chat", "baichuan"), "baichuan2-7b-chat"),
        ((BLOB, "", "Qwen3 8B", "qwen3"), "qwen3-8b"),
        # as Ollama calls it
        ((BLOB, "qwen2.5:7b", "qwen2.5:7b", "qwen2"), "qwen2.5-7b-instruct"),
        ((BLOB, "qwen3:8b-q4_K_M", "", "qwen3"), "qwen3-8b"),
        # nobody
        (("Qwen3-8B-abliterated.Q4_K_M.gguf", "", "Qwen3 8B", "qwen3"), None),
        (("Qwen2.5-7B-Q4_K_M.gguf", "", "Qwen2.5 7B", "qwen2"), None),
        (("Qwen3-8B-Q4_K_M.gguf", "", "", "llama"), None),
        (("model.gguf", "", "", ""), None),
        ((BLOB, "", "", "qwen3"), None),
    ],
)
def test_a_file_is_the_model_it_says(traits: tuple[str, str, str, str], model: str | None) -> None:
    assert _id(*traits) == model


def test_every_model_is_recognised_by_its_name_and_by_each_of_its_repositories() -> None:
    for model in INDEX.models:
        architecture = model.architecture or ""
        assert _id(f"{model.name.en.replace(' ', '-')}-Q4_K_M.gguf", architecture=architecture) == model.id
        for source in model.sources:
            for repository in filter(None, (source.huggingface, source.modelscope)):
                assert _id("x-Q4_K_M.gguf", repository.name, architecture=architecture) == model.id


@given(*[st.text(max_size=60)] * 3)
def test_no_name_breaks_it(file: str, origin: str, name: str) -> None:
    _id(file, origin, name)
