"""The cheapest changes that would make a plan fit, or fit better; each is measured by planning again with it.

Nothing is promised that was not planned, but for a smaller quantization, more memory and another card: those are
computed from the bill, since their plans would need other headers and other speeds. What cannot close the gap, or a
good part of it, is not tried and not said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from inference.planning.levers import USUAL_CONTEXT_TOKENS
from inference.planning.oracle import MeasureFailed
from inference.planning.quantizations import QUALITY, base_name
from inference.planning.reserves import host_reserve_bytes
from inference.planning.values import HOST, Advice, Bill, Device, Machine, PlanAnswer, Verdict, Wish
from inference.planning.verdict import ORDER, ROOM_BYTES, ROOM_FRACTION, bar_of, improves

# Plans for a wish on a machine, without advice of its own. Raises MeasureFailed for what the engine refuses.
Replan = Callable[[Wish, Machine], PlanAnswer]

MOST_ADVICE = 5
# Longest first; the first that fits is found by halving, so that three or four plans do.
_CONTEXTS = (131072, 98304, 65536, 49152, 32768, 24576, 16384, 12288, 8192, 6144, 4096, 3072, 2048, 1024)
_BATCHES = (256, 128)
_MOST_PROGRAMS = 3
_MIB = 1024**2
# Less is not worth a change.
_LEAST_SAVING_BYTES = 64 * _MIB
# What is saved has to be so much of the gap at least.
_WORTHWHILE_SHARE = 0.25
_MEMORY_GB = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
_CARD_GB = (6, 8, 12, 16, 24, 32, 48, 80, 96, 141)
_GIB = 1024**3
# What still works is not worth answers that anybody notices; what cannot be loaded else, is.
_WORST_SIBLING: dict[Verdict, str] = {
    "fits": "Q4_K_M",
    "tight": "Q4_K_M",
    "partly_on_cpu": "Q3_K_M",
    "larger_than_memory": "IQ1_S",
    "does_not_fit": "IQ1_S",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """Another quantization of the same model, and the bytes of its weights."""

    quantization: str
    weight_bytes: int


def advise(
    answer: PlanAnswer,
    *,
    wish: Wish,
    machine: Machine,
    replan: Replan,
    siblings: Sequence[Sibling] = (),
    weight_bytes: int | None = None,
) -> tuple[Advice, ...]:
    """At most five changes, those that make it fit first, cheap before dear; () when it fits with room.

    weight_bytes: of this quantization's weights as `Sibling` counts them; the bill counts some twice (an embedding that
    is the output too lies on host and card).

    replan is asked at most thirteen times. A change that the user's own numbers stand against is advised all the same:
    it is the user's to make.
    """
    if answer.verdict == "fits":
        return ()
    gap = gap_bytes(answer, machine)
    found = [
        advice
        for advice in _Adviser(answer, wish, machine, replan, gap).all(siblings, weight_bytes)
        if advice.makes_fit or advice.saves_bytes >= max(_LEAST_SAVING_BYTES, gap * _WORTHWHILE_SHARE)
    ]
    if answer.verdict != "tight" and not any(advice.makes_fit for advice in found):
        found += _hardware(answer, machine)
    return tuple(sorted(found, key=lambda advice: not advice.makes_fit)[:MOST_ADVICE])


def short_device(answer: PlanAnswer) -> str:
    """The device that a change has to relieve: the host for what it should not hold, else the fullest one."""
    if answer.verdict in ("partly_on_cpu", "larger_than_memory"):
        return HOST
    return min(answer.bill.devices, key=lambda bar: (bar.budget_bytes - bar.hard_bytes) / max(1, bar.budget_bytes)).name


def gap_bytes(answer: PlanAnswer, machine: Machine) -> int:
    """About how much less would have to be held for the next better verdict; at least 1."""
    bill, bar = answer.bill, bar_of(answer.bill, short_device(answer))
    match answer.verdict:
        case "partly_on_cpu":
            gap = _needed_bytes(bill) - sum(device.budget_bytes for device in _cards(machine))
        case "larger_than_memory":
            gap = _in_main_memory(bill, machine) - bar.budget_bytes
        case "does_not_fit":
            gap = max(bar.hard_bytes - bar.budget_bytes for bar in bill.devices)
        case "tight" | "fits":
            gap = int(min(ROOM_BYTES, ROOM_FRACTION * bar.budget_bytes)) - (bar.budget_bytes - bar.total_bytes)
    return max(1, gap)


class _Adviser:
    """Tries changes of one plan."""

    def __init__(self, answer: PlanAnswer, wish: Wish, machine: Machine, replan: Replan, gap: int) -> None:
        self._answer, self._wish, self._machine, self._replan = answer, wish, machine, replan
        self._short, self._gap = short_device(answer), gap

    def all(self, siblings: Sequence[Sibling], weight_bytes: int | None) -> Iterator[Advice]:
        """Cheapest first."""
        bars = self._answer.bill.devices
        # The gap is a rough figure: what could close half of it is tried.
        lowerable = 2 * sum(bar.state_bytes + bar.compute_bytes for bar in bars) >= self._gap
        changes = (self._context, self._cache, self._parallel, self._batch) if lowerable else ()
        changes = (*changes, self._programs)
        yield from (advice for change in changes if (advice := change()) is not None)
        sibling = self._sibling(siblings, weight_bytes)
        if sibling is not None:
            yield sibling

    def _context(self) -> Advice | None:
        """The longest context that fits; where none does, the next shorter one."""
        plan, wish = self._answer.plan, self._wish
        now = plan.context_tokens // max(1, plan.parallel)
        # What is only tight works: not worth more than half of the context. Nor is speed worth a usual conversation.
        shortest = {"tight": now // 2, "partly_on_cpu": USUAL_CONTEXT_TOKENS}.get(self._answer.verdict, 0)
        shorter = [context for context in _CONTEXTS if shortest <= context < now]
        if not shorter:
            return None
        best = None
        low, high = 0, len(shorter) - 1
        while low <= high:
            middle = (low + high) // 2
            advice = self._try(
                "context", {"context_tokens": shorter[middle]}, replace(wish, context_tokens=shorter[middle])
            )
            if advice is not None and advice.makes_fit:
                best, high = advice, middle - 1
            else:
                low = middle + 1
        return best or self._try("context", {"context_tokens": shorter[0]}, replace(wish, context_tokens=shorter[0]))

    def _cache(self) -> Advice | None:
        """Eight bits for keys and values; not where the processor attends, which they slow down threefold."""
        plan = self._answer.plan
        if plan.kv_type_k not in ("f16", "bf16") or not plan.placement.devices or self._wish.flash_attention is False:
            return None
        return self._try("kv", {"kv_type": "q8_0"}, replace(self._wish, kv_type_k="q8_0", kv_type_v="q8_0"))

    def _parallel(self) -> Advice | None:
        now = self._answer.plan.parallel
        tried = [
            self._try("parallel", {"parallel": count}, replace(self._wish, parallel=count))
            for count in dict.fromkeys((now // 2, 1))
            if 0 < count < now
        ]
        return _first_that_fits(tried)

    def _batch(self) -> Advice | None:
        now = self._answer.plan.batch_tokens
        tried = [
            self._try("batch", {"batch_tokens": batch}, replace(self._wish, batch_tokens=batch))
            for batch in _BATCHES
            if batch < now
        ]
        return _first_that_fits(tried)

    def _programs(self) -> Advice | None:
        """Closing programs frees main memory; how much of a card each one holds is not known."""
        programs = self._machine.other_programs[:_MOST_PROGRAMS]
        hopeless = self._answer.verdict == "partly_on_cpu" or 2 * sum(held for _, held in programs) < self._gap
        if self._short != HOST or hopeless:
            return None
        tried: list[Advice | None] = []
        freed, names = 0, []
        for name, held in programs:
            freed += held
            names.append(name)
            host = self._machine.host
            roomier = replace(host, free_bytes=min(host.total_bytes, host.free_bytes + freed))
            after = self._plan(self._wish, replace(self._machine, host=roomier))
            if after is not None:
                fields: dict[str, str | int | float] = {"program": " + ".join(names), "saves_bytes": freed}
                tried.append(Advice(kind="close", fields=fields, saves_bytes=freed, makes_fit=self._makes_fit(after)))
            if tried and tried[-1] is not None and tried[-1].makes_fit:
                break
        return _first_that_fits(tried[:1] + [one for one in tried[1:] if one is not None and one.makes_fit])

    def _sibling(self, siblings: Sequence[Sibling], weight_bytes: int | None) -> Advice | None:
        """The largest smaller quantization that would fit, by its bytes alone, and is worth what it loses."""
        weights = weight_bytes or sum(term.bytes for term in self._answer.bill.terms if term.kind == "weights")
        worst = QUALITY.index(_WORST_SIBLING[self._answer.verdict])
        smaller = sorted(
            (
                sibling
                for sibling in siblings
                if sibling.weight_bytes < weights
                and ((name := base_name(sibling.quantization)) not in QUALITY or QUALITY.index(name) <= worst)
            ),
            key=lambda sibling: -sibling.weight_bytes,
        )
        gap = self._gap
        if self._answer.verdict == "does_not_fit":
            # Mapped weights are not what was missing; with smaller ones everything has to fit.
            host = bar_of(self._answer.bill, HOST)
            gap = max(gap, _in_main_memory(self._answer.bill, self._machine) - host.budget_bytes)
        chosen = next((one for one in smaller if weights - one.weight_bytes >= gap), None)
        if chosen is None:
            return None
        saves = weights - chosen.weight_bytes
        return Advice(
            kind="sibling",
            fields={"quantization": chosen.quantization, "saves_bytes": saves},
            saves_bytes=saves,
            makes_fit=True,
        )

    def _try(self, kind: str, fields: dict[str, str | int | float], wish: Wish) -> Advice | None:
        after = self._plan(wish, self._machine)
        if after is None:
            return None
        saves = _held_bytes(self._answer.bill, self._short) - _held_bytes(after.bill, self._short)
        return Advice(
            kind=kind,
            fields={**fields, "saves_bytes": max(0, saves)},
            saves_bytes=max(0, saves),
            makes_fit=self._makes_fit(after),
        )

    def _plan(self, wish: Wish, machine: Machine) -> PlanAnswer | None:
        try:
            return self._replan(wish, machine)
        except MeasureFailed:
            return None

    def _makes_fit(self, after: PlanAnswer) -> bool:
        """Help for what is read from disk or cannot be loaded is already that a part is left to the processor."""
        before = self._answer.verdict
        enough = ORDER.index(after.verdict) <= ORDER.index("partly_on_cpu")
        return improves(before, after.verdict) and enough


def _first_that_fits(tried: Sequence[Advice | None]) -> Advice | None:
    """The mildest change that suffices, else the one that saves most."""
    found = [advice for advice in tried if advice is not None]
    fitting = next((advice for advice in found if advice.makes_fit), None)
    return fitting or max(found, key=lambda advice: advice.saves_bytes, default=None)


def _held_bytes(bill: Bill, device: str) -> int:
    return next((bar.total_bytes for bar in bill.devices if bar.name == device), 0)


def _needed_bytes(bill: Bill) -> int:
    """Weights, state and working memory on one device."""
    needed = sum(bar.weights_bytes + bar.state_bytes for bar in bill.devices)
    return needed + max(bar.compute_bytes for bar in bill.devices)


def _in_main_memory(bill: Bill, machine: Machine) -> int:
    """What the host holds, and devices that share its memory."""
    cards = {device.name for device in _cards(machine)}
    return sum(bar.total_bytes for bar in bill.devices if bar.name not in cards)


def _cards(machine: Machine) -> list[Device]:
    return [device for device in machine.devices if not device.shares_host_memory]


def _hardware(answer: PlanAnswer, machine: Machine) -> list[Advice]:
    """What would have to be bought: the smallest usual size of a card, or of main memory where that is what lacks."""
    found = []
    needed = _needed_bytes(answer.bill) + ROOM_BYTES
    card = next((size for size in _CARD_GB if needed <= size * _GIB), None)
    if _cards(machine) and card is not None:
        found.append(Advice(kind="card", fields={"memory_gb": card}, saves_bytes=0, makes_fit=True))
    host = machine.host
    total = _in_main_memory(answer.bill, machine) + host.total_bytes - host.free_bytes
    memory = next(
        (
            size
            for size in _MEMORY_GB
            # More is kept free of more memory.
            if total + max(host.reserve_bytes, host_reserve_bytes(size * _GIB, limited_by_group=False)) <= size * _GIB
        ),
        None,
    )
    if answer.verdict != "partly_on_cpu" and memory is not None and memory * _GIB > host.total_bytes:
        found.append(Advice(kind="memory", fields={"memory_gb": memory}, saves_bytes=0, makes_fit=True))
    return found
