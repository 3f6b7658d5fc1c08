from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from inference.backends.llama_cpp.breakdown import readable
from inference.backends.llama_cpp.projector import projector_bytes
from inference.planning.oracle import MeasureFailed
from tests.inference.backends.virtual import DEVICES

WIDTH, LAYERS, HIDDEN, PATCH, IMAGE, TEXT_WIDTH = 64, 3, 128, 14, 112, 96


def write_projector(path: Path) -> int:
    """A small projector of LLaVA's kind; returns the bytes of its weights."""
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", "mlp")
    writer.add_bool("clip.use_gelu", True)
    for key, value in {
        "image_size": IMAGE,
        "patch_size": PATCH,
        "embedding_length": WIDTH,
        "feed_forward_length": HIDDEN,
        "block_count": LAYERS,
        "projection_dim": TEXT_WIDTH,
        "attention.head_count": 4,
    }.items():
        writer.add_uint32(f"clip.vision.{key}", value)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    writer.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    writer.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    shapes: dict[str, tuple[int, ...]] = {
        "v.class_embd": (WIDTH,),
        "v.patch_embd.weight": (WIDTH, 3, PATCH, PATCH),
        "v.position_embd.weight": ((IMAGE // PATCH) ** 2 + 1, WIDTH),
        "mm.0.weight": (TEXT_WIDTH, WIDTH),
        "mm.0.bias": (TEXT_WIDTH,),
        "mm.2.weight": (TEXT_WIDTH, TEXT_WIDTH),
        "mm.2.bias": (TEXT_WIDTH,),
    }
    for name in ("v.pre_ln", "v.post_ln"):
        shapes |= {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}
    for layer in range(LAYERS):
        block = f"v.blk.{layer}"
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            shapes |= {f"{block}.{name}.weight": (WIDTH, WIDTH), f"{block}.{name}.bias": (WIDTH,)}
        shapes |= {f"{block}.ffn_up.weight": (HIDDEN, WIDTH), f"{block}.ffn_up.bias": (HIDDEN,)}
        shapes |= {f"{block}.ffn_down.weight": (WIDTH, HIDDEN), f"{block}.ffn_down.bias": (WIDTH,)}
        for name in ("ln1", "ln2"):
            shapes |= {f"{block}.{name}.weight": (WIDTH,), f"{block}.{name}.bias": (WIDTH,)}
    for name, shape in shapes.items():
        writer.add_tensor(name, np.zeros(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sum(4 * int(np.prod(shape)) for shape in shapes.values())


@pytest.mark.skipif(not readable(), reason="the C++ layout of this platform is not known")
def test_a_projector_is_measured_on_the_processor_and_on_a_card(tmp_path: Path) -> None:
    path = tmp_path / "mmproj.gguf"
    weights = write_projector(path)
    on_host = projector_bytes(path, device=None)
    assert set(on_host) == {"CPU"}
    # Weights and what the graph of the largest image works in.
    assert weights < on_host["CPU"] < 4 * weights
    (handle,) = DEVICES.call_them(["CUDA0"])
    on_card = projector_bytes(path, device=handle)
    assert on_card["CUDA0"] >= weights and on_card.get("CPU", 0) < weights


@pytest.mark.skipif(not readable(), reason="the C++ layout of this platform is not known")
def test_a_file_that_is_no_projector_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mmproj.gguf"
    path.write_bytes(b"no projector")
    with pytest.raises(MeasureFailed):
        projector_bytes(path, device=None)
