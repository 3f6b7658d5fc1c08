"""What a planner may give up so that a model fits or gets faster, in the order in which users would miss it least."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from inference.planning.bill import keeps_state
from inference.planning.values import Limits, Machine, Settings, Wish
from inference.values import KvType
from models_catalog.gguf.header import GgufHeader

# What a conversation of a few hours with some pasted pages takes; longer ones are the user's wish.
AIM_CONTEXT_TOKENS = 8192
# Shorter contexts than the first lose the beginning of an everyday conversation; than the second, a single long answer.
USUAL_CONTEXT_TOKENS, SMALLEST_CONTEXT_TOKENS = 4096, 2048
# llama.cpp rounds the context up to this.
CONTEXT_STEP = 256
# How many prefixes stay usable; each costs an output row (vocabulary * 4 bytes), a recurrent model's a whole state.
_SEQUENCES, _RECURRENT_SEQUENCES = 16, 4
# LLAMA_MAX_SEQ of llama-cparams.h.
_MOST_SEQUENCES = 256
BATCH_TOKENS, LARGE_BATCH_TOKENS = 512, 2048
_SMALL_BATCH_TOKENS, _SMALLEST_BATCH_TOKENS = 256, 128
_FORGET_WINDOWS, _FEW_SEQUENCES, _SMALL_BATCH, _COARSE_KEYS = 1.03, 1.03, 1.02, 1.1
_USUAL_CONTEXT, _SMALL_CONTEXT = 1.25, 4.0
# Widest first; a limit that a failure has taught excludes the types before it.
_KV_TYPES: tuple[KvType, ...] = ("f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Settings without a placement. price: how many times slower a plan may be before this variant is worth it.

    reading_bound: the context is shorter than usual because this computer would read it for too long.
    """

    settings: Settings
    context_tokens: int
    price: float = 1.0
    reading_bound: bool = False


def first_variant(header: GgufHeader, machine: Machine, wish: Wish, limits: Limits) -> Variant:
    """The most comfortable settings, with all that the user fixed."""
    parallel = wish.parallel or 1
    context = wish.context_tokens
    if context is None:
        context = min(AIM_CONTEXT_TOKENS, *_ceilings(header, limits))
    sequences = _RECURRENT_SEQUENCES if keeps_state(header) else _SEQUENCES
    sequences = min(_MOST_SEQUENCES, max(parallel, sequences))
    batch = wish.batch_tokens or min(BATCH_TOKENS, limits.batch_tokens or BATCH_TOKENS)
    kind = limits.kv_type or "f16"
    kv_type_v = wish.kv_type_v or (kind if wish.flash_attention is not False else "f16")
    flash_attention = wish.flash_attention
    if flash_attention is None:
        flash_attention = True
    settings = Settings(
        context_tokens=total_context(context, parallel),
        sequences=sequences,
        batch_tokens=batch,
        outputs_max=sequences,
        kv_type_k=wish.kv_type_k or kind,
        kv_type_v=kv_type_v,
        flash_attention=flash_attention,
        swa_full=True if wish.swa_full is None else wish.swa_full,
        repack=machine.host.repack,
    )
    return Variant(settings=settings, context_tokens=context)


def slow_reader_variant(first: Variant, wish: Wish) -> Variant | None:
    """In place of the first variant where prompts are read slowly; None where its context is short, or fixed."""
    if wish.context_tokens is not None or first.context_tokens <= USUAL_CONTEXT_TOKENS:
        return None
    return replace(_with_context(first, USUAL_CONTEXT_TOKENS, wish, 1.0), reading_bound=True)


def variants(header: GgufHeader, first: Variant, wish: Wish, *, on_devices: bool) -> Iterator[Variant]:
    """The first variant, then ever cheaper ones; what the user fixed stays.

    Coarse keys and values slow the processor down, so without devices they come after the usual context only.
    """
    current = first
    yield current
    steps = [_forget_windows, _few_sequences, _small_batch, _coarse_keys, _usual_context, _small_context]
    if not on_devices:
        steps = [_forget_windows, _few_sequences, _small_batch, _usual_context, _coarse_keys, _small_context]
    for step in (*steps, _smallest_batch):
        cheaper = step(header, current, wish)
        if cheaper.settings != current.settings:
            current = cheaper
            yield current


