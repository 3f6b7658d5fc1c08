"""Plans and a computer as the service would tell them: a model of 8 billion weights on a card of 8 GiB."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.plan_values import (
    AcceleratorView,
    BillLine,
    HardwareIssue,
    HardwareView,
    LiveAcceleratorView,
    LiveView,
    PlanAdvice,
    PlanDevice,
    PlannedQuantization,
    PlanReason,
    Plans,
    PlanSpeed,
    PlanVerdict,
    PlanView,
    PlanWish,
)
from app.values import ErrorBody

CARD = "NVIDIA GeForce RTX 4060"
CARD_BUDGET, CARD_FREE = 7_530_000_000, 8_317_000_000
HOST_BUDGET, HOST_FREE = 8_900_000_000, 10_500_000_000
# Part of an f16 cache that other precisions take.
KV_PARTS = {"f16": 1.0, "q8_0": 0.53125, "q4_0": 0.28125}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the sums need to know of a model. kv_bytes: of one token at f16."""

    name: str
    layers: int
    kv_bytes: int
    trained_context: int
    compute_bytes: int
    tokens_per_second: float
    sizes: dict[str, int]


LARGE = Shape(
    name="Qwen3 8B",
    layers=36,
    kv_bytes=147_456,
    trained_context=40_960,
    compute_bytes=318_000_000,
    tokens_per_second=42.0,
    sizes={"Q4_K_M": 5_027_000_000, "Q5_K_M": 5_851_000_000, "Q8_0": 8_709_000_000, "F16": 16_388_000_000},
)
SMALL = {
    "0.5b": Shape(
        name="Qwen2.5 Coder 0.5B Instruct",
        layers=24,
        kv_bytes=12_288,
        trained_context=32_768,
        compute_bytes=312_000_000,
        tokens_per_second=310.0,
        sizes={"Q4_K_M": 491_400_064},
    ),
    "1.5b": Shape(
        name="Qwen2.5 Coder 1.5B Instruct",
        layers=28,
        kv_bytes=28_672,
        trained_context=32_768,
        compute_bytes=98_000_000,
        tokens_per_second=178.0,
        sizes={"Q4_K_M": 1_117_320_768},
    ),
}

COMPUTER = HardwareView(
    cpu_name="AMD Ryzen 7 7840HS",
    physical_cores=8,
    performance_cores=0,
    efficiency_cores=0,
    usable_cores=8,
    quota_cores=None,
    instruction_sets=("AVX", "F16C", "FMA", "AVX2", "AVX512", "AVX512_VNNI"),
    numa_nodes=1,
    memory_total_bytes=16_500_000_000,
    memory_available_bytes=HOST_FREE,
    memory_limited_by_group=False,
    disk_folder="/home/li/.local/share/liangli/models",
    disk_kind="ssd",
    disk_free_bytes=212_000_000_000,
    disk_total_bytes=512_000_000_000,
    accelerators=(
        AcceleratorView(
            name=CARD,
            vendor="nvidia",
            kind="discrete",
            total_bytes=8_589_934_592,
            free_bytes=CARD_FREE,
            shares_host_memory=False,
            usable=True,
            driver="570.86",
            driver_too_old=False,
            display_attached=True,
            users=(("firefox", 184_000_000), ("Xorg", 61_000_000)),
        ),
        AcceleratorView(
            name="AMD Radeon 780M",
            vendor="amd",
            kind="integrated",
            total_bytes=None,
            free_bytes=None,
            shares_host_memory=True,
            usable=False,
            driver="",
            driver_too_old=False,
            display_attached=None,
            users=(),
        ),
    ),
    issues=(HardwareIssue(part="gpu", detail="0 bytes", expected=False, advice="memory_unknown"),),
)
LIVE = LiveView(
    memory_available_bytes=HOST_FREE,
    memory_total_bytes=16_500_000_000,
    cpu_load=0.23,
    accelerators=(
        LiveAcceleratorView(name=CARD, free_bytes=CARD_FREE, total_bytes=8_589_934_592),
        LiveAcceleratorView(name="AMD Radeon 780M", free_bytes=None, total_bytes=None),
    ),
)


def sample_plans(model: str, wish: PlanWish, advice: bool) -> Plans:
    """All quantizations, as a planner would answer this wish; a model of this computer has only one."""
    shape = next((shape for part, shape in SMALL.items() if part in model), LARGE)
    plans = [
        PlannedQuantization(name=name, size_bytes=size, plan=sample_plan(shape, name, wish, advice))
        for name, size in shape.sizes.items()
    ]
    if len(plans) > 1:
        refused = ErrorBody(code="ArchitectureUnknown", fields={"path": "Qwen3-8B-IQ9_X.gguf", "architecture": "qwen9"})
        plans.append(PlannedQuantization(name="IQ9_X", size_bytes=0, plan=None, error=refused))
    imagined = bool(wish.gpus or wish.ram)
    machine = (f"{wish.gpus[0]} (8.59 GB)", "AMD Ryzen 7 7840HS (17.2 GB)") if wish.gpus else (f"{CARD} (8.59 GB)",)
    return Plans(model=model, quantizations=tuple(plans), best=0, machine=machine, hypothetical=imagined, wish=wish)


