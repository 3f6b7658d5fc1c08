"""What a synthetic model is made from: an architecture's hyper-parameters and the size of its vocabulary."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from models_catalog.gguf.parsing import Value, ValueType
from models_catalog.gguf.plan_data import VocabularySize

Number = int | float | bool
Keys = dict[str, Number | str | list[int] | list[float] | list[bool]]

# What llama.cpp may find in a file but published models of these architectures do not have.
_ABSENT = r"\.bias$|\.scale$|\.input_scale$|rope_(freqs|factors)|^dense_|^cls|ssm_in\.weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """keys: the architecture's own, without its name in front; written with the types that real files have.

    vocabulary: how large the real one is. tied: there is no output matrix besides the embeddings.
    fused_qkv: query, key and value are one matrix.
    present: regular expression (searched) of optional tensors that this model has; absent: of further ones that it has
    not, stronger than present. name: of the model.
    """

    name: str
    architecture: str
    keys: Keys
    vocabulary: VocabularySize
    tied: bool = False
    fused_qkv: bool = False
    present: str = ""
    absent: str = ""
    general: Keys = field(default_factory=dict)

    def has(self, tensor: str) -> bool:
        """Whether a tensor that llama.cpp asks for is in this model's file."""
        if self.absent and re.search(self.absent, tensor):
            return False
        if self.present and re.search(self.present, tensor):
            return True
        return not re.search(_ABSENT, tensor) and not (self.tied and tensor == "output.weight")

    def with_keys(self, **changes: Number | str) -> Blueprint:
        """The same with other hyper-parameters; dots of the keys are written as two underscores."""
        return replace(self, keys=self.keys | {key.replace("__", "."): value for key, value in changes.items()})

    def metadata(self) -> tuple[dict[str, Value], dict[str, ValueType]]:
        """Key-values of a file without vocabulary, and their types."""
        own: Keys = {f"{self.architecture}.{key}": value for key, value in self.keys.items()}
        every: Keys = {
            "general.architecture": self.architecture,
            "general.name": self.name,
            **self.general,
            **own,
            f"{self.architecture}.vocab_size": self.vocabulary.tokens,
            "tokenizer.ggml.model": "none",
        }
        return dict(every), {key: value_type(value) for key, value in every.items()}


def value_type(value: object) -> ValueType:
    """How a Python value is stored; of an array, how its elements are."""
    match value:
        case bool():
            return ValueType.BOOL
        case int():
            return ValueType.UINT32
        case float():
            return ValueType.FLOAT32
        case str():
            return ValueType.STRING
        case [bool(), *_]:
            return ValueType.BOOL
        case [int(), *_]:
            return ValueType.INT32
        case [float(), *_]:
            return ValueType.FLOAT32
        case _:
            raise TypeError(value)
