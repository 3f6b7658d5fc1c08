"""A fake model for tests: bytes as tokens, a strict cache, and answers (or deaths) that the prompt asks for.

The last user message may hold directives in double square brackets; everything else is echoed as the answer:
  [[say:TEXT]]        answer TEXT instead of the echo       [[repeat:N]]      say it N times
  [[think:TEXT]]      think TEXT first                      [[sleep:SECONDS]] before each token
  [[die:SIGNAL:N]]    raise the signal after N tokens       [[abort:TEXT:N]]  fail an assertion after N tokens
  [[hang:N]]          stop answering after N tokens         [[exit:CODE:N]]   exit after N tokens
A model path that contains "recurrent" makes a model whose sequences cannot be cut; "slow-load" takes a second to load.
The model holds `scripted_bytes(plan)` of memory; with "load-memory-N" in its path loading fails when that is more than
N bytes, with "use-memory-N" the first decode call does; "extra-memory-N" makes it hold N bytes more.
"""

from __future__ import annotations

import os
import re
import signal
import time
from array import array
from collections.abc import Callable, Sequence
from typing import assert_never

from inference.backends.protocol import DecodeFailed, DecodeInterrupted
from inference.errors import OutOfMemoryLoading
from inference.scheduling.step import CacheAction, Drop, Fork, Restore, Save, Segment, Trim
from inference.values import HOST, BufferBytes, LoadPlan, MeasuredMemory, ModelFacts, Sampling, SamplingAdvice

TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
    "{# <think></think> #}"
)
_CONTROL = {256: "<|im_start|>", 257: "<|im_end|>", 258: "<|endoftext|>"}
_END = 257
_ANSWER_START = [256, *b"assistant\n"]
_DIRECTIVE = re.compile(r"\[\[(\w+)(?::([^:\]]*))?(?::([^:\]]*))?\]\]")


def scripted_bytes(plan: LoadPlan) -> int:
    """What the scripted model takes with this plan: 1,000 bytes a token of context (half when quantized), 10,000 for
    each token of a batch."""
    return plan.context_tokens * (1000 if plan.kv_type_k == "f16" else 500) + plan.batch_tokens * 10_000


def _bytes_in(path: str, name: str) -> int | None:
    found = re.search(rf"{name}-memory-(\d+)", path)
    return int(found[1]) if found else None


class ScriptedVocabulary:
    """256 byte tokens and three control tokens."""

    size = 259
    adds_bos = False
    adds_space_prefix = False
    bos_token = -1
    bos_text = ""
    eos_text = "<|im_end|>"
    control_texts = frozenset(_CONTROL.values())

    def tokenize(self, text: str, parse_special: bool) -> list[int]:
        """One token per byte; control texts are single tokens when asked for."""
        if not parse_special:
            return list(text.encode())
        tokens: list[int] = []
        for part in re.split("(" + "|".join(map(re.escape, _CONTROL.values())) + ")", text):
            control = [token for token, name in _CONTROL.items() if name == part]
            tokens.extend(control or part.encode())
        return tokens

    def piece(self, token: int) -> bytes:
        return bytes([token]) if token < 256 else b""

    def show(self, texts: frozenset[str]) -> None:
        """No control token of this vocabulary is ever shown."""

    def ends_answer(self, token: int) -> bool:
        return token in (257, 258)


class ScriptedSampler:
    """The next token of the script, whatever the sampling values are."""

    def __init__(self, backend: ScriptedBackend, seed: int) -> None:
        self._backend = backend
        self.seed = seed

    def sample(self, row: int) -> int:
        return self._backend.next_token(row)

    def close(self) -> None:
        return None


