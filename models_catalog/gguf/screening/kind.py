"""Is this a language model that can chat at all?"""

from __future__ import annotations

from models_catalog.errors import ArchitectureUnknown, NotChatModel
from models_catalog.gguf.header import GgufHeader
from models_catalog.gguf.llama_cpp_facts import llama_cpp_facts

_GENERAL_TYPES = {
    "adapter": "adapter",
    "imatrix": "imatrix",
    "mmproj": "projector",
    "projector": "projector",
    "vocab": "vocabulary",
}
_NO_POOLING = 0


def check_kind(header: GgufHeader) -> None:
    """Raises NotChatModel or ArchitectureUnknown."""
    kind = _kind_that_cannot_chat(header)
    if kind:
        raise NotChatModel(header.path, kind)
    if header.architecture not in llama_cpp_facts().chat_architectures:
        raise ArchitectureUnknown(header.path, header.architecture)
    if not header.tensors:
        raise NotChatModel(header.path, "vocabulary")


def _kind_that_cannot_chat(header: GgufHeader) -> str | None:
    if kind := _GENERAL_TYPES.get((header.text("general.type") or "model").lower()):
        return kind
    if "adapter.type" in header.values:
        return "adapter"
    if kind := llama_cpp_facts().other_kinds.get(header.architecture):
        return kind
    # Embedding models and rerankers made from chat architectures (Qwen3-Embedding and its like).
    if header.own("pooling_type") not in (None, _NO_POOLING) or header.own("classifier.output_labels") is not None:
        return "encoder"
    if header.own("attention.causal") is False:
        return "encoder"
    return None
