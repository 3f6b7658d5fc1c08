"""The gate before llama.cpp: no file passes that is known to kill, hang or bloat the process that loads it.

llama.cpp answers most bad files politely, but not all: assertions on hyper-parameters, vocabularies and weight types
end the process. Whatever still gets through is caught by the engine child's fences.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

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
    whole = _with_all_tensors(header)
    check_kind(whole)
    check_hyperparameters(whole)
    check_tokenizer(whole)
    check_tensors(whole)
    check_attention(whole)
    check_templates(whole)
    return whole


def _with_all_tensors(header: GgufHeader) -> GgufHeader:
    others = other_shards(header)
    if not others:
        return header
    tensors = dict(header.tensors)
    for shard in others:
        tensors |= shard.tensors
    return replace(header, tensors=MappingProxyType(tensors))