class ScriptedBackend:
    """See inference.backends.protocol.Backend. Counts cells as llama.cpp does and refuses what it would refuse."""

    vocabulary = ScriptedVocabulary()
    chat_template: str | None = TEMPLATE
    sampling_advice = SamplingAdvice()

    def __init__(
        self, plan: LoadPlan, record_abort: Callable[[bytes], None], on_progress: Callable[[float], None]
    ) -> None:
        if "slow-load" in plan.model_path:
            for tenth in range(10):
                time.sleep(0.1)
                on_progress(tenth / 10)
        self._bytes = scripted_bytes(plan)
        memory = _bytes_in(plan.model_path, "load")
        if memory is not None and self._bytes > memory:
            raise OutOfMemoryLoading(
                path=plan.model_path, device=HOST, needed_bytes=self._bytes, detail="failed to allocate"
            )
        self._use_memory = _bytes_in(plan.model_path, "use")
        self._bytes += _bytes_in(plan.model_path, "extra") or 0
        self._record_abort = record_abort
        self._plan = plan
        self._sequences: dict[int, array[int]] = {}
        self._saved: dict[str, array[int]] = {}
        self._rows: list[array[int]] = []
        self.facts = ModelFacts(
            architecture="scripted",
            name="Scripted",
            parameters=1,
            size_bytes=0,
            vocabulary_size=self.vocabulary.size,
            context_tokens=plan.context_tokens,
            trained_context_tokens=plan.context_tokens,
            sequences=plan.sequences,
            has_chat_template=True,
            can_think=True,
            can_trim="recurrent" not in plan.model_path,
            load_seconds=0.0,
            engine="scripted",
            memory=MeasuredMemory(
                buffers=(
                    BufferBytes(
                        buffer_type=HOST, device=HOST, weights_bytes=0, state_bytes=self._bytes, compute_bytes=0
                    ),
                ),
                private_bytes=self._bytes,
            ),
        )

    @property
    def batch_tokens(self) -> int:
        return self._plan.batch_tokens

    def act(self, action: CacheAction) -> bool:
        match action:
            case Drop(sequence):
                self._sequences.pop(sequence, None)
            case Trim(sequence, length):
                if not self.facts.can_trim:
                    raise DecodeFailed(-1)
                self._sequences[sequence] = self._sequences[sequence][:length]
            case Fork(source, target, length):
                self._sequences[target] = self._sequences[source][:length]
            case Save(sequence, request_id):
                self._saved[request_id] = self._sequences.pop(sequence)
            case Restore(sequence, request_id):
                state = self._saved.pop(request_id, None)
                if state is None:
                    return False
                self._sequences[sequence] = state
            case _:
                assert_never(action)
        return True

    def forget_saved(self, request_id: str) -> None:
        self._saved.pop(request_id, None)

    def clear(self) -> None:
        self._sequences.clear()

    def decode(self, segments: Sequence[Segment], interrupted: Callable[[], bool]) -> None:
        total = sum(len(segment.tokens) for segment in segments)
        if not 0 < total <= self.batch_tokens:
            raise DecodeFailed(-1)
        if self._use_memory is not None and self._bytes > self._use_memory:
            raise DecodeFailed(-2)
        if total > 64 and interrupted():
            raise DecodeInterrupted
        self._rows = []
        for segment in segments:
            tokens = self._sequences.setdefault(segment.sequence, array("i"))
            if segment.start != len(tokens):
                raise DecodeFailed(-1)
            tokens.extend(segment.tokens)
            if segment.output:
                self._rows.append(tokens[:])

    def next_token(self, row: int) -> int:
        """The token that the script of this row's conversation has at this place."""
        tokens = self._rows[row].tolist()
        start = _last_index(tokens, _ANSWER_START)
        if start < 0:
            return self._act_out("[[say:continued text]]", len(tokens) % 14)
        user = bytes(token for token in tokens[:start] if token < 256).decode("utf-8", "replace")
        question = user.rsplit("user\n", 1)[-1].strip()
        return self._act_out(question, len(tokens) - start - len(_ANSWER_START))

    def _act_out(self, script: str, place: int) -> int:
        directives = {match[1]: (match[2] or "", match[3] or "0") for match in _DIRECTIVE.finditer(script)}
        self._misbehave(directives, place)
        said = directives["say"][0] if "say" in directives else _DIRECTIVE.sub("", script)
        answer = (said * int(directives.get("repeat", ("1", ""))[0])).encode()
        if "think" in directives:
            answer = f"<think>\n{directives['think'][0]}\n</think>\n\n".encode() + answer
        return answer[place] if place < len(answer) else _END

    def _misbehave(self, directives: dict[str, tuple[str, str]], place: int) -> None:
        if "sleep" in directives:
            time.sleep(float(directives["sleep"][0]))
        if "die" in directives and place >= int(directives["die"][1]):
            os.kill(os.getpid(), getattr(signal, directives["die"][0]))
            time.sleep(5)
        if "abort" in directives and place >= int(directives["abort"][1]):
            self._record_abort(directives["abort"][0].encode())
            os.abort()
        if "hang" in directives and place >= int(directives["hang"][0] or 0):
            time.sleep(3600)
        if "exit" in directives and place >= int(directives["exit"][1]):
            os._exit(int(directives["exit"][0]))

    def sampler(self, sampling: Sampling, prompt_tail: Sequence[int]) -> ScriptedSampler:
        return ScriptedSampler(self, sampling.seed if sampling.seed is not None else 1)

    def logprobs(self, row: int, token: int, top: int) -> tuple[float, list[tuple[int, float]]]:
        return 0.0, [(token, 0.0), *((other, -20.0) for other in range(top - 1))][:top]

    def private_bytes(self) -> int:
        return self._bytes

    def close(self) -> None:
        self._sequences.clear()


def _last_index(tokens: list[int], wanted: list[int]) -> int:
    for start in range(len(tokens) - len(wanted), -1, -1):
        if tokens[start : start + len(wanted)] == wanted:
            return start
    return -1