def sample_plan(shape: Shape, quantization: str, wish: PlanWish, advice: bool) -> PlanView:
    """Weights fill the card first, layer by layer; what does not fit lies in main memory."""
    context, parallel, kv = wish.context or 8_192, wish.parallel or 1, wish.kv or "f16"
    size, compute, all_layers = shape.sizes[quantization], shape.compute_bytes, shape.layers + 1
    state = int(shape.kv_bytes * KV_PARTS[kv]) * context * parallel
    fitting = all_layers * max(0, CARD_BUDGET - state - compute) // size
    layers = min(fitting, all_layers) if wish.gpu_layers is None else wish.gpu_layers
    on_card = size * layers // all_layers
    on_host = size - on_card + size // 15
    card = PlanDevice(
        name="CUDA0",
        description=CARD,
        weights_bytes=on_card,
        state_bytes=state,
        compute_bytes=compute,
        other_bytes=0,
        soft_bytes=0,
        budget_bytes=CARD_BUDGET,
        free_bytes=CARD_FREE,
        total_bytes=on_card + state + compute,
    )
    host = PlanDevice(
        name="CPU",
        description=COMPUTER.cpu_name,
        weights_bytes=on_host,
        state_bytes=0,
        compute_bytes=40_000_000,
        other_bytes=210_000_000,
        soft_bytes=0,
        budget_bytes=HOST_BUDGET,
        free_bytes=HOST_FREE,
        total_bytes=on_host + 250_000_000,
    )
    over = card.total_bytes > CARD_BUDGET or host.total_bytes > HOST_BUDGET
    verdict: PlanVerdict = "does_not_fit" if over else "fits" if layers == all_layers else "partly_on_cpu"
    speed = shape.tokens_per_second * (1.0 if layers == all_layers else 0.2 if not over else 0.04)
    reasons = (
        _reason("context_tokens", context * parallel, wish.context, "default_context"),
        _reason("parallel", parallel, wish.parallel, "one_conversation"),
        _reason("batch_tokens", 512, wish.batch, "usual_batch"),
        _reason("kv_type_k", kv, wish.kv, "fine_keys"),
        _reason("kv_type_v", kv, wish.kv, "fine_keys"),
        _reason("flash_attention", "true", None, "many_sequences"),
        _reason("gpu_layers", layers, wish.gpu_layers, "all_on_device" if layers == all_layers else "part_on_device"),
        _reason("decode_threads", 7, wish.threads, "one_core_free"),
    )
    return PlanView(
        model=shape.name,
        quantization=quantization,
        file_bytes=size,
        basis="exact",
        verdict=verdict,
        devices=(host, card),
        total_bytes=card.total_bytes + host.total_bytes,
        bill=(
            BillLine(kind="weights", device="CUDA0", bytes=on_card),
            BillLine(kind="kv", device="CUDA0", bytes=state),
            BillLine(kind="compute", device="CUDA0", bytes=compute),
            BillLine(kind="weights", device="CPU", bytes=host.weights_bytes),
            BillLine(kind="compute", device="CPU", bytes=host.compute_bytes),
            BillLine(kind="vocabulary", device="CPU", bytes=120_000_000),
            BillLine(kind="process", device="CPU", bytes=90_000_000),
        ),
        context=context,
        trained_context=shape.trained_context,
        parallel=parallel,
        sequences=max(parallel, 4),
        ubatch=512,
        batch=512,
        kv_type_k=kv,
        kv_type_v=kv,
        flash_attention=True,
        swa_full=True,
        outputs_max=max(parallel, 4),
        gpu_layers=layers,
        layers=shape.layers,
        tensor_split=(),
        overrides=(),
        load_mode="none",
        threads=7,
        batch_threads=8,
        speed=PlanSpeed(
            decode=(speed * 0.8, speed, speed * 1.2),
            prefill=(speed * 20, speed * 26, speed * 31),
            depth_tokens=2_048,
            origin="table",
            slowest="CUDA0",
        ),
        reasons=reasons,
        advice=_advice(verdict) if advice else (),
    )


def loaded(plans: Plans) -> Plans:
    """The same, with what was measured on the devices."""
    measured = []
    for one in plans.quantizations:
        assert one.plan is not None
        devices = tuple(replace(device, measured_bytes=device.total_bytes * 101 // 100) for device in one.plan.devices)
        measured.append(replace(one, plan=replace(one.plan, devices=devices)))
    return replace(plans, quantizations=tuple(measured))


def _reason(field: str, value: object, wished: object, reason: str) -> PlanReason:
    asked = wished is not None
    return PlanReason(
        field=field,
        value=str(value),
        chosen_by="user" if asked else "planner",
        reason="asked_for" if asked else reason,
    )


def _advice(verdict: PlanVerdict) -> tuple[PlanAdvice, ...]:
    if verdict == "fits":
        return ()
    return (
        PlanAdvice(
            kind="kv", fields={"kv_type": "q8_0", "saves_bytes": 566_000_000}, saves_bytes=566_000_000, makes_fit=False
        ),
        PlanAdvice(
            kind="context",
            fields={"context_tokens": 4_096, "saves_bytes": 604_000_000},
            saves_bytes=604_000_000,
            makes_fit=True,
        ),
        PlanAdvice(
            kind="close",
            fields={"program": "firefox", "saves_bytes": 184_000_000},
            saves_bytes=184_000_000,
            makes_fit=False,
        ),
        PlanAdvice(
            kind="sibling",
            fields={"quantization": "Q4_K_M", "saves_bytes": 3_682_000_000},
            saves_bytes=3_682_000_000,
            makes_fit=True,
        ),
    )
