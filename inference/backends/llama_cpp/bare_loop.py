"""The barest greedy loop over llama.cpp, the yardstick for what everything above it costs.

`python -m inference.backends.llama_cpp.bare_loop FILE --threads N --tokens N` loads the file, reads one prompt, decodes
token by token with nothing but an argmax over the logits, and prints JSON: seconds per token, and the text.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from inference.backends.llama_cpp.library import Callbacks, lib
from inference.backends.llama_cpp.vocabulary import LlamaVocabulary

_LOAD_NONE, _LOAD_MMAP = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BareRun:
    """What one run took. token_seconds: from one token known to the next, the first one excepted; end of answer is
    ignored. prefill_seconds: until the first token is known."""

    prompt_tokens: int
    prefill_seconds: float
    token_seconds: tuple[float, ...]
    text: str


def run_bare(
    path: str,
    *,
    prompt: str,
    tokens: int,
    context_tokens: int,
    threads: int,
    batch_threads: int,
    flash_attention: bool,
    memory_map: bool,
) -> BareRun:
    """Load, read the prompt, decode. Raises RuntimeError when llama.cpp refuses any of it."""
    model, context = _open(path, context_tokens, threads, batch_threads, flash_attention, memory_map)
    try:
        return _go_on(model, context, prompt, tokens)
    finally:
        lib.llama_free(context)
        lib.llama_model_free(model)


def _go_on(model: Any, context: Any, prompt: str, tokens: int) -> BareRun:
    vocabulary = LlamaVocabulary(model, space_prefix=False)
    ids = vocabulary.tokenize(prompt, False)
    if vocabulary.adds_bos:
        ids.insert(0, vocabulary.bos_token)
    context_tokens = int(lib.llama_n_ctx(context))
    if len(ids) + tokens > context_tokens:
        raise RuntimeError(f"{len(ids)} + {tokens} tokens do not fit into {context_tokens}")
    began = time.perf_counter()
    chosen = [_decode_and_choose(context, ids, vocabulary.size)]
    known = [time.perf_counter()]
    while len(chosen) < tokens:
        chosen.append(_decode_and_choose(context, chosen[-1:], vocabulary.size))
        known.append(time.perf_counter())
    return BareRun(
        prompt_tokens=len(ids),
        prefill_seconds=known[0] - began,
        token_seconds=tuple(after - before for before, after in pairwise(known)),
        text=b"".join(map(vocabulary.piece, chosen)).decode("utf-8", "replace"),
    )


def _open(
    path: str, context_tokens: int, threads: int, batch_threads: int, flash_attention: bool, memory_map: bool
) -> tuple[Any, Any]:
    lib.llama_backend_init()
    model_params = lib.llama_model_default_params()
    model_params.n_gpu_layers = 0
    # An empty list of devices: without one all would be used for large batches.
    no_devices = (ctypes.c_void_p * 1)(None)
    model_params.devices = ctypes.cast(no_devices, ctypes.c_void_p)
    model_params.load_mode = _LOAD_MMAP if memory_map else _LOAD_NONE
    model = lib.llama_model_load_from_file(path.encode(), model_params)
    if not model:
        raise RuntimeError(f"cannot load {path}")
    context_params = lib.llama_context_default_params()
    context_params.n_ctx = context_tokens
    context_params.n_threads = threads
    context_params.n_threads_batch = batch_threads
    context_params.flash_attn_type = 1 if flash_attention else 0
    context = lib.llama_init_from_model(model, context_params)
    if not context:
        raise RuntimeError("no context")
    return model, context


def _decode_and_choose(context: Any, ids: list[int], vocabulary_size: int) -> int:
    array = (lib.llama_token * len(ids))(*ids)
    code = lib.llama_decode(context, lib.llama_batch_get_one(array, len(ids)))
    if code != 0:
        raise RuntimeError(f"llama_decode returned {code}")
    # llama_batch_get_one asks for the logits of the last token only.
    logits = np.ctypeslib.as_array(lib.llama_get_logits_ith(context, -1), shape=(vocabulary_size,))
    return int(logits.argmax())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m inference.backends.llama_cpp.bare_loop", description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--prompt", default="1, 2, 3, 4, 5, 6, 7, 8, 9, 10,")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--batch-threads", type=int, help="default: as --threads")
    parser.add_argument("--no-flash-attention", action="store_true")
    parser.add_argument("--mmap", action="store_true", help="map the weights instead of copying (and re-ordering) them")
    args = parser.parse_args()
    # Kept until the end: llama.cpp holds the address of its log function only.
    callbacks = Callbacks(lambda text: None)
    run = run_bare(
        args.file,
        prompt=args.prompt,
        tokens=args.tokens,
        context_tokens=args.context,
        threads=args.threads,
        batch_threads=args.batch_threads or args.threads,
        flash_attention=not args.no_flash_attention,
        memory_map=args.mmap,
    )
    del callbacks
    sys.stdout.write(json.dumps(asdict(run), ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
