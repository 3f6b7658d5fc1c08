from __future__ import annotations

from pathlib import Path

import pytest

from inference.backends.llama_cpp.breakdown import readable
from inference.plan_worker.companions import measure_draft, measure_projector
from inference.planning.values import Wish
from models_catalog.gguf.header import read_header
from models_catalog.gguf.plan_data import plan_data
from tests.inference.backends.test_projector import write_projector
from tests.inference.backends.virtual import CALLBACKS, DEVICES
from tests.tiny_models import write_tiny_llama

pytestmark = pytest.mark.skipif(not readable(), reason="the C++ layout of this platform is not known")


def test_a_projector_lies_on_the_first_device_where_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "mmproj.gguf"
    weights = write_projector(path)
    alone = measure_projector(str(path), DEVICES, ())
    assert alone.host_bytes > weights and alone.device_bytes == 0
    beside = measure_projector(str(path), DEVICES, ("CUDA0", "CUDA1"))
    assert beside.host_bytes == alone.host_bytes and beside.device_bytes > weights


def test_a_draft_model_has_the_context_of_the_model_that_it_drafts_for(tmp_path: Path) -> None:
    header = read_header(write_tiny_llama(tmp_path / "m.gguf", context=2048))
    short, long = (
        measure_draft(plan_data(header), DEVICES, ("CUDA0",), Wish(context_tokens=context), CALLBACKS)
        for context in (512, 1024)
    )
    assert header.kv_bytes_per_token is not None
    assert long.device_bytes - short.device_bytes >= 512 * header.kv_bytes_per_token
    assert 0 < short.device_host_bytes < short.host_bytes
