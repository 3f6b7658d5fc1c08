"""Which of a model's quantizations to offer: the best answers that come at a speed one can read along with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference.planning.levers import AIM_CONTEXT_TOKENS
from inference.planning.values import PlanAnswer
from inference.planning.verdict import ORDER

# About as fast as one reads; slower text is waited for.
READABLE_TOKENS_PER_SECOND = 8.0
# Half of that is what people put up with on computers without a card; a lesser quantization would be the greater loss.
_BEARABLE_TOKENS_PER_SECOND = 4.0
# Where all are slower, answers that are this part as fast as the fastest are worth their better quality.
_WORTHWHILE_SHARE = 0.6
# A loss that nobody notices is worth this much speed.
_WORTHWHILE_SPEED_UP = 2.0
# Best answers first: by the measured loss of quality (llama.cpp's tables of perplexity and KL divergence), which is
# also the order of bits per weight but for neighbours.
QUALITY: tuple[str, ...] = (
    "F32", "BF16", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "MXFP4", "Q4_K_S", "IQ4_NL",
    "IQ4_XS", "Q4_1", "Q4_0", "Q3_K_L", "IQ3_M", "Q3_K_M", "IQ3_S", "Q3_K_S", "IQ3_XS", "IQ3_XXS", "Q2_K", "IQ2_M",
    "Q2_K_S", "IQ2_S", "IQ2_XS", "IQ2_XXS", "TQ2_0", "IQ1_M", "TQ1_0", "IQ1_S",
)  # fmt: skip
_FULL_PRECISION = frozenset({"F32", "BF16", "F16"})
# Down to here hardly anybody notices a difference from full precision.
_LAST_UNNOTICED = QUALITY.index("Q4_K_M")
_PREFIX = re.compile(r"^(?:UD|I1|IMATRIX)[-_.]")
_EXTRA_LARGE = re.compile(r"_(?:XXL|XL|L)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """One quantization with its plan. weight_bytes: places names that are not known among those that are."""

    name: str
    weight_bytes: int
    answer: PlanAnswer

    @property
    def tokens_per_second(self) -> float:
        """The likely speed of an answer."""
        return self.answer.speed.decode.likely


def choose_quantization(candidates: Sequence[Quantization], *, full_precision: bool = False) -> int | None:
    """Index of the one to offer, None when none can be kept in memory.

    1. Those that lie in memory (on cards and in RAM) and write at least 8 tokens a second; where none down to Q4_K_M
       does, the fastest of these, if it writes at least 4; where none does, lesser ones that write at least 8; else
       those that are at least 60 % as fast as the fastest. Models that are read from the disk again and again are never
       offered.
    2. F32, BF16 and F16 only where nothing else is left, or when asked for (full_precision): Q8_0 answers alike.
    3. Of the rest, the best by quality. It gives way to a lesser one, but not to one below Q4_K_M, that is twice as
       fast, has the better verdict (all on the card where the better one leans on the processor, with room where it
       is tight), or leaves more of the usual context.
    """
    kept = [index for index, one in enumerate(candidates) if _lies_in_memory(one)]
    if not kept:
        return None
    ranks = quality_ranks(candidates)
    usable = _usable(candidates, kept, ranks)
    smaller = [index for index in usable if base_name(candidates[index].name) not in _FULL_PRECISION]
    best, *lesser = sorted(usable if full_precision or not smaller else smaller, key=lambda index: ranks[index])
    for index in () if full_precision else lesser:
        if ranks[index] <= _LAST_UNNOTICED and _is_worth_it(candidates[best], candidates[index]):
            best = index
    return best


def first_to_plan(names: Sequence[str]) -> tuple[int, ...]:
    """Indices of those that decide the choice alone as soon as one of them is `bearable`: others need no plan then.

    Holds for names in QUALITY, and as full precision is never faster than what was made of it.
    """
    bases = [base_name(name) for name in names]
    return tuple(
        index
        for index, base in enumerate(bases)
        if base in QUALITY and QUALITY.index(base) <= _LAST_UNNOTICED and base not in _FULL_PRECISION
    )


def bearable(one: Quantization) -> bool:
    """Whether it lies in memory and writes at a speed that people put up with."""
    return _lies_in_memory(one) and one.tokens_per_second >= _BEARABLE_TOKENS_PER_SECOND


def _usable(candidates: Sequence[Quantization], kept: Sequence[int], ranks: Sequence[float]) -> list[int]:
    """See rule 1 of `choose_quantization`."""

    def at_least(tokens_per_second: float, indices: Sequence[int]) -> list[int]:
        return [index for index in indices if candidates[index].tokens_per_second >= tokens_per_second]

    unnoticed = [index for index in kept if ranks[index] <= _LAST_UNNOTICED]
    if at_least(READABLE_TOKENS_PER_SECOND, unnoticed):
        return at_least(READABLE_TOKENS_PER_SECOND, kept)
    slow = at_least(_BEARABLE_TOKENS_PER_SECOND, unnoticed)
    if slow:
        return [max(slow, key=lambda index: candidates[index].tokens_per_second)]
    fastest = max(candidates[index].tokens_per_second for index in kept)
    return at_least(READABLE_TOKENS_PER_SECOND, kept) or at_least(_WORTHWHILE_SHARE * fastest, kept)


def quality_ranks(candidates: Sequence[Quantization]) -> list[float]:
    """Places in the order of quality, 0 the best; unknown names stand between the known ones of their size."""
    known = {
        index: QUALITY.index(name) for index, one in enumerate(candidates) if (name := base_name(one.name)) in QUALITY
    }
    ranks: list[float] = []
    for index, one in enumerate(candidates):
        if index in known:
            ranks.append(float(known[index]))
        else:
            larger = [rank for other, rank in known.items() if candidates[other].weight_bytes >= one.weight_bytes]
            ranks.append(max(larger, default=-1) + 0.5)
    return ranks


def base_name(name: str) -> str:
    """A publisher's name reduced to llama.cpp's: "UD-Q4_K_XL" → "Q4_K_M", "Q6_K_L" → "Q6_K", "MXFP4_MOE" → "MXFP4"."""
    name = _PREFIX.sub("", name.upper()).removesuffix("_MOE")
    if name in QUALITY:
        return name
    plain = _EXTRA_LARGE.sub("", name)
    return next((known for known in (f"{plain}_M", plain) if known in QUALITY), name)


def _lies_in_memory(one: Quantization) -> bool:
    return ORDER.index(one.answer.verdict) <= ORDER.index("partly_on_cpu")


def _context(one: Quantization) -> int:
    """Of one conversation."""
    return one.answer.plan.context_tokens // one.answer.plan.parallel


def _is_worth_it(better: Quantization, lesser: Quantization) -> bool:
    roomier = ORDER.index(lesser.answer.verdict) < ORDER.index(better.answer.verdict)
    cramped = _context(better) < min(AIM_CONTEXT_TOKENS, _context(lesser))
    return roomier or cramped or lesser.tokens_per_second >= _WORTHWHILE_SPEED_UP * better.tokens_per_second
