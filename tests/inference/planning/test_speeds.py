from __future__ import annotations

from dataclasses import replace

import pytest

from hardware_probe.gpu_facts import GpuFound, find_gpu
from hardware_probe.values import Accelerator, Cpu, Memory
from inference.planning.calibrated import Calibration, ThreadTiming, from_json, to_json
from inference.planning.forecast import forecast
from inference.planning.speeds import accelerator_speed, cpu_speed_from_facts, gpu_speed, gpu_speed_from_facts
from inference.planning.values import DeviceSpeed, GraphCost, Machine, Operation, SpeedForecast
from inference.values import Placement
from tests.inference.planning.speed_values import SETTINGS, machine

GIB = 1024**3
# bytes read for one token (without the embedding), parameters of these weights, layers, keys and values of a token
LLAMA3_8B_Q4_K_M = (4.58 * GIB - 0.30e9, 7.5e9, 32, 32 * 2 * 1024 * 2)
LLAMA3_8B_Q4_0 = (4.33 * GIB - 0.30e9, 7.5e9, 32, 32 * 2 * 1024 * 2)
LLAMA2_7B_Q4_0 = (3.56 * GIB - 0.07e9, 6.6e9, 32, 32 * 2 * 4096 * 2)
MISTRAL_7B_Q4_0 = (3.83 * GIB - 0.07e9, 7.1e9, 32, 32 * 2 * 1024 * 2)
QWEN2_7B_Q4_K_M = (4.36 * GIB - 0.31e9, 7.07e9, 28, 28 * 2 * 512 * 2)
LLAMA2_13B_Q4_K_M = (7.33 * GIB - 0.09e9, 12.9e9, 40, 40 * 2 * 5120 * 2)
QWEN36_27B_Q4_K_M = (16.8e9 - 0.72e9, 26.2e9, 64, 16 * 2 * 1024 * 2)
_NODES_OF_A_LAYER = 20

# Published llama.cpp runs: (card, back end, model, depth, tokens per second, prompt tokens per second or None, where)
PUBLISHED = [
    ("RTX 3090", "CUDA0", LLAMA3_8B_Q4_0, 256, 156.6, None, "llama.cpp#15802"),
    ("RTX 4090", "CUDA0", LLAMA3_8B_Q4_0, 32768, 102.8, None, "llama.cpp#17505"),
    ("RTX 3080 10GB", "CUDA0", LLAMA3_8B_Q4_K_M, 128, 112.0, 3807, "LLM-inference-speed-benchmarks#12"),
    ("RTX 2080", "CUDA0", LLAMA3_8B_Q4_K_M, 256, 71.9, None, "llmfit#773"),
    ("RTX 2080 Ti 11GB", "CUDA0", LLAMA2_13B_Q4_K_M, 128, None, 1494, "ai-benchmarks#46"),
    ("Tesla P40", "CUDA0", LLAMA2_7B_Q4_0, 128, 56.3, 935, "llama.cpp#4766"),
    ("RX 7900 XTX", "ROCm0", LLAMA3_8B_Q4_K_M, 128, 105.8, 3227, "llama.cpp#26284"),
    ("RX 7900 XTX", "Vulkan0", LLAMA2_7B_Q4_0, 128, 172.0, None, "llama.cpp#20934"),
    ("RTX 4090", "CUDA0", QWEN36_27B_Q4_K_M, 512, 47.0, None, "pavlokhmel.com/4090"),
    ("A100 SXM4 80GB", "CUDA0", QWEN36_27B_Q4_K_M, 512, 46.0, None, "pavlokhmel.com/a100"),
    ("H100 SXM5 80GB", "CUDA0", QWEN36_27B_Q4_K_M, 512, 74.0, None, "pavlokhmel.com/h100"),
    ("H200 SXM 141GB", "CUDA0", QWEN36_27B_Q4_K_M, 512, 76.0, None, "pavlokhmel.com/h200"),
    ("Arc A770 16GB", "Vulkan0", LLAMA3_8B_Q4_K_M, 128, 47.5, 557, "llama.cpp#17628, normiebench#45"),
    ("Arc B580", "SYCL0", QWEN2_7B_Q4_K_M, 128, 66.5, 2336, "ipex-llm#12991"),
    ("M2 24GB", "MTL0", MISTRAL_7B_Q4_0, 128, 20.1, 141, "llama.cpp#5480"),
]  # fmt: skip


