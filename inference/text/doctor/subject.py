"""What the doctor needs to know of a model file."""

from __future__ import annotations

from dataclasses import dataclass

from inference.text.doctor.examine import examine
from inference.text.doctor.values import Diagnosis
from inference.text.profiles import choose_profile, find_profile
from models_catalog.gguf.arrays import StringArray
from models_catalog.gguf.header import GgufHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A template and the texts it writes with.

    profile: name of the built-in one that fits; None: architecture and name tell.
    """

    template: str | None
    bos: str
    eos: str
    architecture: str
    name: str
    profile: str | None = None


def subject_of(header: GgufHeader, profile: str | None = None) -> Subject:
    """The model's default template. profile: what the catalogue says of this model."""
    return Subject(
        template=header.chat_template,
        bos=_token(header, "bos"),
        eos=_token(header, "eos"),
        architecture=header.architecture,
        name=header.name,
        profile=profile,
    )


def diagnose(subject: Subject) -> Diagnosis:
    """See `examine`."""
    known = find_profile(subject.profile) if subject.profile is not None else None
    profile = known or choose_profile(subject.architecture, subject.name)
    return examine(subject.template, bos=subject.bos, eos=subject.eos, profile=profile)


def _token(header: GgufHeader, kind: str) -> str:
    """The text of BOS or EOS, "" where the file has none."""
    number = header.values.get(f"tokenizer.ggml.{kind}_token_id")
    tokens = header.values.get("tokenizer.ggml.tokens")
    if isinstance(number, int) and isinstance(tokens, StringArray) and 0 <= number < len(tokens):
        return tokens[number]
    return ""
