"""The arrays behind llama_batch, allocated once and filled by slices."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.backends.llama_cpp.library import lib
from inference.scheduling.step import Segment


class BatchTooLarge(Exception):
    """More tokens or rows than were allocated: llama.cpp would abort the process."""


class BatchArrays:
    """Holds every array that a llama_batch points to; ctypes keeps addresses only, so this object must outlive it."""

    def __init__(self, *, batch_tokens: int, output_rows: int) -> None:
        self.batch_tokens = batch_tokens
        self.output_rows = output_rows
        self._token = np.zeros(batch_tokens, np.int32)
        self._pos = np.zeros(batch_tokens, np.int32)
        self._count = np.ones(batch_tokens, np.int32)
        self._sequence = np.zeros(batch_tokens, np.int32)
        # seq_id is an array of pointers; each points to its own element of _sequence, for ever.
        base = self._sequence.ctypes.data
        self._pointers = np.arange(base, base + 4 * batch_tokens, 4, dtype=np.uint64)
        self._output = np.zeros(batch_tokens, np.int8)
        self._batch: Any = lib.llama_batch()
        self._batch.n_tokens = 0
        self._batch.token = self._token.ctypes.data_as(ctypes.POINTER(lib.llama_token))
        self._batch.embd = None
        self._batch.pos = self._pos.ctypes.data_as(ctypes.POINTER(lib.llama_pos))
        self._batch.n_seq_id = self._count.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
        self._batch.seq_id = ctypes.cast(self._pointers.ctypes.data, ctypes.POINTER(ctypes.POINTER(lib.llama_seq_id)))
        self._batch.logits = self._output.ctypes.data_as(ctypes.POINTER(ctypes.c_int8))
        self.output_indices: list[int] = []

    def fill(self, segments: Sequence[Segment]) -> Any:
        """The llama_batch of these segments; `output_indices` then lists the batch index of each output row.

        Raises BatchTooLarge instead of letting llama.cpp abort.
        """
        total = sum(len(segment.tokens) for segment in segments)
        rows = sum(segment.output for segment in segments)
        if not 0 < total <= self.batch_tokens or rows > self.output_rows:
            raise BatchTooLarge(f"{total} tokens, {rows} rows")
        self.output_indices = []
        self._output[:total] = 0
        at = 0
        for segment in segments:
            end = at + len(segment.tokens)
            self._token[at:end] = segment.tokens
            self._pos[at:end] = range(segment.start, segment.start + end - at)
            self._sequence[at:end] = segment.sequence
            if segment.output:
                self._output[end - 1] = 1
                self.output_indices.append(end - 1)
            at = end
        self._batch.n_tokens = total
        return self._batch
