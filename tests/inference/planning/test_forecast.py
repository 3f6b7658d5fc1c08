from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.planning.forecast import Mapped, SpeedModel, forecast
from inference.planning.parts import names_of, place_of
from inference.planning.values import Machine, Settings, SpeedForecast
from inference.values import Override, Placement
from tests.inference.planning.speed_values import CPU, GPU, SETTINGS, graph, machine, speed

LAYERS = 4


def ask(
    on: Machine,
    placement: Placement | None = None,
    *,
    depth: int = 256,
    experts: bool = False,
    settings: Settings = SETTINGS,
    mapped: Mapped | None = None,
) -> SpeedForecast:
    return forecast(
        decode=graph(1, experts=experts),
        prefill=graph(512, experts=experts),
        settings=replace(settings, placement=placement or Placement()),
        layers=LAYERS,
        machine=on,
        depth_tokens=depth,
        mapped=mapped,
    )


def placed(layers: int, *overrides: str, devices: tuple[str, ...] = ("G",)) -> Placement:
    return Placement(
        devices=devices,
        gpu_layers=layers,
        overrides=tuple(Override(pattern=pattern, device="CPU") for pattern in overrides),
    )


def test_decode_reads_every_weight_and_the_filled_part_of_the_cache() -> None:
    answer = ask(machine(), depth=2048)
    assert 1 / answer.decode.likely == pytest.approx(LAYERS * (100e6 / 20e9 + 8e6 / 2 / 5e9))
    assert (answer.slowest, answer.origin, answer.depth_tokens) == ("CPU", "table", 2048)
    assert answer.decode.low < answer.decode.likely < answer.decode.high


def test_padded_cells_cost_time_but_on_the_processor_with_flash_attention() -> None:
    def attending(placement: Placement, *, flash: bool, weights: float) -> float:
        on = machine("G", gpu=replace(GPU, kv_read_bytes_per_second={"": 5e9}))
        settings = replace(SETTINGS, flash_attention=flash)
        return 1 / ask(on, placement, depth=1, settings=settings).decode.likely - LAYERS * 100e6 / weights

    cell = LAYERS * 8e6 / 4096 / 5e9
    assert attending(Placement(), flash=True, weights=20e9) == pytest.approx(cell)
    assert attending(Placement(), flash=False, weights=20e9) == pytest.approx(256 * cell)
    assert attending(placed(LAYERS + 1), flash=True, weights=400e9) == pytest.approx(256 * cell)


def test_a_batch_is_bound_by_computing() -> None:
    answer = ask(machine(), depth=256)
    attention = 512 * 1e6 * 512 / 4096 / 200e9
    assert 512 / answer.prefill.likely == pytest.approx(LAYERS * (2 * 170e6 * 512 / 200e9 + attention))


def test_layers_are_timed_where_they_lie() -> None:
    half = ask(machine("G"), placed(3), depth=4096)
    on_cpu, on_gpu = 100e6 / 20e9 + 8e6 / 5e9, 100e6 / 400e9 + 8e6 / 100e9
    # The output counts as a layer of its own.
    assert 1 / half.decode.likely == pytest.approx(2 * on_cpu + 2 * on_gpu)
    assert half.slowest == "CPU"


def test_weights_moved_by_a_pattern_are_timed_elsewhere_but_their_keys_are_not() -> None:
    moved = ask(machine("G"), placed(LAYERS + 1, r"blk\.(2|3)\.ffn_.*"), depth=4096)
    expected = LAYERS * (40e6 / 400e9 + 8e6 / 100e9) + 2 * 60e6 / 400e9 + 2 * 60e6 / 20e9
    assert 1 / moved.decode.likely == pytest.approx(expected)
    one_of_three = ask(machine("G"), placed(LAYERS + 1, r"blk\.3\.ffn_down\."), depth=4096)
    expected = LAYERS * (40e6 / 400e9 + 8e6 / 100e9) + (3 + 2 / 3) * 60e6 / 400e9 + 20e6 / 20e9
    assert 1 / one_of_three.decode.likely == pytest.approx(expected)


def test_the_first_pattern_wins() -> None:
    settings = Placement(
        devices=("G", "H"),
        gpu_layers=LAYERS + 1,
        tensor_split=(1.0, 0.0),
        overrides=(Override(pattern=r"blk\.0\.", device="G"), Override(pattern=r"ffn", device="CPU")),
    )
    answer = ask(machine("G", "H"), settings, depth=4096)
    expected = LAYERS * (40e6 / 400e9 + 8e6 / 100e9) + 60e6 / 400e9 + 3 * 60e6 / 20e9
    assert 1 / answer.decode.likely == pytest.approx(expected)


def test_a_large_batch_streams_host_weights_to_the_device() -> None:
    with_gpu, without = ask(machine("G"), placed(1)), ask(machine("G"))
    attention = 512 * 1e6 * 512 / 4096 / 200e9
    assert 512 / with_gpu.prefill.likely == pytest.approx(LAYERS * (100e6 / 20e9 + 2 * 170e6 * 512 / 40e12 + attention))
    assert with_gpu.prefill.likely > 5 * without.prefill.likely
    assert with_gpu.decode.likely == pytest.approx(without.decode.likely, rel=0.01)


def test_each_hand_over_costs() -> None:
    slow_link = replace(GPU, split_seconds=1e-3)
    spilled = placed(LAYERS + 1, r"blk\.[12]\.ffn_")
    free, paid = ask(machine("G"), spilled), ask(machine("G", gpu=slow_link), spilled)
    # Into the first layer, then out and back for each of two layers.
    assert 1 / paid.decode.likely - 1 / free.decode.likely == pytest.approx(5e-3)