def graph_of(model: tuple[float, float, int, float], tokens: int) -> GraphCost:
    weight_bytes, parameters, layers, kv_bytes = model
    context = 32768
    heads_share = 4
    return GraphCost(
        tokens=tokens,
        context_tokens=context,
        operations=tuple(
            operation
            for layer in range(layers)
            for operation in (
                Operation(
                    layer=layer,
                    kind="weights",
                    part="ffn",
                    weight_type="Q4_K",
                    read_bytes=weight_bytes / layers,
                    flops=2 * parameters / layers * tokens,
                    nodes=_NODES_OF_A_LAYER,
                ),
                Operation(
                    layer=layer,
                    kind="attention",
                    part="attention",
                    weight_type="",
                    read_bytes=kv_bytes / layers * context,
                    flops=heads_share * kv_bytes / layers * context * tokens,
                    nodes=1,
                    cells=context,
                ),
            )
        ),
    )


def all_on(speed: DeviceSpeed, model: tuple[float, float, int, float], depth: int) -> SpeedForecast:
    on: Machine = machine("G", gpu=speed)
    placement = Placement(devices=("G",), gpu_layers=model[2] + 1)
    return forecast(
        decode=graph_of(model, 1),
        prefill=graph_of(model, 512),
        settings=replace(SETTINGS, context_tokens=32768, placement=placement),
        layers=model[2],
        machine=on,
        depth_tokens=depth,
    )


@pytest.mark.parametrize(
    ("card", "back_end", "model", "depth", "decode", "prefill", "where"), PUBLISHED, ids=[row[-1] for row in PUBLISHED]
)
def test_published_runs_lie_within_the_range(
    card: str,
    back_end: str,
    model: tuple[float, float, int, float],
    depth: int,
    decode: float | None,
    prefill: float | None,
    where: str,
) -> None:
    found = find_gpu(card)
    assert isinstance(found, GpuFound), (card, found)
    answer = all_on(gpu_speed(found.facts, back_end), model, depth)
    if decode is not None:
        assert answer.decode.low <= decode <= answer.decode.high, (where, answer.decode)
    if prefill is not None:
        assert answer.prefill.low <= prefill <= answer.prefill.high, (where, answer.prefill)
    assert answer.origin == "table"


def test_a_card_that_is_in_no_table_gets_a_wider_range() -> None:
    unknown = Accelerator(name="Frobnicator 9", vendor="other", kind="discrete", total_bytes=8 * GIB, free_bytes=None)
    known = replace(unknown, name="NVIDIA GeForce RTX 3090", vendor="nvidia", total_bytes=24 * GIB)
    guessed, published = accelerator_speed(unknown), accelerator_speed(known)
    assert guessed.spread > published.spread
    assert guessed.read_bytes_per_second[""] < published.read_bytes_per_second[""]
    narrow = accelerator_speed(replace(known, link_bytes_per_second=4e9))
    assert narrow.link_bytes_per_second == pytest.approx(3.2e9)
    told = accelerator_speed(replace(unknown, memory_bytes_per_second=900e9))
    assert told.read_bytes_per_second[""] > guessed.read_bytes_per_second[""]


def test_large_cards_are_not_filled_by_a_batch() -> None:
    def computing(fp16: float) -> float:
        speed = gpu_speed_from_facts(memory_bytes_per_second=3e12, fp16_flops=fp16, vendor="nvidia", link=None)
        return speed.flops_per_second[""]

    assert computing(60e12) < computing(1000e12) < 5 * computing(60e12)


