from __future__ import annotations

import pytest

from models_catalog.remote_header.quantizations import group, parts_of, quantization_name
from models_catalog.remote_header.values import RemoteFile


def file(name: str, size_bytes: int | None = 10) -> RemoteFile:
    return RemoteFile(name=name, sources=(), size_bytes=size_bytes, sha256="a" * 64)


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "Q4_K_M"),
        ("Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("Qwen3-8B-IQ4_XS.gguf", "IQ4_XS"),
        ("Qwen3-8B.Q8_0.gguf", "Q8_0"),
        ("DeepSeek-R1-Distill-Qwen-7B-F16.gguf", "F16"),
        ("model-BF16-00001-of-00003.gguf", "BF16"),
        ("UD-IQ1_S/DeepSeek-R1-UD-IQ1_S-00001-of-00004.gguf", "UD-IQ1_S"),
        ("Q4_K_M/model.gguf", "Q4_K_M"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("bitnet-TQ1_0.gguf", "TQ1_0"),
        ("some/model.gguf", "model"),
    ],
)
def test_names(name: str, quantization: str) -> None:
    assert quantization_name(name) == quantization


def test_parts_are_joined_and_sorted_by_size() -> None:
    files = [
        file("m-Q8_0-00002-of-00002.gguf", 50),
        file("m-Q8_0-00001-of-00002.gguf", 40),
        file("m-Q4_K_M.gguf", 60),
        file("mmproj-F16.gguf"),
        file("sub/m-mmproj-f16.gguf"),
        file("m.imatrix.gguf"),
        file("broken-Q2_K-00001-of-00003.gguf"),
        file("broken-Q2_K-00003-of-00003.gguf"),
        file("strange-Q2_K-00004-of-00003.gguf"),
    ]
    found = group(files, "o/r")
    assert [(one.name, one.size_bytes, len(one.files)) for one in found] == [("Q4_K_M", 60, 1), ("Q8_0", 90, 2)]
    assert [part.name for part in found[1].files if isinstance(part, RemoteFile)] == [
        "m-Q8_0-00001-of-00002.gguf",
        "m-Q8_0-00002-of-00002.gguf",
    ]
    assert (found[0].sha256, found[1].sha256) == ("a" * 64, None)


def test_a_size_is_known_only_if_all_are() -> None:
    (one,) = group([file("m-Q8_0-00001-of-00002.gguf"), file("m-Q8_0-00002-of-00002.gguf", None)], "o/r")
    assert one.size_bytes is None


def test_the_other_parts_of_a_first_one() -> None:
    assert parts_of("m-00001-of-00002.gguf") == ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf")
    assert parts_of("m-00002-of-00002.gguf") is None
    assert parts_of("m.gguf") is None
    assert parts_of("m-00001-of-99999.gguf") is None