def longer_contexts(header: GgufHeader, limits: Limits, wish: Wish, variant: Variant) -> Iterator[Variant]:
    """Twice the context and four times, as far as the model was trained for it; nothing where the user fixed it."""
    if wish.context_tokens is None and variant.context_tokens == AIM_CONTEXT_TOKENS:
        for context in (2 * AIM_CONTEXT_TOKENS, 4 * AIM_CONTEXT_TOKENS):
            if context <= min(_ceilings(header, limits), default=context):
                yield _with_context(variant, context, wish, 1.0)


def total_context(context_tokens: int, parallel: int) -> int:
    """Cells of the unified cache for so many conversations of this length."""
    return -(-context_tokens * parallel // CONTEXT_STEP) * CONTEXT_STEP


def _ceilings(header: GgufHeader, limits: Limits) -> list[int]:
    return [limit for limit in (header.trained_context_tokens, limits.context_tokens) if limit] or [AIM_CONTEXT_TOKENS]


def _with(variant: Variant, price: float, settings: Settings) -> Variant:
    return replace(variant, settings=settings, price=variant.price * price)


def _with_context(variant: Variant, context: int, wish: Wish, price: float) -> Variant:
    settings = replace(variant.settings, context_tokens=total_context(context, wish.parallel or 1))
    return replace(_with(variant, price, settings), context_tokens=context)


def _forget_windows(header: GgufHeader, variant: Variant, wish: Wish) -> Variant:
    if wish.swa_full is not None or not header.own_integer("attention.sliding_window"):
        return variant
    return _with(variant, _FORGET_WINDOWS, replace(variant.settings, swa_full=False))


def _few_sequences(header: GgufHeader, variant: Variant, wish: Wish) -> Variant:
    if not keeps_state(header):
        return variant
    sequences = wish.parallel or 1
    return _with(variant, _FEW_SEQUENCES, replace(variant.settings, sequences=sequences, outputs_max=sequences))


def _small_batch(header: GgufHeader, variant: Variant, wish: Wish) -> Variant:
    return _with_batch(variant, wish, _SMALL_BATCH_TOKENS)


def _smallest_batch(header: GgufHeader, variant: Variant, wish: Wish) -> Variant:
    return _with_batch(variant, wish, _SMALLEST_BATCH_TOKENS)


def _with_batch(variant: Variant, wish: Wish, tokens: int) -> Variant:
    if wish.batch_tokens is not None or variant.settings.batch_tokens <= tokens:
        return variant
    return _with(variant, _SMALL_BATCH, replace(variant.settings, batch_tokens=tokens))


def _coarse_keys(header: GgufHeader, variant: Variant, wish: Wish) -> Variant:
    settings = variant.settings
    if wish.flash_attention is False:
        return variant
    kind_k = wish.kv_type_k or _coarser(settings.kv_type_k)
    kind_v = wish.kv_type_v or _coarser(settings.kv_type_v)
    return _with(variant, _COARSE_KEYS, replace(settings, kv_type_k=kind_k, kv_type_v=kind_v, flash_attention=True))


def _coarser(kind: KvType) -> KvType:
    """q8_0, which no reader notices; never beyond it."""
    return "q8_0" if _KV_TYPES.index(kind) < _KV_TYPES.index("q8_0") else kind


def _usual_context(header: GgufHeader, variant: Variant, wish: Wish) -> Variant:
    return _shorter(variant, wish, USUAL_CONTEXT_TOKENS, _USUAL_CONTEXT)


def _small_context(header: GgufHeader, variant: Variant, wish: Wish) -> Variant:
    return _shorter(variant, wish, SMALLEST_CONTEXT_TOKENS, _SMALL_CONTEXT)


def _shorter(variant: Variant, wish: Wish, tokens: int, price: float) -> Variant:
    if wish.context_tokens is not None or variant.context_tokens <= tokens:
        return variant
    return _with_context(variant, tokens, wish, price)
