"""Instruction sets that matter to the engine, in ggml's names, from what each system calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# ggml's name → the names that Linux writes as "flags" (x86) or "Features" (ARM, LoongArch), all of which are needed.
# ggml's AVX-512 code is built for the five sets that every server and desktop processor with AVX-512 has.
_LINUX: Mapping[str, tuple[str, ...]] = {
    "SSE3": ("pni",),
    "SSSE3": ("ssse3",),
    "AVX": ("avx",),
    "F16C": ("f16c",),
    "FMA": ("fma",),
    "BMI2": ("bmi2",),
    "AVX2": ("avx2",),
    "AVX_VNNI": ("avx_vnni",),
    "AVX512": ("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"),
    "AVX512_VBMI": ("avx512vbmi",),
    "AVX512_VNNI": ("avx512_vnni",),
    "AVX512_BF16": ("avx512_bf16",),
    "AMX_INT8": ("amx_int8",),
    "NEON": ("asimd",),
    "ARM_FMA": ("asimd",),
    "FP16_VA": ("asimdhp",),
    "DOTPROD": ("asimddp",),
    "MATMUL_INT8": ("i8mm",),
    "SVE": ("sve",),
    "SME": ("sme",),
    "SME2": ("sme2",),
    "LSX": ("lsx",),
    "LASX": ("lasx",),
    "VXE": ("vxe",),
}
# The same from `sysctl hw.optional machdep.cpu`: switches on Apple's processors, lists of words on Intel's.
_MAC_SWITCHES: Mapping[str, str] = {
    "hw.optional.neon": "NEON",
    "hw.optional.AdvSIMD": "NEON",
    "hw.optional.arm.FEAT_FP16": "FP16_VA",
    "hw.optional.arm.FEAT_DotProd": "DOTPROD",
    "hw.optional.arm.FEAT_I8MM": "MATMUL_INT8",
    "hw.optional.arm.FEAT_SME": "SME",
    "hw.optional.arm.FEAT_SME2": "SME2",
}
_MAC_WORDS: Mapping[str, str] = {
    "SSE3": "SSE3",
    "SSSE3": "SSSE3",
    "AVX1.0": "AVX",
    "F16C": "F16C",
    "FMA": "FMA",
    "BMI2": "BMI2",
    "AVX2": "AVX2",
    "AVX512F": "AVX512",
    "AVX512VBMI": "AVX512_VBMI",
    "AVX512VNNI": "AVX512_VNNI",
}
# Numbers of IsProcessorFeaturePresent.
WINDOWS_FEATURES: Mapping[int, str] = {
    13: "SSE3",
    36: "SSSE3",
    39: "AVX",
    40: "AVX2",
    41: "AVX512",
    19: "NEON",
    43: "DOTPROD",
}


def from_cpuinfo(text: str) -> tuple[str, ...]:
    """From /proc/cpuinfo; what only some cores have is left out, for a thread may run on any."""
    lists = re.findall(r"^(?:flags|features)[ \t]*:(.*)$", text, re.MULTILINE | re.IGNORECASE)
    common = frozenset.intersection(*(frozenset(line.split()) for line in lists)) if lists else frozenset()
    found = [name for name, needed in _LINUX.items() if common.issuperset(needed)]
    isas = re.findall(r"^isa[ \t]*:[ \t]*rv\d+([a-z]*)", text, re.MULTILINE)
    if isas and all("v" in letters for letters in isas):
        found.append("RISCV_V")
    if re.search(r"^cpu[ \t]*:[ \t]*POWER(?:[89]|\d\d)", text, re.MULTILINE):
        found.append("VSX")
    return tuple(found)


def from_sysctl(values: Mapping[str, str]) -> tuple[str, ...]:
    """From names and values that `sysctl` prints."""
    found = [name for switch, name in _MAC_SWITCHES.items() if values.get(switch) == "1"]
    words = " ".join(values.get(f"machdep.cpu.{kind}", "") for kind in ("features", "leaf7_features")).split()
    found += [_MAC_WORDS[word] for word in words if word in _MAC_WORDS]
    return _in_order([*found, "ARM_FMA"] if "NEON" in found else found)


def from_windows(numbers: Iterable[int]) -> tuple[str, ...]:
    """From the numbers of features that Windows says are present; F16C, FMA and BMI2 come with AVX2 everywhere."""
    found = [WINDOWS_FEATURES[number] for number in numbers if number in WINDOWS_FEATURES]
    return _in_order([*found, "F16C", "FMA", "BMI2"] if "AVX2" in found else found)


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    known = frozenset(names)
    return tuple(name for name in _LINUX if name in known)
