"""Weights go where llama.cpp puts them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from inference.planning.estimate import REPACKED_ON_ARM, REPACKED_ON_X86
from inference.planning.weight_placement import layer_devices, layer_of, place_weights
from inference.values import ALL_ON_CPU, Override, Placement
from models_catalog.gguf.header import GgufHeader
from tests.inference.planning.headers import dense, mixture, qwen3_0_6b


def _by_device(model: GgufHeader, placement: Placement, repack: bool = False) -> Counter[str]:
    totals: Counter[str] = Counter()
    for weight in place_weights(model, placement, repack=repack, repack_types=REPACKED_ON_X86):
        totals[weight.device + ("+" if weight.repacked else "")] += weight.tensor.size_bytes
    return totals


def _small(*, tied: bool = False) -> GgufHeader:
    return dense(layers=4, width=256, feed_forward=512, heads=4, kv_heads=2, head_width=64, vocabulary=1024, tied=tied)


def test_layers_by_name() -> None:
    names = (
        "token_embd.weight",
        "blk.0.attn_q.weight",
        "blk.31.ffn_down.weight",
        "output.weight",
        "output_norm.weight",
    )
    assert [layer_of(name, 32) for name in names] == [-1, 0, 31, 32, 32]


def test_the_last_layers_go_to_the_devices_and_the_output_counts_as_one() -> None:
    assert layer_devices(ALL_ON_CPU, 4) == ("CPU",) * 5
    assert layer_devices(Placement(devices=("CUDA0",), gpu_layers=2), 4) == ("CPU", "CPU", "CPU", "CUDA0", "CUDA0")
    assert layer_devices(Placement(devices=("CUDA0",), gpu_layers=99), 4) == ("CUDA0",) * 5
    split = Placement(devices=("A", "B"), gpu_layers=99, tensor_split=(3.0, 1.0))
    assert layer_devices(split, 7) == ("A",) * 6 + ("B",) * 2


def test_the_tables_of_the_input_stay_on_the_host() -> None:
    model = _small()
    placed = _by_device(model, Placement(devices=("CUDA0",), gpu_layers=5))
    table = model.tensors["token_embd.weight"].size_bytes
    assert placed == {"CPU": table, "CUDA0": model.weight_bytes - table}


def test_a_tied_output_is_a_second_copy_only_on_another_device() -> None:
    model = _small(tied=True)
    table = model.tensors["token_embd.weight"].size_bytes
    assert _by_device(model, ALL_ON_CPU) == {"CPU": model.weight_bytes}
    assert _by_device(model, Placement(devices=("CUDA0",), gpu_layers=1))["CUDA0"] == table + 256 * 4


def test_overrides_are_searched_and_the_first_match_wins() -> None:
    model = mixture()
    experts = sum(tensor.size_bytes for name, tensor in model.tensors.items() if "_exps" in name)
    first = sum(tensor.size_bytes for name, tensor in model.tensors.items() if name.startswith("blk.0.ffn_gate_exps"))
    everything = Placement(devices=("CUDA0",), gpu_layers=99)
    spilled = replace(everything, overrides=(Override(pattern=r"ffn_\w+_exps", device="CPU"),))
    gained = _by_device(model, spilled)["CPU"] - _by_device(model, everything)["CPU"]
    assert gained == experts
    kept = Override(pattern=r"blk\.0\.ffn_gate_exps", device="CUDA0")
    spilled = replace(everything, overrides=(kept, *spilled.overrides))
    assert _by_device(model, spilled)["CPU"] - _by_device(model, everything)["CPU"] == experts - first


def test_what_the_processor_re_orders() -> None:
    """As measured for this shape: 173.25 MiB re-ordered beside 213.84 MiB that are not."""
    placed = _by_device(qwen3_0_6b(), ALL_ON_CPU, repack=True)
    assert placed["CPU+"] > 150 * 1024**2
    assert sum(placed.values()) == qwen3_0_6b().weight_bytes
    # Beside a device with host buffers of its own the weights lie there, as they are.
    assert not _by_device(qwen3_0_6b(), Placement(devices=("CUDA0",), gpu_layers=1), repack=True)["CPU+"]
    assert _by_device(qwen3_0_6b(), Placement(devices=("Metal",), gpu_layers=1), repack=True)["CPU+"]


def test_a_tied_output_that_is_re_ordered_exists_twice() -> None:
    model = qwen3_0_6b()
    weights = list(place_weights(model, ALL_ON_CPU, repack=True, repack_types=REPACKED_ON_ARM))
    copies = [weight for weight in weights if weight.tensor.name == "token_embd.weight"]
    assert [(copy.layer, copy.repacked) for copy in copies] == [(-1, False), (28, True)]


def test_blocks_that_predict_further_tokens_are_not_loaded() -> None:
    model = _small()
    model = replace(model, values={**model.values, "qwen3.nextn_predict_layers": 1})
    left_out = sum(tensor.size_bytes for name, tensor in model.tensors.items() if name.startswith("blk.3."))
    assert _by_device(model, ALL_ON_CPU)["CPU"] == model.weight_bytes - left_out
