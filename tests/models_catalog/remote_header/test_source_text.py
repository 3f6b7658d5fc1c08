from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_catalog.errors import AddressNotUnderstood
from models_catalog.remote_header.hub_files import Hub
from models_catalog.remote_header.source_text import (
    FileText,
    RepositoryText,
    SourceText,
    StarterText,
    UrlText,
    understand,
)
from models_catalog.sources.addresses import Addresses

KEYS = frozenset({"qwen2.5-coder-0.5b"})
REPOSITORY = "Qwen/Qwen3-8B-GGUF"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("model.gguf", FileText(path=Path("model.gguf"))),
        ("模型/通义.GGUF", FileText(path=Path("模型/通义.GGUF"))),
        ("qwen2.5-coder-0.5b", StarterText(key="qwen2.5-coder-0.5b")),
        (REPOSITORY, RepositoryText(repository=REPOSITORY)),
        (f"  {REPOSITORY}:Q4_K_M\n", RepositoryText(repository=REPOSITORY, quantization="Q4_K_M")),
        (
            f"hf.co/{REPOSITORY}:q4_k_m",
            RepositoryText(repository=REPOSITORY, hub=Hub.HUGGINGFACE, quantization="q4_k_m"),
        ),
        (f"huggingface.co/{REPOSITORY}", RepositoryText(repository=REPOSITORY, hub=Hub.HUGGINGFACE)),
        (f"https://hf-mirror.com/{REPOSITORY}", RepositoryText(repository=REPOSITORY, hub=Hub.HF_MIRROR)),
        (f"modelscope.cn/{REPOSITORY}", RepositoryText(repository=REPOSITORY, hub=Hub.MODELSCOPE)),
        (
            f"https://www.modelscope.cn/models/{REPOSITORY}/files",
            RepositoryText(repository=REPOSITORY, hub=Hub.MODELSCOPE),
        ),
        (
            f"https://modelscope.cn/models/{REPOSITORY}/file/view/master/qwen3-8b-q4_k_m.gguf?status=2",
            RepositoryText(repository=REPOSITORY, hub=Hub.MODELSCOPE, revision="master", file="qwen3-8b-q4_k_m.gguf"),
        ),
        (
            f"https://huggingface.co/{REPOSITORY}/blob/main/UD/a%20b-Q4_K_M.gguf",
            RepositoryText(repository=REPOSITORY, hub=Hub.HUGGINGFACE, revision="main", file="UD/a b-Q4_K_M.gguf"),
        ),
        (
            f"https://huggingface.co/{REPOSITORY}/resolve/abc/x.gguf?download=true",
            RepositoryText(repository=REPOSITORY, hub=Hub.HUGGINGFACE, revision="abc", file="x.gguf"),
        ),
        (f"hf.co/{REPOSITORY}/x.gguf", RepositoryText(repository=REPOSITORY, hub=Hub.HUGGINGFACE, file="x.gguf")),
        (
            f"https://huggingface.co/{REPOSITORY}/tree/main",
            RepositoryText(repository=REPOSITORY, hub=Hub.HUGGINGFACE, revision="main"),
        ),
        (
            "https://example.org/files/x.gguf?token=1",
            UrlText(url="https://example.org/files/x.gguf?token=1", file="x.gguf"),
        ),
    ],
)
def test_what_people_type(text: str, meant: SourceText) -> None:
    assert understand(text, starter_keys=KEYS) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "qwen",
        "a/b/c",
        "../../etc",
        "owner/../x",
        "https://example.org/page.html",
        "https://example.org/",
        "ftp://example.org/x.gguf",
        "file:///etc/x.gguf",
        "https:///x.gguf",
        "https://[::1/x.gguf",
        "hf.co/onlyowner",
        "hf.co/a/..",
        "owner/repo:Q4 K",
        "owner/repo\0.gguf",
        "x" * 3000,
    ],
)
def test_what_is_not_understood(text: str) -> None:
    with pytest.raises(AddressNotUnderstood):
        understand(text, starter_keys=KEYS)


@pytest.mark.parametrize(
    ("text", "hub", "file"),
    [
        (f"https://Hub.Example/hf/{REPOSITORY}", Hub.HUGGINGFACE, None),
        (f"https://hub.example/hf/{REPOSITORY}/resolve/main/a/b%20c.gguf?download=true", Hub.HUGGINGFACE, "a/b c.gguf"),
        (f"http://10.0.0.5:8080/models/{REPOSITORY}/file/view/master/x.gguf", Hub.MODELSCOPE, "x.gguf"),
    ],
)
def test_the_users_own_addresses_of_hubs_are_hubs(text: str, hub: Hub, file: str | None) -> None:
    own = Addresses(huggingface="https://hub.example/hf", modelscope="http://10.0.0.5:8080")
    meant = understand(text, starter_keys=KEYS, addresses=own)
    assert isinstance(meant, RepositoryText)
    assert (meant.repository, meant.hub, meant.file) == (REPOSITORY, hub, file)
    with pytest.raises(AddressNotUnderstood):
        understand(f"https://hub.example/other/{REPOSITORY}", starter_keys=KEYS, addresses=own)


def test_a_file_without_an_ending_is_a_file_where_it_exists(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"GGUF")
    assert understand(str(tmp_path / "blob"), starter_keys=KEYS) == FileText(path=tmp_path / "blob")


@given(st.text(max_size=60) | st.from_regex(r"(https?://|hf\.co/)?[a-z.:/\[\]%@?#-]{0,40}(\.gguf)?", fullmatch=True))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        meant = understand(text, starter_keys=KEYS)
    except AddressNotUnderstood:
        return
    if isinstance(meant, RepositoryText):
        assert meant.repository.count("/") == 1
        assert ".." not in meant.repository.split("/")
