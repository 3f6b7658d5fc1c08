"""The gate before llama.cpp: no file passes that is known to kill, hang or bloat the process that loads it.

llama.cpp answers most bad files politely, but not all: assertions on hyper-parameters, vocabularies and weight types
end the process. Whatever still gets through is caught by the engine child's fences.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from models_catalog.errors import TokenizerRefused
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.screening.attention import check_attention
from models_catalog.gguf.screening.hyperparameters import check_hyperparameters
from models_catalog.gguf.screening.kind import check_kind
from models_catalog.gguf.screening.template import check_templates
from models_catalog.gguf.screening.tensors import check_tensors
from models_catalog.gguf.screening.tokenizer import check_tokenizer
from models_catalog.gguf.shards import other_shards


def screen(header: GgufHeader) -> GgufHeader:
    """The header of the whole model, if llama.cpp may see the file. Raises one leaf of ModelFileRefused otherwise.

    Reads the headers of a split model's other files too and adds their tensors, so that weights are counted whole.
    Takes about as long as reading the header.
    """
    return screen_whole(_with_all_tensors(header))


def screen_whole(header: GgufHeader) -> GgufHeader:
    """Like `screen`, for a header that has all of the model's tensors in it already; touches no file."""
    check_kind(header)
    check_hyperparameters(header)
    check_tokenizer(header)
    check_tensors(header)
    check_attention(header)
    check_templates(header)
    return header


def screen_plan_data(header: GgufHeader) -> GgufHeader:
    """Like `screen_whole`, for a header made by `models_catalog.gguf.plan_data`: it has no vocabulary and no templates
    that could be judged, and llama.cpp builds none. Raises one leaf of ModelFileRefused otherwise.
    """
    if header.text("tokenizer.ggml.model") != "none" or "tokenizer.ggml.tokens" in header.values:
        raise TokenizerRefused(header.path, "plan data with a vocabulary")
    check_kind(header)
    check_hyperparameters(header)
    check_tensors(header)
    check_attention(header)
    return header


def _with_all_tensors(header: GgufHeader) -> GgufHeader:
    others = other_shards(header)
    if not others:
        return header
    tensors = dict(header.tensors)
    for shard in others:
        tensors |= shard.tensors
    return replace(header, tensors=MappingProxyType(tensors))
