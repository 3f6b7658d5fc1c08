"""Which model of the catalogue a file on this computer is: by where it comes from and what it is called; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from models_catalog.families.file_rules import quantization_of
from models_catalog.families.index import SearchIndex
from models_catalog.families.query import normalised
from models_catalog.families.values import Model, Source

_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_QUANTIZATION = re.compile(
    r"[-._ ]?(?:i1-)?(?:ud-)?(?:i?q\d(?:_[0-9a-z]+)*|tq\d_\d|mxfp4(?:_moe)?|nvfp4|bf16|fp?16|fp?32)(?:-imat)?$"
)
_FORMAT = re.compile(r"[-._ ]?(?:gguf|ggml|imatrix|imat)$")
# Names that every second file has, and blobs named by their hash: such a file's name tells nothing.
_NO_NAME = re.compile(r"|model|ggml[-_ ]?model|unnamed|sha256[-:][0-9a-f]{64}|[0-9a-f]{64}")
# Ollama leaves out what its library has always one of: "qwen2.5:7b" is Qwen2.5-7B-Instruct.
_USUAL_ENDINGS = ("", "-instruct", "-chat", "-it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What is known of a model file, "" for what is not.

    origin: its repository ("owner/name"), or the name under which another program knows it ("qwen3:8b").
    file: its path or name. name: what it calls itself (`general.name`). architecture: as in GGUF files.
    """

    file: str
    origin: str = ""
    name: str = ""
    architecture: str = ""


class Recogniser:
    """Made of a catalogue's index in some milliseconds; keep it as long as the index. May be asked from any thread."""

    def __init__(self, index: SearchIndex) -> None:
        self._by_repository: dict[str, list[tuple[Model, Source | None]]] = defaultdict(list)
        self._by_name: dict[str, dict[str, Model]] = defaultdict(dict)
        for model in index.models:
            for repository, source in _repositories(model):
                self._by_repository[repository.casefold()].append((model, source))
            for key in _names(model):
                self._by_name[key][model.id] = model

    def recognise(self, traits: Traits) -> Model | None:
        """The model, None where that is not sure: several would fit, or the architecture is another.

        A repository that the catalogue knows decides; else the file's own name, which has to be a model's whole name
        but for the quantization; the names that the file gives itself and its folder has count only where the file's
        name tells nothing. Fine-tunes with names of their own are nobody.
        """
        file = traits.file.replace("\\", "/")
        origin = traits.origin.removeprefix("hf.co/").removeprefix("modelscope.cn/").partition(":")[0].casefold()
        if known := self._by_repository.get(origin):
            return _only(self._of_repository(known, file), traits.architecture)
        stem = _stem(file)
        if not _NO_NAME.fullmatch(stem):
            return self._named((stem,), traits.architecture)
        if "/" not in origin and traits.origin:
            wanted = normalised(traits.origin).replace(":", "-").removesuffix("-latest")
            return self._named((f"{_stem(wanted)}{ending}" for ending in _USUAL_ENDINGS), traits.architecture)
        return self._named((_stem(origin), _stem(traits.name)), traits.architecture)

    def _of_repository(self, known: list[tuple[Model, Source | None]], file: str) -> list[Model]:
        if len({model.id for model, _ in known}) > 1:
            name = _key(_stem(file))
            known = [
                (model, source)
                for model, source in known
                # Such files carry dates: "rwkv7-g1-1.5b-20250429-ctx4096-Q8_0.gguf".
                if name.startswith(_key(normalised(model.name.en))) or (source is not None and _has_file(source, file))
            ]
        return [model for model, _ in known]

    def _named(self, names: Iterable[str], architecture: str) -> Model | None:
        for name in names:
            if found := self._by_name.get(_key(name)):
                return _only(found.values(), architecture)
        return None


def _only(models: Iterable[Model], architecture: str) -> Model | None:
    fitting = {
        model.id: model
        for model in models
        if not architecture or model.architecture is None or model.architecture == architecture
    }
    return next(iter(fitting.values())) if len(fitting) == 1 else None


def _has_file(source: Source, file: str) -> bool:
    """Whether the end of the path is a file of this repository."""
    pieces = file.split("/")
    return any(quantization_of("/".join(pieces[at:]), source.rules) is not None for at in range(len(pieces)))


def _repositories(model: Model) -> Iterator[tuple[str, Source | None]]:
    for source in model.sources:
        for repository in (source.huggingface, source.modelscope):
            if repository is not None:
                yield repository.name, source
    for repository in (model.original.huggingface, model.original.modelscope):
        if repository is not None:
            yield repository.name, None


def _names(model: Model) -> set[str]:
    """All that a file of this model may be called, as keys. Its id is none of them: ids may leave out "instruct"."""
    names = {_key(normalised(model.name.en))}
    for repository, source in _repositories(model):
        owner, _, name = repository.casefold().partition("/")
        # One repository may hold a whole family: its name is then the family's, and nobody's in particular.
        names |= {_key(_stem(name)), _key(f"{owner}_{_stem(name)}")}
        for pattern in (source.rules.files, source.rules.split_files, source.rules.raw_parts) if source else ():
            if pattern is not None:
                stem = _stem(pattern.partition("{quantization}")[0])
                names |= set() if _NO_NAME.fullmatch(stem) else {_key(stem)}
    return names


def _stem(file: str) -> str:
    """The model's name in a file's or repository's: without folder, ending, part and quantization; lower case."""
    stem = normalised(file.rpartition("/")[2]).removesuffix(".gguf")
    stem = _SHARD.sub("", stem)
    before = None
    while before != stem:
        before = stem
        stem = _QUANTIZATION.sub("", _FORMAT.sub("", stem))
    return stem.strip("-._ ")


def _key(name: str) -> str:
    """Letters, digits and decimal points: "2-1.3b" is not "2-13b"."""
    return "".join(character for character in name if character.isalnum() or character == ".").strip(".")
