from __future__ import annotations

from pathlib import Path

import pytest

from models_catalog.errors import ModelFileMissing
from models_catalog.library.recent import forget_recent_header, recent_header
from tests.tiny_models import write_tiny_llama


def test_a_file_is_read_once_while_it_stays_as_it_is(tmp_path: Path) -> None:
    path = write_tiny_llama(tmp_path / "m.gguf", context=1024)
    first = recent_header(path)
    assert recent_header(path) is first
    write_tiny_llama(path, context=2048, layers=3)
    assert recent_header(path).trained_context_tokens == 2048
    forget_recent_header()
    assert recent_header(path) is not first


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing):
        recent_header(tmp_path / "m.gguf")