def test_experts_and_scans_widen_the_range_and_the_weakest_origin_counts() -> None:
    dense, experts = ask(machine()), ask(machine(), experts=True)
    assert experts.decode.high / experts.decode.likely > dense.decode.high / dense.decode.likely
    mixed = machine("G", host=replace(CPU, origin="calibrated"))
    assert ask(mixed, placed(2)).origin == "table"
    assert ask(mixed).origin == "calibrated"


def test_keys_of_experts_and_of_attention_are_looked_up() -> None:
    known = replace(
        CPU,
        read_bytes_per_second={"": 20e9, "Q4_K": 40e9, "Q4_K|experts": 10e9},
        kv_read_bytes_per_second={"": 5e9, "q8_0|flash": 1e9},
        flops_per_second={"": 200e9, "q8_0|flash|one": 1e8},
    )
    on = machine(host=known)
    assert 1 / ask(on).decode.likely == pytest.approx(LAYERS * (100e6 / 40e9 + 8e6 / 16 / 5e9))
    assert 1 / ask(on, experts=True).decode.likely == pytest.approx(
        LAYERS * (60e6 / 10e9 + 40e6 / 40e9 + 8e6 / 16 / 5e9)
    )
    quantized = replace(SETTINGS, kv_type_k="q8_0", kv_type_v="q8_0")
    assert 1 / ask(on, settings=quantized).decode.likely == pytest.approx(LAYERS * (100e6 / 40e9 + 1e6 / 16 / 1e8))


def test_a_model_larger_than_memory_is_read_from_the_disk() -> None:
    fits = ask(machine(), mapped=Mapped(weight_bytes=1000, memory_bytes=1000))
    half = ask(machine(), mapped=Mapped(weight_bytes=1000, memory_bytes=500))
    assert fits == ask(machine())
    assert 1 / half.decode.likely - 1 / fits.decode.likely == pytest.approx(0.75 * LAYERS * 100e6 / 1e9)
    assert 1 / half.decode.low > LAYERS * 100e6 / 1e9
    assert half.decode.low <= half.decode.likely <= half.decode.high


@given(
    gpu_layers=st.integers(0, LAYERS + 1),
    depth=st.integers(1, 4096),
    pattern=st.sampled_from(["ffn", r"blk\.1\.", "attn", "nothing", "output"]),
    experts=st.booleans(),
)
def test_a_forecast_is_a_range_between_all_on_the_host_and_all_on_the_device(
    gpu_layers: int, depth: int, pattern: str, experts: bool
) -> None:
    answer = ask(machine("G"), placed(gpu_layers, pattern), depth=depth, experts=experts)
    for found in (answer.decode, answer.prefill):
        assert 0 < found.low <= found.likely <= found.high
    slow = ask(machine("G"), depth=depth, experts=experts).decode.likely
    fast = ask(machine("G"), placed(LAYERS + 1), depth=depth, experts=experts).decode.likely
    assert slow * 0.999 <= answer.decode.likely <= fast * 1.001


def test_deeper_is_slower_until_a_window_is_full() -> None:
    model = SpeedModel(decode=graph(1, context=1024), prefill=graph(512), machine=machine(), layers=LAYERS)
    speeds = [model.forecast(SETTINGS, depth_tokens=depth).decode.likely for depth in (256, 512, 1024, 2048)]
    assert speeds[0] > speeds[1] > speeds[2] == speeds[3]


def test_one_more_placement_costs_less_than_a_millisecond() -> None:
    layers = 94
    model = SpeedModel(
        decode=graph(1, layers=layers, experts=True),
        prefill=graph(512, layers=layers, experts=True),
        machine=machine("G", "H", host=speed(origin="calibrated")),
        layers=layers,
    )
    spill = Override(pattern=r"blk\.(1\d|2\d|30)\.ffn_.*_exps", device="CPU")
    placements = [
        Placement(devices=("G", "H"), gpu_layers=count, tensor_split=(1.0, 2.0), overrides=(spill,))
        for count in range(layers)
    ]
    model.forecast(replace(SETTINGS, placement=placements[0]), depth_tokens=4096)
    began = time.process_time()
    for placement in placements:
        model.forecast(replace(SETTINGS, placement=placement), depth_tokens=4096)
    # About 0.2 ms on an idle machine.
    assert (time.process_time() - began) / len(placements) < 1e-3


def test_parts_and_names_agree() -> None:
    assert place_of("blk.7.ffn_down_exps.weight", 30) == (7, "experts")
    assert place_of("blk.7.ffn_gate_inp.weight", 30) == (7, "ffn")
    assert place_of("blk.7.ssm_out.weight", 30) == (7, "attention")
    assert place_of("token_embd.weight", 30) == (-1, "embedding")
    assert place_of("output_norm.weight", 30) == (30, "output")
    for part in ("attention", "ffn", "experts", "shared"):
        assert {place_of(name, 30) for name in names_of(3, part)} == {(3, part)}
    assert names_of(30, "output") == ("output.weight",)
    assert names_of(3, "other") == ()


def test_each_token_of_depth_costs_its_time() -> None:
    answer = ask(machine(), depth=2048)
    assert answer.depth_seconds == pytest.approx(LAYERS * 8e6 / 4096 / 5e9)
    window = SpeedModel(decode=graph(1, context=1024), prefill=graph(512), machine=machine(), layers=LAYERS)
    assert window.forecast(SETTINGS, depth_tokens=2048).depth_seconds == 0
