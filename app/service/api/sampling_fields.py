"""Sampling fields of request bodies, checked; shared by the chats' routes and the OpenAI routes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.service.api.checked_body import CheckedBody
from inference.values import SamplingWish


class SamplingFields(CheckedBody):
    """What is None is left to the service."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repeat_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    penalty_last_n: Annotated[int, Field(ge=-1, le=1_000_000)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**64)] | None = None
    logit_bias: dict[Annotated[int, Field(ge=0, lt=2**31)], Annotated[float, Field(ge=-100, le=100)]] | None = None

    def sampling(self, *, logprobs: int | None = None, seed_offset: int = 0) -> SamplingWish:
        """The sampling these fields ask for; a seed is brought into the 32 bits that llama.cpp takes."""
        given = {
            name: value
            for name in SamplingFields.model_fields
            if name not in ("seed", "logit_bias") and (value := getattr(self, name)) is not None
        }
        return SamplingWish(
            **given,
            # 0xFFFFFFFF would mean "draw one" to llama.cpp.
            seed=None if self.seed is None or self.seed == -1 else (self.seed + seed_offset) % 0xFFFFFFFF,
            logit_bias=tuple(sorted((self.logit_bias or {}).items())),
            logprobs=logprobs,
        )
