"""The yardstick itself, on a tiny random model."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.backends.llama_cpp.bare_loop import BareRun, run_bare
from tests import tiny_models


def run(path: Path, *, tokens: int) -> BareRun:
    return run_bare(
        str(path),
        prompt="hello hello",
        tokens=tokens,
        context_tokens=256,
        threads=1,
        batch_threads=1,
        flash_attention=True,
        memory_map=False,
    )


def test_every_token_after_the_first_is_timed(tmp_path: Path) -> None:
    path = tiny_models.write_tiny_llama(tmp_path / "tiny.gguf")
    longer, shorter = run(path, tokens=6), run(path, tokens=4)
    assert len(longer.token_seconds) == 5
    assert min(longer.token_seconds) > 0 and longer.prefill_seconds > 0
    assert longer.text.startswith(shorter.text.rstrip("\ufffd"))


def test_more_than_the_context_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tiny_models.write_tiny_llama(tmp_path / "tiny.gguf")
    with pytest.raises(RuntimeError, match="do not fit"):
        run(path, tokens=256)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.gguf"
    path.write_bytes(b"GGUF")
    with pytest.raises(RuntimeError, match="cannot load"):
        run(path, tokens=1)
