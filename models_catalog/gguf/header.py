"""What a GGUF file says about its model, read without llama.cpp and without touching the weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models_catalog.errors import ModelFileTruncated
from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.parsing import TensorInfo, Value, ValueType, parse
from models_catalog.gguf.source import open_regular
from models_catalog.gguf.tensor_types import FILE_TYPES

_F16_BYTES = 2
# Keys that show that a layer keeps something else than plain keys and values for every token.
_SPECIAL_MEMORY = ("attention.kv_lora_rank", "ssm.state_size", "wkv.head_size", "shortconv.l_cache", "kda.head_dim")


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """A parsed header. Nothing in it has been judged yet but its form: `models_catalog.gguf.screen` does that.

    values: scalars as Python values, arrays as sequences that decode on demand; a BOOL array holds 0 and 1.
    value_types: the stored type of each value (of the elements, for arrays).
    tensors: in file order, by name.
    data_offset: first byte of the weights; needed_bytes: where the last weight ends; size_bytes: of the whole file.
    """

    path: str
    version: int
    values: Mapping[str, Value]
    value_types: Mapping[str, ValueType]
    tensors: Mapping[str, TensorInfo]
    data_offset: int
    needed_bytes: int
    size_bytes: int

    @property
    def data_bytes(self) -> int:
        """Length of the data section: all weights with the padding between them."""
        return self.needed_bytes - self.data_offset

    def text(self, key: str) -> str | None:
        """A string value, None when absent or of another type."""
        value = self.values.get(key)
        return value if isinstance(value, str) else None

    def integer(self, key: str) -> int | None:
        """An integer value, None when absent or of another type."""
        value = self.values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def own(self, key: str) -> Value | None:
        """The value of the architecture's own key, for example `own("block_count")` of "qwen2.block_count"."""
        return self.values.get(f"{self.architecture}.{key}")

    def own_integer(self, key: str) -> int | None:
        """Like `own`, for an integer."""
        return self.integer(f"{self.architecture}.{key}")

    def per_layer(self, key: str) -> tuple[int, ...] | None:
        """An own key that is one integer for all layers or an array with one for each; None when it is neither."""
        value = self.own(key)
        if isinstance(value, bool) or value is None or isinstance(value, (str, float, StringArray)):
            return None
        if isinstance(value, int):
            return (value,) * (self.layers or 0)
        return tuple(int(element) for element in value)

    @property
    def architecture(self) -> str:
        """llama.cpp's name of the architecture, "" when the file names none."""
        return self.text("general.architecture") or ""

    @property
    def name(self) -> str:
        """The model's own name, else the file's."""
        return self.text("general.name") or Path(self.path).stem

    @property
    def licence(self) -> str | None:
        """As the publisher wrote it, for example "apache-2.0"."""
        return self.text("general.license")

    @property
    def quantization(self) -> str:
        """For example "Q4_K_M": the file type if it names one, else the type that holds most of the weights' bytes."""
        label = FILE_TYPES.get(self.integer("general.file_type") or 0)
        sizes: dict[str, int] = {}
        for tensor in self.tensors.values():
            sizes[tensor.type.name] = sizes.get(tensor.type.name, 0) + tensor.size_bytes
        dominant = max(sizes, key=lambda name: sizes[name], default="")
        if "general.file_type" in self.values and label and (label != "F32" or dominant in ("F32", "")):
            return label
        return dominant

    @property
    def parameters(self) -> int:
        """How many numbers all weights of this file hold."""
        return sum(tensor.elements for tensor in self.tensors.values())

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights of this file."""
        return sum(tensor.size_bytes for tensor in self.tensors.values())

    @property
    def layers(self) -> int | None:
        """Blocks of the network."""
        return self.own_integer("block_count")

    @property
    def embedding_length(self) -> int | None:
        """Width of the network."""
        return self.own_integer("embedding_length")

    @property
    def trained_context_tokens(self) -> int | None:
        """The longest context the model was made for."""
        return self.own_integer("context_length")

    @property
    def heads(self) -> int | None:
        """Attention heads of the widest layer."""
        return max(self.per_layer("attention.head_count") or (), default=None)

    @property
    def kv_heads(self) -> int | None:
        """Key-value heads of the widest layer."""
        per_layer = self.per_layer("attention.head_count_kv") or self.per_layer("attention.head_count")
        return max(per_layer or (), default=None)

    @property
    def vocabulary_size(self) -> int | None:
        """Tokens of the vocabulary."""
        tokens = self.values.get("tokenizer.ggml.tokens")
        return len(tokens) if isinstance(tokens, StringArray) else self.own_integer("vocab_size")

    @property
    def chat_template(self) -> str | None:
        """The default chat template."""
        return self.text("tokenizer.chat_template")

    @property
    def chat_templates(self) -> dict[str, str]:
        """All chat templates by name; the default one is called "default"."""
        prefix = "tokenizer.chat_template"
        return {
            key.removeprefix(prefix).removeprefix(".") or "default": value
            for key, value in self.values.items()
            if isinstance(value, str) and (key == prefix or key.startswith(f"{prefix}."))
        }

    @property
    def shard_count(self) -> int:
        """Of how many files the model consists."""
        return self.integer("split.count") or 1

    @property
    def kv_bytes_per_token(self) -> int | None:
        """Bytes of 16-bit keys and values that one token takes, all layers together.

        The plain formula (layers x key-value heads x head widths); an upper bound with sliding windows. None for
        recurrent, hybrid and latent-attention models, and when the header lacks a number.
        """
        heads, kv_heads, width = self.heads, self.per_layer("attention.head_count_kv"), self.embedding_length
        kv_heads = kv_heads or self.per_layer("attention.head_count")
        if not heads or not kv_heads or not width or any(self.own(key) is not None for key in _SPECIAL_MEMORY):
            return None
        key_length = self.own_integer("attention.key_length") or width // heads
        value_length = self.own_integer("attention.value_length") or width // heads
        return sum(kv_heads) * (key_length + value_length) * _F16_BYTES


def parse_header(read: Callable[[int], bytes], *, size_bytes: int, path: str) -> GgufHeader:
    """A header from any source of bytes, without asking whether the weights are there.

    `read(n)` gives up to n next bytes, b"" at the end; `size_bytes`: of the whole file, bounds every length in it.
    Raises the leaves of ModelFileRefused that concern the header.
    """
    parsed = parse(read, size_bytes=size_bytes, path=path)
    return GgufHeader(
        path=path,
        version=parsed.version,
        values=parsed.values,
        value_types=parsed.value_types,
        tensors=parsed.tensors,
        data_offset=parsed.data_offset,
        needed_bytes=parsed.data_offset + parsed.data_bytes,
        size_bytes=size_bytes,
    )


def read_header(path: Path) -> GgufHeader:
    """Reads the header of a file on disk; only its beginning is read. Never blocks, never maps the file.

    Raises leaves of ModelFileRefused, ModelFileTruncated among them when weights are missing at the end.
    """
    file, size_bytes = open_regular(path)
    with file:
        header = parse_header(file.read1, size_bytes=size_bytes, path=str(path))
    if header.needed_bytes > size_bytes:
        raise ModelFileTruncated(str(path), header.needed_bytes, size_bytes)
    return header
