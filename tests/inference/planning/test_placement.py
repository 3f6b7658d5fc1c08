from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from inference.planning.placement import Layout, Room, Sharing, Style, fill, numbers_pattern, placement, share_bytes
from inference.planning.shape import Block, ModelShape, Movable, Shapes
from inference.planning.values import Settings
from inference.planning.weight_placement import layer_devices
from inference.values import ALL_ON_CPU
from tests.inference.planning.shapes import llama2_7b, qwen3_30b_a3b

SETTINGS = Settings(context_tokens=4096, sequences=1, batch_tokens=512, outputs_max=1)


def shape(blocks: int = 10, *, parts: tuple[int, int, int] = (20, 20, 20), movable: Movable = "ffn") -> ModelShape:
    """Blocks of 30 weights, 10 state and 60 movable weights; 50 for the output."""
    block = Block(fixed_bytes=30, parts_bytes=parts, state_bytes=10)
    return ModelShape(blocks=(block,) * blocks, output_bytes=50, movable=movable)


def rooms(*sizes: int) -> list[Room]:
    return [Room(device=f"CUDA{number}", bytes=size) for number, size in enumerate(sizes)]


def test_everything_on_one_device_when_there_is_room() -> None:
    layout = fill(shape(), rooms(1050), style="spill", sharing="even")
    assert layout.gpu_layers == 11 and not layout.spills
    assert placement(layout).tensor_split == () and placement(layout).overrides == ()


def test_nothing_fits_is_a_plan_for_the_processor() -> None:
    assert placement(fill(shape(), rooms(40), style="whole", sharing="even")) == ALL_ON_CPU


def test_whole_layers_are_taken_from_the_end() -> None:
    layout = fill(shape(), rooms(360), style="whole", sharing="even")
    assert (layout.gpu_layers, layout.shares[0].first) == (4, 7)


def test_dense_feed_forward_weights_leave_first_layers_first() -> None:
    layout = fill(shape(), rooms(850), style="spill", sharing="even")
    share = layout.shares[0]
    # 200 too much: four blocks' 240, of which one block can keep 40.
    assert share.spilled == (0, 1, 2, 3) and (share.partial, share.kept_parts) == (3, 2)
    assert [item.pattern for item in placement(layout).overrides] == [
        r"^blk\.(?:[0-2])\.ffn_(?:gate_up|up|gate|down)\.",
        r"^blk\.3\.ffn_(?:down)\.",
    ]


def test_experts_leave_last_layers_first() -> None:
    share = fill(shape(movable="experts"), rooms(850), style="spill", sharing="even").shares[0]
    assert share.spilled == (6, 7, 8, 9) and (share.partial, share.kept_parts) == (6, 2)


def test_with_all_feed_forward_weights_away_layers_leave_whole() -> None:
    layout = fill(shape(), rooms(250), style="spill", sharing="even")
    assert layout.gpu_layers == 6 and layout.shares[0].spilled == (5, 6, 7, 8, 9)


def test_two_devices_share_in_proportion_to_their_room() -> None:
    layout = fill(shape(), rooms(900, 300), style="whole", sharing="even")
    assert [share.layers for share in layout.shares] == [8, 3]
    assert placement(layout).tensor_split == (8.0, 3.0)


def test_greedy_fills_the_last_device_first() -> None:
    layout = fill(shape(), rooms(500, 1000), style="whole", sharing="greedy")
    assert [share.layers for share in layout.shares] == [1, 10]


def test_a_fixed_number_of_layers_is_kept_though_it_does_not_fit() -> None:
    for style in ("whole", "spill"):
        layout = fill(shape(), rooms(100), style=style, sharing="even", fixed_layers=8)
        assert layout.gpu_layers == 8


@given(
    st.lists(st.integers(0, 1200), min_size=1, max_size=4),
    st.sampled_from(["whole", "spill"]),
    st.sampled_from(["even", "greedy"]),
    st.sampled_from(["ffn", "experts"]),
    st.tuples(*[st.integers(0, 40)] * 3),
)
def test_no_room_is_exceeded_and_layers_are_contiguous(
    sizes: list[int], style: Style, sharing: Sharing, movable: Movable, parts: tuple[int, int, int]
) -> None:
    model = shape(parts=parts, movable=movable)
    layout = fill(model, rooms(*sizes), style=style, sharing=sharing)
    room = {one.device: one.bytes for one in rooms(*sizes)}
    assert all(share_bytes(model, share) <= room[share.device] for share in layout.shares)
    ends = [share.first + share.layers for share in layout.shares]
    assert all(end == share.first for end, share in zip(ends, layout.shares[1:], strict=False))
    assert not ends or ends[-1] == model.layers


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_the_engine_gives_each_device_the_layers_that_were_meant(counts: list[int]) -> None:
    blocks = sum(counts) - 1
    layout = fill(
        ModelShape(
            blocks=(Block(fixed_bytes=1, parts_bytes=(0, 0, 0), state_bytes=0),) * blocks, output_bytes=1, movable="ffn"
        ),
        rooms(*counts),
        style="whole",
        sharing="greedy",
    )
    meant = [share.device for share in layout.shares for _ in range(share.layers)]
    assert list(layer_devices(placement(layout), blocks)) == meant


@given(st.sets(st.integers(0, 199), min_size=1))
def test_patterns_match_their_numbers_only(numbers: set[int]) -> None:
    pattern = re.compile(rf"^blk\.(?:{numbers_pattern(sorted(numbers))})\.")
    assert {number for number in range(250) if pattern.search(f"blk.{number}.x")} == numbers


def test_patterns_of_neighbours_are_short() -> None:
    assert numbers_pattern(range(5, 64)) == r"[5-9]|1\d|2\d|3\d|4\d|5\d|6[0-3]"


def test_the_shape_of_real_sizes() -> None:
    header = llama2_7b()
    model = Shapes(header).shape(SETTINGS)
    assert model.layers == 33 and model.movable == "ffn"
    embedding = header.tensors["token_embd.weight"].size_bytes
    weights = sum(block.fixed_bytes + block.movable_bytes for block in model.blocks)
    assert weights + model.output_bytes + embedding == header.weight_bytes
    assert sum(block.state_bytes for block in model.blocks) == 2 * 1024**3


def test_overrides_catch_what_was_meant_of_a_mixture() -> None:
    header = qwen3_30b_a3b()
    model = Shapes(header).shape(SETTINGS)
    room = sum(block.lean_bytes for block in model.blocks) + model.output_bytes
    layout = fill(model, rooms(room + 10 * model.blocks[0].movable_bytes), style="spill", sharing="even")
    patterns = [re.compile(item.pattern) for item in placement(layout).overrides]
    caught = {name for name in header.tensors if any(pattern.search(name) for pattern in patterns)}
    assert caught == {name for name in header.tensors if "_exps" in name and int(name.split(".")[1]) >= 10}
    assert isinstance(layout, Layout) and len(patterns) == 1
