"""Names of files that hubs really have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_catalog.families.file_rules import FileRole, quantization_of, role_of
from models_catalog.families.values import FileRules


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("qwen2.5-7b-instruct-q4_k_m-00001-of-00002.gguf", FileRole.MODEL),
        ("UD-Q4_K_XL/GLM-4.6-UD-Q4_K_XL-00001-of-00005.gguf", FileRole.MODEL),
        ("Qwen3.6-35B-A3B-MTP-Q4_K_M.gguf", FileRole.MODEL),
        ("qwen1_5-72b-chat-q4_k_m.gguf.a", FileRole.RAW_PART),
        ("model.Q6_K.gguf.part1of2", FileRole.RAW_PART),
        ("model.Q6_K.gguf-split-a", FileRole.RAW_PART),
        ("mmproj-F16.gguf", FileRole.PROJECTOR),
        ("mmproj-Qwen_Qwen3.5-9B-f16.gguf", FileRole.PROJECTOR),
        ("InternVL3-8B-mmproj-Q8_0.gguf", FileRole.PROJECTOR),
        ("mtp-Qwen3.8-27B-Q4_0.gguf", FileRole.DRAFT),
        ("MTP/head-Q8_0.gguf", FileRole.DRAFT),
        ("Qwen3-8B-eagle3-F16.gguf", FileRole.DRAFT),
        ("imatrix.gguf", FileRole.IMPORTANCE),
        ("Qwen3-8B-imatrix.dat", FileRole.IMPORTANCE),
        ("imatrix_unsloth.gguf", FileRole.IMPORTANCE),
        ("README.md", FileRole.OTHER),
        ("model.safetensors", FileRole.OTHER),
        ("", FileRole.OTHER),
    ],
)
def test_roles(name: str, role: FileRole) -> None:
    assert role_of(name) is role


RULES = FileRules(
    files="Qwen3-8B-{quantization}.gguf",
    split_files="{quantization}/Qwen3-8B-{quantization}-{part}.gguf",
    raw_parts="Qwen3-8B.{quantization}.gguf.{part}",
)


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("qwen3-8b-ud-q2_k_xl.gguf", "UD-Q2_K_XL"),
        ("BF16/Qwen3-8B-BF16-00001-of-00002.gguf", "BF16"),
        ("Q8_0/Qwen3-8B-BF16-00001-of-00002.gguf", None),
        ("Qwen3-8B.q8_0.gguf.b", "Q8_0"),
        ("Qwen3-4B-Q4_K_M.gguf", None),
        ("mmproj-F16.gguf", None),
    ],
)
def test_a_repositorys_own_naming(name: str, quantization: str | None) -> None:
    assert quantization_of(name, RULES) == quantization


def test_without_a_known_naming() -> None:
    assert quantization_of("Qwen3-8B-Q4_K_M.gguf", FileRules()) is None


@given(st.text(max_size=80))
def test_any_name_has_a_role(name: str) -> None:
    assert role_of(name) in FileRole
    assert quantization_of(name, RULES) is None or role_of(name) in (FileRole.MODEL, FileRole.RAW_PART)
