"""Who chose each number of a plan, and why: keys of `resources/texts/plan.toml`."""

from __future__ import annotations

from collections.abc import Iterator

from inference.planning.bill import keeps_state
from inference.planning.levers import AIM_CONTEXT_TOKENS, BATCH_TOKENS, USUAL_CONTEXT_TOKENS
from inference.planning.search import Candidate
from inference.planning.values import Limits, Machine, Wish
from inference.values import PlanChoice
from models_catalog.gguf.header import GgufHeader


def explain(
    candidate: Candidate, *, header: GgufHeader, machine: Machine, wish: Wish, limits: Limits
) -> tuple[PlanChoice, ...]:
    """One choice for each number of the plan that is made of `candidate`."""
    reasons = _Reasons(candidate, header, machine, wish, limits)
    return tuple(
        PlanChoice(field=field, value=value, chosen_by="user" if reason == "asked_for" else "planner", reason=reason)
        for field, value, reason in reasons.all()
    )


class _Reasons:
    def __init__(self, candidate: Candidate, header: GgufHeader, machine: Machine, wish: Wish, limits: Limits) -> None:
        self._candidate, self._settings = candidate, candidate.settings
        self._header, self._machine, self._wish, self._limits = header, machine, wish, limits

    def all(self) -> Iterator[tuple[str, str, str]]:
        """(field, value, reason)."""
        settings, wish, host = self._settings, self._wish, self._machine.host
        threads = "asked_for" if wish.decode_threads else host.threads_reason
        yield "context_tokens", str(settings.context_tokens), self._context()
        yield "parallel", str(wish.parallel or 1), "asked_for" if wish.parallel else "one_conversation"
        yield "sequences", str(settings.sequences), self._sequences()
        yield "outputs_max", str(settings.outputs_max), "one_row_each"
        yield "batch_tokens", str(settings.batch_tokens), self._batch()
        yield "kv_type_k", settings.kv_type_k, self._kv(wish.kv_type_k, settings.kv_type_k)
        yield "kv_type_v", settings.kv_type_v, self._kv(wish.kv_type_v, settings.kv_type_v)
        yield "flash_attention", _truth(settings.flash_attention), self._flash_attention()
        yield "swa_full", _truth(settings.swa_full), self._windows()
        yield "gpu_layers", str(settings.placement.gpu_layers), self._placement()
        if settings.placement.overrides:
            movable = self._candidate.layout.movable if self._candidate.layout else "ffn"
            yield "overrides", str(len(settings.placement.overrides)), f"{movable}_on_host"
        yield "memory_map", _truth(self._candidate.memory_map), self._memory_map()
        yield "repack", _truth(settings.repack), self._repack()
        yield "decode_threads", str(wish.decode_threads or host.decode_threads), threads
        yield "batch_threads", str(host.batch_threads), host.threads_reason

    def _context(self) -> str:
        context = self._candidate.variant.context_tokens
        if self._wish.context_tokens is not None:
            return "asked_for"
        if context > AIM_CONTEXT_TOKENS:
            return "roomy_context"
        if context == self._limits.context_tokens:
            return "earlier_failure"
        if self._candidate.variant.reading_bound and context == USUAL_CONTEXT_TOKENS:
            return "slow_reading"
        if context == self._header.trained_context_tokens:
            return "trained_context"
        return "default_context" if context == AIM_CONTEXT_TOKENS else "memory_limits_context"

    def _sequences(self) -> str:
        if (self._wish.parallel or 1) == self._settings.sequences:
            return "one_for_each_conversation"
        return "states_are_large" if keeps_state(self._header) else "prefixes_kept"

    def _batch(self) -> str:
        tokens = self._settings.batch_tokens
        if self._wish.batch_tokens is not None:
            return "asked_for"
        if tokens == self._limits.batch_tokens:
            return "earlier_failure"
        if tokens == BATCH_TOKENS:
            return "usual_batch"
        return "large_batch" if tokens > BATCH_TOKENS else "small_batch"

    def _kv(self, wished: str | None, kind: str) -> str:
        if wished is not None:
            return "asked_for"
        if kind == self._limits.kv_type:
            return "earlier_failure"
        return "fine_keys" if kind == "f16" else "coarse_keys"

    def _flash_attention(self) -> str:
        if self._wish.flash_attention is not None:
            return "asked_for"
        if not self._settings.flash_attention:
            return "plain_attention"
        if self._settings.placement.devices:
            return "flash_on_device"
        return "many_sequences" if (self._wish.parallel or 1) > 1 else "flash_saves_memory"

    def _windows(self) -> str:
        if self._wish.swa_full is not None:
            return "asked_for"
        if not self._header.own_integer("attention.sliding_window"):
            return "no_windows"
        return "prefixes_usable" if self._settings.swa_full else "windows_forgotten"

    def _placement(self) -> str:
        placement, layout = self._settings.placement, self._candidate.layout
        if self._wish.gpu_layers is not None:
            return "asked_for"
        if not self._machine.devices:
            return "no_device"
        if layout is None:
            return "no_room_on_device" if self._candidate.streams else "processor_is_faster"
        if placement.gpu_layers <= (self._header.layers or 0):
            return "part_on_device"
        if placement.overrides:
            return "all_but_some_weights"
        return "all_on_device" if len(placement.devices) == 1 else "all_on_devices"

    def _memory_map(self) -> str:
        if self._wish.memory_map is not None:
            return "asked_for"
        if not self._candidate.memory_map:
            return "fits_in_memory"
        return "larger_than_memory" if self._candidate.streams else "no_room_for_copies"

    def _repack(self) -> str:
        if self._settings.repack:
            return "repack_pays"
        return "repack_needs_copies" if self._machine.host.repack else "repack_does_not_pay"


def _truth(value: bool) -> str:
    return "true" if value else "false"
