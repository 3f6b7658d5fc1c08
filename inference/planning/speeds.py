"""How fast a device will be before anything was measured on it: from published figures, conservatively.

The shares below come from published llama-bench runs of 2024-2026 (tests/inference/planning/test_speeds.py holds some).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hardware_probe.gpu_facts import GpuFacts, find_reported_gpu
from hardware_probe.values import Accelerator, Cpu, Memory, Vendor
from inference.planning.calibrated import Calibration as Calibration
from inference.planning.threads import choose_threads
from inference.planning.values import DeviceSpeed

# ---- accelerators ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """What llama.cpp makes of a data sheet.

    read, keys: of the memory's bandwidth, multiplying by weights and attending. compute: of dense fp16, for large
    batches. half_at: peak at which only half of that is reached, since a batch of 512 tokens does not fill large cards;
    None for never. node: seconds of one graph node. spread: of the range.
    """

    read: float
    keys: float
    compute: float
    node: float
    spread: float
    half_at: float | None = None


# GeForce: quantized products run on 8-bit tensor cores, four times as fast as the fp16 figure with 32-bit sums.
_CUDA = _Share(read=0.80, keys=0.75, compute=1.0, node=1.2e-6, spread=0.30, half_at=250e12)
_ROCM = _Share(read=0.58, keys=0.50, compute=0.38, node=2.0e-6, spread=0.35)
_VULKAN = _Share(read=0.68, keys=0.50, compute=0.32, node=1.8e-6, spread=0.40)
# Graphics of a processor share its power too: a Strix Halo reads prompts of a 7B Q4_0 at 880 tokens per second
# (llm-tracker.info), which is a fifth of its figure.
_VULKAN_SHARED = replace(_VULKAN, compute=0.20)
_INTEL = _Share(read=0.62, keys=0.40, compute=0.26, node=2.0e-6, spread=0.40)
# Without matrix units: an A770 answers with 42 to 53 tokens per second of an 8B Q4_K_M and reads it at 560
# (llama.cpp#17628, normiebench#45), a Core i7-1165G7's graphics at 32 (llama.cpp#5301), slower than its processor.
_INTEL_VULKAN = _Share(read=0.46, keys=0.35, compute=0.10, node=2.0e-6, spread=0.45)
_METAL = _Share(read=0.85, keys=0.60, compute=0.65, node=5.0e-6, spread=0.30)
_OTHER = _Share(read=0.45, keys=0.30, compute=0.25, node=3.0e-6, spread=0.60)
_SHARES: dict[Vendor, _Share] = {"nvidia": _CUDA, "amd": _ROCM, "intel": _INTEL, "apple": _METAL}
# Attending to a whole batch, as part of what large products reach.
_ATTEND = 0.5
# Unpacking weights takes multiprocessors, of which cards with the fastest memory have too few. Bytes for each fp32
# flop: a 27B Q4_K_M comes at 46 tokens per second on an A100, 74 on an H100, 76 on an H200 (pavlokhmel.com, June 2026),
# a 70B at 22 on an A100. 8 bits are unpacked faster, 16 are not. GA100 counts half of its fp32 lanes.
_FAST_MEMORY = 1.2e12
_UNPACK_BYTES, _GA100_FP32_FLOPS = 23e-3, 25e12
_UNPACK_EIGHT_BITS = 1.5
# Experts are small products: a 30B-A3B comes at 167 tokens per second on a 3090 Ti, at 196 on a 4090 (smeltcore.com,
# runaihome.com, 2026).
_EXPERTS_READ = 0.85
# Cells of 8 bits and less are unpacked on the way.
_QUANTIZED_KEYS = 0.75
# Without flash attention the products run alone and the softmax between them goes through memory.
_PLAIN_KEYS = 0.7
_SPLIT_SECONDS = 80e-6
# What copying reaches of a link; PCI Express 4.0 x8 where the link is unknown.
_LINK, _USUAL_LINK = 0.8, 15.8e9
# Flops of a card for each byte that its memory delivers, for cards that are in no table.
_USUAL_INTENSITY = 50.0
# A card of which not even the memory's bandwidth is known.
_USUAL_BANDWIDTH = 200e9
_UNSURE = 1.4


def gpu_speed_from_facts(
    *,
    memory_bytes_per_second: float,
    fp16_flops: float,
    vendor: Vendor,
    link: float | None,
    back_end: str = "",
    fp32_flops: float | None = None,
) -> DeviceSpeed:
    """Figures of a data sheet → figures to plan with.

    fp16_flops: dense, with 32-bit sums. link: theoretical, one way, None where memory is shared. back_end: the engine's
    name of the device or its back end ("Vulkan0"), where it is known.
    """
    share = _share_of(vendor, back_end, shared=link is None)
    compute = share.compute * fp16_flops / (1.0 + (fp16_flops / share.half_at if share.half_at else 0.0))
    keys = share.keys * memory_bytes_per_second
    copied = _LINK * link if link is not None else 0.5 * memory_bytes_per_second
    return DeviceSpeed(
        read_bytes_per_second=_read(share, memory_bytes_per_second, fp32_flops if vendor == "nvidia" else None),
        # Each expert sees a small part of the batch.
        flops_per_second={
            "": compute,
            "|experts": 0.4 * compute,
            "f16|flash": _ATTEND * compute,
            "f16|plain": 0.6 * _ATTEND * compute,
            "q8_0|flash": 0.8 * _ATTEND * compute,
        },
        kv_read_bytes_per_second={
            "f16|flash": keys,
            "bf16|flash": keys,
            "f16|plain": _PLAIN_KEYS * keys,
            "": _QUANTIZED_KEYS * keys,
        },
        node_seconds=share.node,
        split_seconds=_SPLIT_SECONDS,
        link_bytes_per_second=copied,
        origin="table",
        spread=share.spread,
    )


def _share_of(vendor: Vendor, back_end: str, *, shared: bool) -> _Share:
    if not back_end.startswith("Vulkan"):
        return _SHARES.get(vendor, _OTHER)
    if vendor == "intel":
        return _INTEL_VULKAN
    return _VULKAN_SHARED if shared else _VULKAN


def _read(share: _Share, memory_bytes_per_second: float, fp32_flops: float | None) -> dict[str, float]:
    plain = share.read * memory_bytes_per_second
    if fp32_flops is None:
        return {"": plain}
    if memory_bytes_per_second < _FAST_MEMORY:
        return {"": plain, "|experts": _EXPERTS_READ * plain}
    unpacked = _UNPACK_BYTES * fp32_flops * (2 if fp32_flops < _GA100_FP32_FLOPS else 1)
    return {
        "": min(plain, unpacked),
        "|experts": _EXPERTS_READ * min(plain, unpacked),
        "Q8_0": min(plain, _UNPACK_EIGHT_BITS * unpacked),
        "F16": plain,
        "BF16": plain,
    }


def gpu_speed(facts: GpuFacts, back_end: str = "") -> DeviceSpeed:
    """Of a card of the table; wider where its figures are not well attested."""
    speed = gpu_speed_from_facts(
        memory_bytes_per_second=facts.memory_bytes_per_second,
        fp16_flops=facts.fp16_flops_per_second,
        vendor=facts.vendor,
        link=None if facts.shares_host_memory else facts.link_bytes_per_second or _USUAL_LINK,
        back_end=back_end,
        fp32_flops=facts.fp32_flops_per_second,
    )
    return speed if facts.confirmed else replace(speed, spread=_UNSURE * speed.spread)


def accelerator_speed(accelerator: Accelerator) -> DeviceSpeed:
    """Of a card that was found here: by the table if it is in it, else from what its driver tells, less certain."""
    back_end = accelerator.engine_device or ""
    facts = find_reported_gpu(accelerator.name, accelerator.total_bytes)
    if facts is not None:
        speed = gpu_speed(facts, back_end)
        if accelerator.link_bytes_per_second and not accelerator.shares_host_memory:
            speed = replace(speed, link_bytes_per_second=_LINK * accelerator.link_bytes_per_second)
        return speed
    bandwidth = accelerator.memory_bytes_per_second or _USUAL_BANDWIDTH * (0.3 if accelerator.shares_host_memory else 1)
    speed = gpu_speed_from_facts(
        memory_bytes_per_second=bandwidth,
        fp16_flops=_USUAL_INTENSITY * bandwidth,
        vendor=accelerator.vendor,
        link=None if accelerator.shares_host_memory else accelerator.link_bytes_per_second or _USUAL_LINK,
        back_end=back_end,
    )
    return replace(speed, spread=_UNSURE * speed.spread)


# ---- the processor --------------------------------------------------------------------------------------------------

# Bytes per second that memory delivers to large products. Apple: by the word behind the chip's number.
_APPLE_READ = (("ultra", 300e9), ("max", 200e9), ("pro", 110e9), ("", 55e9))
_SERVERS = ("epyc", "xeon", "threadripper", "kunpeng", "graviton", "neoverse", "ampere")
_SERVER_READ, _DDR5_READ, _DDR4_READ, _OLD_READ = 90e9, 42e9, 26e9, 12e9
_DDR5_SIGNS = frozenset({"AVX_VNNI", "AVX512_BF16", "AMX_INT8"})
_DDR4_SIGNS = frozenset({"AVX2", "DOTPROD", "LASX"})
# One core cannot ask for more than this while it multiplies.
_CORE_READ = 13e9
# (instruction set, flops of one core in large quantized products); the first that is there counts. AVX2: four and six
# cores of older laptops and desktops reach 90e9 (normiebench#42, normiebench#34); they get warm, others share them.
_CORE_FLOPS = (
    ("AVX512_VNNI", 90e9),
    ("AVX512", 75e9),
    ("AVX_VNNI", 75e9),
    ("AVX2", 65e9),
    ("MATMUL_INT8", 60e9),
    ("DOTPROD", 30e9),
    ("LASX", 15e9),
    ("NEON", 12e9),
    ("", 5e9),
)
# So many cores are only half as fast each: clocks fall, and barriers cross dies and sockets.
_CROWD = 128
# Attending is bound by computing. (flops with one token, as part of the bytes per second that the cores can read; flops
# with a batch, as part of large products), measured on one AVX-512 core.
_CPU_ATTEND = {
    "f16|flash": (0.35, 0.16),
    "f16|plain": (0.75, 0.20),
    "q8_0|flash": (0.26, 0.035),
    "q4_0|flash": (0.23, 0.020),
}
_SHARE_OF_A_MACHINE = 0.7
_CPU_NODE_SECONDS = 1.5e-6
_CPU_SPREAD = 0.5


def cpu_speed_from_facts(cpu: Cpu | None, memory: Memory | None = None) -> DeviceSpeed:
    """A first guess, on the safe side, for the threads that `choose_threads` chooses; calibration replaces it.

    memory: one that a control group limits is a share of a machine, whose bandwidth is shared too.
    """
    threads = choose_threads(cpu)
    sets = frozenset(() if cpu is None else cpu.instruction_sets)
    compute = threads.batch * next(flops for name, flops in _CORE_FLOPS if not name or name in sets)
    compute /= 1 + threads.batch / _CROWD
    asked = threads.decode * _CORE_READ
    delivered = _OLD_READ if cpu is None else _memory_read(cpu.name.lower(), sets)
    if memory is not None and memory.limited_by_group:
        delivered *= _SHARE_OF_A_MACHINE
    read = min(asked, delivered)
    flops = {"": compute, "|experts": 0.5 * compute}
    for key, (one, batch) in _CPU_ATTEND.items():
        flops[f"{key}|one"], flops[key] = one * asked, batch * compute
    return DeviceSpeed(
        read_bytes_per_second={"": read, "|experts": 0.8 * read},
        flops_per_second=flops,
        kv_read_bytes_per_second={"": read},
        node_seconds=_CPU_NODE_SECONDS,
        split_seconds=0.0,
        link_bytes_per_second=None,
        origin="table",
        spread=_CPU_SPREAD,
    )


def _memory_read(name: str, sets: frozenset[str]) -> float:
    if "apple" in name:
        return next(read for word, read in _APPLE_READ if word in name)
    if any(server in name for server in _SERVERS):
        return _SERVER_READ
    if sets & _DDR5_SIGNS:
        return _DDR5_READ
    return _DDR4_READ if sets & _DDR4_SIGNS else _OLD_READ
