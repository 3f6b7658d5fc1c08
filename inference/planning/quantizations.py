"""Which of a model's quantizations to offer: the best answers that come at a speed one can read along with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

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


class Sized(Protocol):
    """A quantization by its name and how many weights it has."""

    @property
    def name(self) -> str: ...
    @property
    def weight_bytes(self) -> int: ...


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


def next_to_plan(sizes: Sequence[Sized], planned: Mapping[int, Quantization]) -> int | None:
    """Index of the one whose plan is wanted next, beside those that are planned; None when `choose_quantization` finds
    among those what it would find among all.

    Holds as far as more weights are never faster, are in memory only where fewer are, leave no more context, and are
    more than half as fast where they are less than twice as many.
    """
    ranks = quality_ranks(sizes)
    plain = [index for index, one in enumerate(sizes) if base_name(one.name) not in _FULL_PRECISION]
    by_size = sorted(plain or range(len(sizes)), key=lambda index: sizes[index].weight_bytes)
    unnoticed = [index for index in by_size if ranks[index] <= _LAST_UNNOTICED]
    if unnoticed:
        smallest = planned.get(unnoticed[0])
        if smallest is None:
            return unnoticed[0]
        if _lies_in_memory(smallest) and smallest.tokens_per_second >= READABLE_TOKENS_PER_SECOND:
            return _next_better(sizes, sorted(unnoticed, key=lambda index: ranks[index]), planned, smallest)
        if _lies_in_memory(smallest) and smallest.tokens_per_second >= _BEARABLE_TOKENS_PER_SECOND:
            return None
    return _next_of_slow(by_size, unnoticed, planned)


def _next_better(
    sizes: Sequence[Sized], unnoticed: Sequence[int], planned: Mapping[int, Quantization], smallest: Quantization
) -> int | None:
    """From the best on down to the one that none of the rest can be worth more than."""
    for index in unnoticed:
        if index not in planned:
            return index
        one = planned[index]
        if one.answer.verdict == ORDER[0] and one.tokens_per_second >= READABLE_TOKENS_PER_SECOND:
            rest = [sizes[other].weight_bytes for other in unnoticed if other not in planned]
            if not _is_cramped(one, smallest) and _WORTHWHILE_SPEED_UP * min(rest, default=0) >= one.weight_bytes:
                return None
    return None


def _next_of_slow(by_size: Sequence[int], unnoticed: Sequence[int], planned: Mapping[int, Quantization]) -> int | None:
    """Where none that is hardly noticed is bearable: all lesser ones, then better ones while they are worthwhile."""
    for index in by_size:
        if index not in unnoticed and index not in planned:
            return index
    speeds = [one.tokens_per_second for one in planned.values() if _lies_in_memory(one)]
    fastest = max(speeds, default=0.0)
    if fastest >= READABLE_TOKENS_PER_SECOND:
        return None
    for index in unnoticed:
        if index not in planned:
            return index
        if not _lies_in_memory(planned[index]) or planned[index].tokens_per_second < _WORTHWHILE_SHARE * fastest:
            return None
    return None


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


def quality_ranks(candidates: Sequence[Sized]) -> list[float]:
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
    return (
        roomier
        or _is_cramped(better, lesser)
        or lesser.tokens_per_second >= _WORTHWHILE_SPEED_UP * better.tokens_per_second
    )


def _is_cramped(better: Quantization, lesser: Quantization) -> bool:
    return _context(better) < min(AIM_CONTEXT_TOKENS, _context(lesser))
