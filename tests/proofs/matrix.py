"""The settings that dry runs are compared for."""

from __future__ import annotations

from dataclasses import replace

from inference.planning.values import Settings

BASE = Settings(
    context_tokens=4096, sequences=1, batch_tokens=512, outputs_max=1, flash_attention=True, swa_full=False, repack=True
)

# Name → settings; each differs from BASE in what its name says.
SETTINGS: dict[str, Settings] = {
    "base": BASE,
    "context 2k": replace(BASE, context_tokens=2048),
    "context 8k": replace(BASE, context_tokens=8192),
    "context 16k": replace(BASE, context_tokens=16384),
    "context 32k": replace(BASE, context_tokens=32768),
    "flash off": replace(BASE, flash_attention=False),
    "flash off 16k": replace(BASE, flash_attention=False, context_tokens=16384),
    "KV q8_0": replace(BASE, kv_type_k="q8_0", kv_type_v="q8_0"),
    "KV q4_0": replace(BASE, kv_type_k="q4_0", kv_type_v="q4_0"),
    "K q8_0, flash off": replace(BASE, kv_type_k="q8_0", flash_attention=False),
    "V q8_0, flash off": replace(BASE, kv_type_v="q8_0", flash_attention=False),
    "batch 128": replace(BASE, batch_tokens=128),
    "batch 256": replace(BASE, batch_tokens=256),
    "batch 1024": replace(BASE, batch_tokens=1024),
    "4 sequences": replace(BASE, sequences=4),
    "8 sequences": replace(BASE, sequences=8, outputs_max=8),
    "8 outputs": replace(BASE, outputs_max=8),
    "16 outputs": replace(BASE, outputs_max=16),
    "no repack": replace(BASE, repack=False),
    "full window": replace(BASE, swa_full=True),
    "full window, 4 sequences, 8k": replace(BASE, swa_full=True, sequences=4, context_tokens=8192),
    "all together": replace(
        BASE, context_tokens=8192, sequences=4, batch_tokens=256, outputs_max=16, kv_type_k="q8_0", kv_type_v="q8_0"
    ),
}

# Those that are also loaded with mapped weights.
MAPPED = ("base", "flash off", "no repack", "8 sequences")
