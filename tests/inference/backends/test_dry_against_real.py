"""What a dry run says is what a real load allocates, to the byte. All of it: `python -m tests.proofs.dry_matrix`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inference.backends.llama_cpp.breakdown import readable
from tests.inference.backends.virtual import CALLBACKS, DEVICES
from tests.proofs.dry_matrix import differences
from tests.proofs.loading import Task, dry_runs, load_really
from tests.proofs.matrix import BASE
from tests.synthetic.tiny import tiny
from tests.synthetic.writing import write_hollow

pytestmark = pytest.mark.skipif(not readable(), reason="the memory breakdown cannot be read on this platform")

_SETTINGS = (
    replace(BASE, context_tokens=1024, batch_tokens=128),
    replace(BASE, context_tokens=2048, batch_tokens=256, flash_attention=False, sequences=3, outputs_max=8),
    replace(BASE, context_tokens=1024, kv_type_k="q8_0", kv_type_v="q8_0", swa_full=True, repack=False),
)


@pytest.mark.parametrize("name", ["llama", "qwen3moe", "deepseek2", "gemma3", "qwen35"])
def test_allocations_are_foreseen_to_the_byte(name: str, tmp_path: Path) -> None:
    path = write_hollow(tmp_path / "model.gguf", tiny(name), "Q4_K_M")
    task = Task(kind="dry", path=str(path), settings=_SETTINGS)
    dry = dry_runs(task, CALLBACKS, DEVICES)
    for settings, foreseen in zip(_SETTINGS, dry, strict=True):
        real = load_really(Task(kind="real", path=str(path), settings=(settings,)), CALLBACKS)
        assert real.buffers
        assert differences(foreseen, real, weights=True) == ""


def test_what_cannot_be_loaded_is_refused_dry_too(tmp_path: Path) -> None:
    path = write_hollow(tmp_path / "model.gguf", tiny("llama"), "Q4_K_M")
    quantized_without_flash = (replace(BASE, kv_type_v="q8_0", flash_attention=False),)
    (dry,) = dry_runs(Task(kind="dry", path=str(path), settings=quantized_without_flash), CALLBACKS, DEVICES)
    real = load_really(Task(kind="real", path=str(path), settings=quantized_without_flash), CALLBACKS)
    assert dry.error and real.error
