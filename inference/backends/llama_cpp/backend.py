"""A model in llama.cpp and its unified KV cache, behind inference.backends.protocol.Backend."""

from __future__ import annotations

import ctypes
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt

from inference.backends.llama_cpp.batch import BatchArrays
from inference.backends.llama_cpp.breakdown import read_breakdown
from inference.backends.llama_cpp.file_sampling import read_sampling
from inference.backends.llama_cpp.library import Callbacks, lib
from inference.backends.llama_cpp.params import context_params, free_device_bytes, model_params, output_rows
from inference.backends.llama_cpp.sampler import ChainSampler, GreedySampler, make_sampler
from inference.backends.llama_cpp.soundness import require_sound
from inference.backends.llama_cpp.vocabulary import LlamaVocabulary
from inference.backends.protocol import DecodeFailed, DecodeInterrupted
from inference.backends.shortage import find_shortage
from inference.errors import ArchitectureUnsupported, ModelLoadFailed, OutOfMemoryLoading
from inference.private_memory import private_bytes
from inference.scheduling.step import CacheAction, Drop, Fork, Restore, Save, Segment, Trim
from inference.values import LoadPlan, MeasuredMemory, ModelFacts, Sampling

# Below this many tokens a call is over sooner than a stop could be noticed, and the check would cost 2 % per token.
_INTERRUPTIBLE_TOKENS = 64
_TEXT_BYTES = 1024


class LlamaBackend:
    """See inference.backends.protocol.Backend. Made by `load`."""

    def __init__(self, plan: LoadPlan, model: Any, context: Any) -> None:
        self._model, self._context = model, context
        self._memory = lib.llama_get_memory(context)
        self.vocabulary = LlamaVocabulary(
            model, space_prefix=_meta(model, "tokenizer.ggml.add_space_prefix") != "false"
        )
        template = lib.llama_model_chat_template(model, None)
        self.chat_template = template.decode("utf-8", "replace") if template else None
        self.sampling_advice = read_sampling(lambda key: _meta(model, key))
        # More rows than the context was made for would abort the process.
        self._arrays = BatchArrays(batch_tokens=int(lib.llama_n_batch(context)), output_rows=output_rows(plan))
        self._logits: npt.NDArray[np.float32] | None = None
        self._saved: dict[str, Any] = {}
        self._interrupted: Callable[[], bool] = _never
        self._abort_callback = lib.ggml_abort_callback(self._should_abort)
        self._no_callback = lib.ggml_abort_callback(0)
        self.facts = self._facts(plan)

    def _facts(self, plan: LoadPlan) -> ModelFacts:
        model, context = self._model, self._context
        recurrent = lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model)
        forgets = not plan.swa_full and lib.llama_model_n_swa(model) > 0
        return ModelFacts(
            architecture=_meta(model, "general.architecture"),
            name=_meta(model, "general.name"),
            parameters=int(lib.llama_model_n_params(model)),
            size_bytes=int(lib.llama_model_size(model)),
            vocabulary_size=self.vocabulary.size,
            context_tokens=int(lib.llama_n_ctx(context)),
            trained_context_tokens=int(lib.llama_model_n_ctx_train(model)),
            sequences=int(lib.llama_n_seq_max(context)),
            has_chat_template=self.chat_template is not None,
            can_think=False,
            can_trim=not recurrent and not forgets,
            load_seconds=0.0,
            engine="llama.cpp " + lib.llama_version().decode(),
        )

    @property
    def batch_tokens(self) -> int:
        return self._arrays.batch_tokens

    # -- cache --------------------------------------------------------------------------------------------------------

    def act(self, action: CacheAction) -> bool:
        memory = self._memory
        match action:
            case Drop(sequence):
                lib.llama_memory_seq_rm(memory, sequence, -1, -1)
            case Trim(sequence, length):
                if not lib.llama_memory_seq_rm(memory, sequence, length, -1):
                    raise DecodeFailed(-1)
            case Fork(source, target, length):
                # A whole sequence is copied without an end, the only form that recurrent states take.
                whole = lib.llama_memory_seq_pos_max(memory, source) + 1 == length
                lib.llama_memory_seq_cp(memory, source, target, -1 if whole else 0, -1 if whole else length)
            case Save(sequence, request_id):
                self._save(sequence, request_id)
                lib.llama_memory_seq_rm(memory, sequence, -1, -1)
            case Restore(sequence, request_id):
                return self._restore(sequence, request_id)
            case _:
                assert_never(action)
        return True

    def _save(self, sequence: int, request_id: str) -> None:
        size = lib.llama_state_seq_get_size(self._context, sequence)
        state = (ctypes.c_uint8 * size)()
        if lib.llama_state_seq_get_data(self._context, state, size, sequence) == size:
            self._saved[request_id] = state

    def _restore(self, sequence: int, request_id: str) -> bool:
        state = self._saved.pop(request_id, None)
        if state is None:
            return False
        if lib.llama_state_seq_set_data(self._context, state, len(state), sequence) == 0:
            lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            return False
        return True

    def forget_saved(self, request_id: str) -> None:
        self._saved.pop(request_id, None)

    def clear(self) -> None:
        lib.llama_memory_clear(self._memory, False)

    # -- decode -------------------------------------------------------------------------------------------------------

    def decode(self, segments: Sequence[Segment], interrupted: Callable[[], bool]) -> None:
        batch = self._arrays.fill(segments)
        watch = batch.n_tokens > _INTERRUPTIBLE_TOKENS
        if watch:
            self._interrupted = interrupted
            lib.llama_set_abort_callback(self._context, self._abort_callback, None)
        code = lib.llama_decode(self._context, batch)
        if watch:
            lib.llama_set_abort_callback(self._context, self._no_callback, None)
        if code == 2:
            raise DecodeInterrupted
        if code != 0:
            raise DecodeFailed(code)
        self._logits = None

    def _should_abort(self, _: object) -> bool:
        return self._interrupted()

    def _row_logits(self, row: int) -> npt.NDArray[np.float32]:
        """Logits of one output row, (vocabulary,), a view that the next decode overwrites."""
        if self._logits is None:
            pointer = lib.llama_get_logits(self._context)
            shape = (len(self._arrays.output_indices), self.vocabulary.size)
            self._logits = np.ctypeslib.as_array(pointer, shape=shape)
        row_logits: npt.NDArray[np.float32] = self._logits[row]
        return row_logits

    def _batch_index(self, row: int) -> int:
        return self._arrays.output_indices[row]

    def sampler(self, sampling: Sampling, prompt_tail: Sequence[int]) -> GreedySampler | ChainSampler:
        return make_sampler(
            sampling,
            context=self._context,
            vocabulary_size=self.vocabulary.size,
            window=self.facts.context_tokens,
            batch_index=self._batch_index,
            row_logits=self._row_logits,
            prompt_tail=prompt_tail,
        )

    def logprobs(self, row: int, token: int, top: int) -> tuple[float, list[tuple[int, float]]]:
        logits = self._row_logits(row).astype(np.float64)
        highest = logits.max()
        logprobs = logits - (highest + np.log(np.exp(logits - highest).sum()))
        best: list[tuple[int, float]] = []
        if top > 0:
            ids = np.argpartition(logprobs, -top)[-top:]
            ids = ids[np.argsort(-logprobs[ids], kind="stable")]
            best = [(int(i), float(logprobs[i])) for i in ids]
        return float(logprobs[token]), best

    def warm_up(self) -> None:
        """One full batch with every output row, then an empty cache: drivers take their lasting memory in it."""
        tokens = array("i", [max(0, self.vocabulary.bos_token)]) * self.batch_tokens
        self.decode([Segment("", 0, 0, tokens, True)], _never)
        lib.llama_synchronize(self._context)
        self.clear()

    def measure(self, *, load_seconds: float, device_bytes: dict[str, int]) -> None:
        """Put into `facts` what the load took."""
        memory = MeasuredMemory(
            buffers=read_breakdown(self._context) or (),
            private_bytes=private_bytes(),
            device_bytes=device_bytes,
        )
        self.facts = replace(self.facts, load_seconds=load_seconds, memory=memory)

    def private_bytes(self) -> int:
        return private_bytes()

    def close(self) -> None:
        self._saved.clear()
        lib.llama_free(self._context)
        lib.llama_model_free(self._model)