def cpu(name: str, cores: int, *sets: str) -> Cpu:
    return Cpu(
        name=name,
        physical_cores=cores,
        logical_cores=cores,
        usable_cores=cores,
        usable_threads=cores,
        quota_cores=None,
        performance_cores=cores,
        instruction_sets=sets,
    )


def test_processors_are_guessed_on_the_safe_side() -> None:
    old = cpu_speed_from_facts(cpu("Core 2 Duo", 2))
    laptop = cpu_speed_from_facts(cpu("AMD Ryzen 5 5600U", 6, "AVX2"))
    desktop = cpu_speed_from_facts(cpu("AMD Ryzen 9 7950X", 16, "AVX2", "AVX512", "AVX512_VNNI", "AVX512_BF16"))
    server = cpu_speed_from_facts(cpu("AMD EPYC 9354", 32, "AVX2", "AVX512", "AVX512_VNNI", "AVX512_BF16"))
    apple = cpu_speed_from_facts(cpu("Apple M2 Max", 8, "NEON", "DOTPROD", "MATMUL_INT8"))
    reading = [speed.read_bytes_per_second[""] for speed in (old, laptop, desktop, server)]
    computing = [speed.flops_per_second[""] for speed in (old, laptop, desktop, server)]
    assert reading == sorted(reading) and computing == sorted(computing)
    assert apple.read_bytes_per_second[""] > desktop.read_bytes_per_second[""]
    # 7950X: 11.7 tokens per second of a 5-bit 8B model, 157 tokens per second of its prompts (ik_llama.cpp#121).
    assert 0.6 < desktop.read_bytes_per_second[""] / (11.7 * 5.3e9) < 1.2
    assert 0.4 < desktop.flops_per_second[""] / (157 * 2 * 7.5e9) < 1.2
    assert cpu_speed_from_facts(None).read_bytes_per_second[""] > 0


def test_a_share_of_a_machine_has_a_share_of_its_bandwidth() -> None:
    whole = Memory(total_bytes=64 * GIB, available_bytes=32 * GIB, limited_by_group=False)
    server = cpu("Intel(R) Xeon(R) Gold", 24, "AVX2", "AVX512_VNNI")
    assert (
        cpu_speed_from_facts(server, replace(whole, limited_by_group=True)).read_bytes_per_second[""]
        < cpu_speed_from_facts(server, whole).read_bytes_per_second[""]
    )


CALIBRATION = Calibration(
    cpu_name="A",
    engine="1",
    decode_threads=3,
    batch_threads=4,
    repack=False,
    contended=False,
    seconds=5.0,
    speed=replace(cpu_speed_from_facts(None), origin="calibrated"),
    timings=(ThreadTiming(threads=3, repack=False, decode_seconds=0.1, batch_seconds=0.2),),
)


def test_a_calibration_survives_the_disk() -> None:
    assert from_json(to_json(CALIBRATION), cpu_name="A", engine="1") == CALIBRATION


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "\ud800",
        to_json(CALIBRATION).replace('"version":1', '"version":2'),
        to_json(CALIBRATION)[:-5],
        to_json(replace(CALIBRATION, decode_threads=0)),
        to_json(replace(CALIBRATION, speed=replace(CALIBRATION.speed, read_bytes_per_second={"": -1.0}))),
        to_json(replace(CALIBRATION, speed=replace(CALIBRATION.speed, flops_per_second={"Q4_K": 1.0}))),
    ],
)
def test_a_damaged_calibration_counts_as_none(text: str) -> None:
    assert from_json(text, cpu_name="A", engine="1") is None


def test_a_calibration_of_another_processor_or_engine_counts_as_none() -> None:
    text = to_json(CALIBRATION)
    assert from_json(text, cpu_name="B", engine="1") is None
    assert from_json(text, cpu_name="A", engine="2") is None
