"""A simple, safe load plan: all on the CPU, a context of 4,096 tokens or what fits, threads that leave a core free."""

from __future__ import annotations

from hardware_probe.values import HardwareProfile
from inference.values import LoadPlan, PlanChoice
from models_catalog.gguf.header import GgufHeader

DEFAULT_CONTEXT_TOKENS = 4096
SMALLEST_CONTEXT_TOKENS = 512
# llama.cpp rounds the context up to this.
_CONTEXT_STEP = 256
_BATCH_TOKENS = 512
# Each sequence costs an output row (vocabulary * 4 bytes); recurrent models keep a whole state for each.
_SEQUENCES = 16
_RECURRENT_SEQUENCES = 4
# Compute buffer, vocabulary, libraries and Python, generously.
_WORKING_BYTES = 700 * 1024**2
# What stays free for the system and the user's other programs.
_SPARE_BYTES = 1024**3
# Above what is expected the fence leaves this much, so that only a runaway meets it.
_FENCE_SLACK_BYTES = 2 * 1024**3


def plan_load(
    *, model_path: str, header: GgufHeader, profile: HardwareProfile, context_tokens: int | None = None
) -> LoadPlan:
    """How to load this model on this computer. context_tokens: the user's wish, kept as it is.

    Never refuses: a model larger than the free memory is mapped from its file and runs slowly.
    """
    available = profile.memory.available_bytes if profile.memory is not None else 0
    room = available - _SPARE_BYTES - _WORKING_BYTES
    # Weights that are copied can be re-ordered for the CPU's vector units; mapped ones would then exist twice.
    memory_map = header.weight_bytes > room
    context, context_choice = _context(header, context_tokens, room - (0 if memory_map else header.weight_bytes))
    threads, batch_threads = _threads(profile)
    recurrent = header.kv_bytes_per_token is None
    kv_bytes = context * _kv_bytes_per_token(header)
    copied_bytes = 0 if memory_map else header.weight_bytes
    return LoadPlan(
        model_path=model_path,
        context_tokens=context,
        sequences=_RECURRENT_SEQUENCES if recurrent else _SEQUENCES,
        batch_tokens=_BATCH_TOKENS,
        decode_threads=threads,
        batch_threads=batch_threads,
        memory_map=memory_map,
        memory_limit_bytes=copied_bytes + header.weight_bytes + 2 * kv_bytes + _WORKING_BYTES + _FENCE_SLACK_BYTES,
        choices=(
            context_choice,
            PlanChoice(field="decode_threads", value=str(threads), chosen_by="planner", reason="one_core_free"),
            PlanChoice(
                field="memory_map",
                value=str(memory_map).lower(),
                chosen_by="planner",
                reason="larger_than_memory" if memory_map else "fits_in_memory",
            ),
            PlanChoice(field="flash_attention", value="true", chosen_by="planner", reason="many_sequences"),
        ),
    )


def _context(header: GgufHeader, wish: int | None, room_bytes: int) -> tuple[int, PlanChoice]:
    if wish is not None:
        context = -(-wish // _CONTEXT_STEP) * _CONTEXT_STEP
        return context, PlanChoice(field="context_tokens", value=str(context), chosen_by="user", reason="asked_for")
    wanted = min(DEFAULT_CONTEXT_TOKENS, header.trained_context_tokens or DEFAULT_CONTEXT_TOKENS)
    fitting = room_bytes // max(1, _kv_bytes_per_token(header)) // _CONTEXT_STEP * _CONTEXT_STEP
    context = max(SMALLEST_CONTEXT_TOKENS, min(wanted, fitting))
    if context < wanted:
        reason = "memory_limits_context"
    elif wanted < DEFAULT_CONTEXT_TOKENS:
        reason = "trained_context"
    else:
        reason = "default_context"
    return context, PlanChoice(field="context_tokens", value=str(context), chosen_by="planner", reason=reason)


def _kv_bytes_per_token(header: GgufHeader) -> int:
    """f16 keys and values of one token; for layers that keep something else, as if they were plain attention."""
    exact = header.kv_bytes_per_token
    if exact is not None:
        return exact
    return 2 * 2 * (header.layers or 0) * (header.embedding_length or 0)


def _threads(profile: HardwareProfile) -> tuple[int, int]:
    """(decode, batch): a thread on every core lets a busy neighbour stall each step, since threads wait spinning."""
    if profile.cpu is None:
        return 1, 1
    cores = profile.cpu.usable_cores
    if profile.cpu.quota_cores is not None:
        cores = min(cores, max(1, int(profile.cpu.quota_cores)))
    return max(1, cores - 1), max(1, cores)