def load(plan: LoadPlan, *, callbacks: Callbacks, on_progress: Callable[[float], None]) -> LlamaBackend:
    """Load the model, make its context and measure both; on accelerators one full batch is computed as well.

    Raises EngineUnsound, ModelLoadFailed, OutOfMemoryLoading, DeviceMissing or ArchitectureUnsupported; may abort the
    process.
    """
    require_sound()
    lib.llama_backend_init()
    started = time.monotonic()
    free_before = free_device_bytes(plan)
    backend = _open(plan, callbacks, on_progress)
    if plan.placement.devices:
        callbacks.log.clear()
        try:
            backend.warm_up()
        except DecodeFailed:
            backend.close()
            raise _load_error(plan, callbacks) from None
    taken = {name: max(0, free_before[name] - free) for name, free in free_device_bytes(plan).items()}
    backend.measure(load_seconds=time.monotonic() - started, device_bytes=taken)
    return backend


def _open(plan: LoadPlan, callbacks: Callbacks, on_progress: Callable[[float], None]) -> LlamaBackend:
    def progress(fraction: float, _: object) -> bool:
        on_progress(fraction)
        return True

    callbacks.log.clear()
    progress_callback = lib.llama_progress_callback(progress)
    with model_params(plan, progress_callback) as params:
        model = lib.llama_model_load_from_file(plan.model_path.encode(), params)
    if not model:
        raise _load_error(plan, callbacks)
    if lib.llama_model_has_encoder(model) or not lib.llama_model_has_decoder(model):
        architecture = _meta(model, "general.architecture")
        lib.llama_model_free(model)
        raise ArchitectureUnsupported(path=plan.model_path, architecture=architecture)
    callbacks.log.clear()
    context = lib.llama_init_from_model(model, context_params(plan))
    if not context:
        lib.llama_model_free(model)
        raise _load_error(plan, callbacks)
    if not lib.llama_get_memory(context):
        lib.llama_free(context)
        architecture = _meta(model, "general.architecture")
        lib.llama_model_free(model)
        raise ArchitectureUnsupported(path=plan.model_path, architecture=architecture)
    return LlamaBackend(plan, model, context)


def _load_error(plan: LoadPlan, callbacks: Callbacks) -> ModelLoadFailed | OutOfMemoryLoading:
    """What the log tells of a load that failed."""
    shortage = find_shortage(callbacks.log)
    if shortage is None:
        return ModelLoadFailed(path=plan.model_path, detail=callbacks.telling_line())
    return OutOfMemoryLoading(
        path=plan.model_path, device=shortage.device, needed_bytes=shortage.needed_bytes, detail=shortage.line
    )


def _never() -> bool:
    return False


def _meta(model: Any, key: str) -> str:
    buffer = ctypes.create_string_buffer(_TEXT_BYTES)
    count = lib.llama_model_meta_val_str(model, key.encode(), buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") if count >= 0 else ""
