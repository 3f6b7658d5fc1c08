"""Continuous batching: admits requests, shares prefixes, fills each decode call, preempts when cells run out."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from inference.prefix_cache.cells import CellTree
from inference.prefix_cache.residents import PrefixMatch, Resident, Residents, common_prefix
from inference.scheduling.cost import CostModel
from inference.scheduling.request import Phase, ScheduledRequest
from inference.scheduling.step import Admission, CacheAction, Drop, Fork, Restore, Save, Segment, StepPlan, Trim

# Generated tokens a request is promised cells for when it is admitted; more are taken as they come.
RESERVED_ANSWER_TOKENS = 256
# A prefix shorter than this is not worth waiting for while another request reads it.
FOLLOW_TOKENS = 32
# One step in the waiting line or in prefill counts like this many tokens less to read.
AGEING_TOKENS = 32
# Idle cells are walked over by every query; beyond this share they cost more than they save.
IDLE_CELLS_FLOOR = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the backend can hold. can_trim False: the tail of a sequence cannot be removed, only the whole."""

    cells: int
    sequences: int
    batch_tokens: int
    can_trim: bool


class Scheduler:
    """Mutable state, no effects: `plan()` says what to do, the caller does it and reports with `ran()` and `token()`.

    Invariants (held by property tests): cells in use never exceed the limit; a request is in exactly one of waiting,
    preempted, running; every running request makes progress; a finished or cancelled one leaves nothing behind but an
    idle resident sequence.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.cost = CostModel()
        self._cells = CellTree()
        self._residents = Residents(limits.sequences)
        self._requests: dict[str, ScheduledRequest] = {}
        self._order = 0
        self._step = 0
        self._actions: list[CacheAction] = []

    # -- what the outside tells ---------------------------------------------------------------------------------------

    def submit(self, request_id: str, prompt: array[int], *, max_tokens: int, interactive: bool) -> None:
        """A new request. The caller has checked that 0 < len(prompt) < cells."""
        if not 0 < len(prompt) < self.limits.cells or request_id in self._requests:
            raise ValueError(f"request {request_id} of {len(prompt)} tokens")
        self._order += 1
        self._requests[request_id] = ScheduledRequest(
            request_id=request_id,
            tokens=array("i", prompt),
            prompt_tokens=len(prompt),
            max_tokens=max_tokens,
            interactive=interactive,
            order=self._order,
        )

    def finish(self, request_id: str) -> None:
        """The request is answered, cancelled or failed; its tokens stay as an idle resident for later prefixes."""
        request = self._requests.pop(request_id, None)
        if request is None or request.phase is not Phase.RUNNING:
            return
        resident = self._residents.get(request.sequence)
        resident.running = False
        resident.last_used = self._step
        if not resident.tokens:
            self._evict(resident)
        self._shrink_idle(max(IDLE_CELLS_FLOOR, self.limits.cells // 2))

    def ran(self, plan: StepPlan) -> None:
        """The plan's decode call succeeded: its tokens' state is in the cache now."""
        for segment in plan.segments:
            request = self._requests.get(segment.request_id)
            self._cells.extend(segment.sequence, len(segment.tokens))
            resident = self._residents.get(segment.sequence)
            resident.tokens.extend(segment.tokens)
            resident.last_used = self._step
            if request is not None:
                request.computed += len(segment.tokens)

    def token(self, request_id: str, token: int) -> None:
        """A token was sampled for the request; it is decoded with the next step."""
        self._requests[request_id].tokens.append(token)

    def has_room(self, request_id: str) -> bool:
        """Whether one more token of this request fits into the context at all."""
        return len(self._requests[request_id].tokens) < self.limits.cells

    def saved_state_lost(self, request_id: str) -> None:
        """A Restore failed: the request reads its tokens anew (the sequence is empty)."""
        request = self._requests[request_id]
        resident = self._residents.get(request.sequence)
        resident.tokens = array("i")
        self._cells.drop(request.sequence)
        request.computed = 0

    def reset_cache(self) -> None:
        """The backend lost its whole state (a failed decode): everything is read anew, nothing of a request is lost."""
        self._cells = CellTree()
        self._residents = Residents(self.limits.sequences)
        self._actions = []
        for request in self._requests.values():
            request.phase, request.sequence, request.computed, request.cached_tokens = Phase.WAITING, -1, 0, 0

    # -- what the outside asks ----------------------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        return not self._requests

    def request(self, request_id: str) -> ScheduledRequest:
        return self._requests[request_id]

    def counts(self) -> tuple[int, int]:
        """(running, waiting or preempted)."""
        running = sum(1 for request in self._requests.values() if request.phase is Phase.RUNNING)
        return running, len(self._requests) - running

    @property
    def used_cells(self) -> int:
        return self._cells.used

    def plan(self) -> StepPlan:
        """The next step. Its actions must be done in order before its decode call."""
        self._step += 1
        self._make_room_for_running()
        admitted = self._admit()
        segments = self._fill_batch()
        actions, self._actions = tuple(self._actions), []
        return StepPlan(actions=actions, segments=segments, admitted=admitted)

    # -- batch --------------------------------------------------------------------------------------------------------

    def _running(self) -> list[ScheduledRequest]:
        return [request for request in self._requests.values() if request.phase is Phase.RUNNING]

    def _fill_batch(self) -> tuple[Segment, ...]:
        running = self._running()
        segments = [_segment(request, 1) for request in running if request.decoding]
        reading = sorted((request for request in running if not request.decoding), key=_urgency)
        budget = self.cost.chunk_tokens(decode_rows=len(segments), batch_tokens=self.limits.batch_tokens)
        free = self.limits.cells - self._cells.used - len(segments)
        for request in reading:
            count = min(budget, request.pending, free)
            if count <= 0:
                request.waited_steps += 1
                continue
            segments.append(_segment(request, count))
            budget -= count
            free -= count
        return tuple(segments)

    # -- admission ----------------------------------------------------------------------------------------------------

    def _admit(self) -> tuple[Admission, ...]:
        admitted: list[Admission] = []
        # Preempted ones first: they have text on somebody's screen.
        line = sorted(
            (request for request in self._requests.values() if request.phase is not Phase.RUNNING),
            key=lambda r: (r.phase is Phase.WAITING, *_urgency(r)),
        )
        for request in line:
            if request.phase is Phase.PREEMPTED:
                if not self._readmit(request):
                    break
            elif self._follows_a_prefix_being_read(request):
                continue
            elif self._start(request):
                admitted.append(Admission(request_id=request.request_id, cached_tokens=request.cached_tokens))
            else:
                break
        for request in line:
            if request.phase is Phase.WAITING:
                request.waited_steps += 1
        return tuple(admitted)

    def _start(self, request: ScheduledRequest) -> bool:
        match = self._residents.longest_prefix(request.tokens, whole_only=not self.limits.can_trim)
        held = match.length if match is not None else 0
        needed = len(request.tokens) - held + self._answer_reserve(request)
        keep = match.sequence if match is not None else None
        # Promised answer room is a luxury: alone, any prompt that fits the context must run.
        if not self._find_room(needed, keep=keep) and self._running():
            return False
        resident = self._take_sequence(match)
        if resident is None:
            return False
        self._enter(request, resident, held)
        request.cached_tokens = held
        return True

    def _take_sequence(self, match: PrefixMatch | None) -> Resident | None:
        """The sequence with exactly the matched prefix: the donor itself, cut, or a fork of it; None: no id is free."""
        donor = self._residents.get(match.sequence) if match is not None else None
        if donor is not None and match is not None and not donor.running and self._claimable(donor, match.length):
            if match.length < len(donor.tokens):
                self._actions.append(Trim(donor.sequence, match.length))
                self._cells.trim(donor.sequence, match.length)
                donor.tokens = donor.tokens[: match.length]
            return donor
        if not self._residents.has_free_id and not self._evict_one_idle(keep=match.sequence if match else None):
            return None
        resident = self._residents.open(self._step)
        if donor is not None and match is not None:
            self._actions.append(Fork(donor.sequence, resident.sequence, match.length))
            self._cells.fork(donor.sequence, resident.sequence, match.length)
            resident.tokens = donor.tokens[: match.length]
            donor.last_used = self._step
        return resident

    def _claimable(self, donor: Resident, length: int) -> bool:
        """Continue an idle sequence in place when most of it is used; else it is worth keeping beside a fork of it.

        Also when the cut-off tail's cells are needed, or no second id is free.
        """
        tight = self.limits.cells - self._cells.used < len(donor.tokens) or not self._residents.has_free_id
        return 2 * length >= len(donor.tokens) or tight

    def _enter(self, request: ScheduledRequest, resident: Resident, computed: int) -> None:
        resident.running = True
        resident.last_used = self._step
        request.sequence = resident.sequence
        request.computed = computed
        request.phase = Phase.RUNNING

    def _readmit(self, request: ScheduledRequest) -> bool:
        needed = len(request.tokens) + min(self._answer_reserve(request), 16)
        if not self._find_room(needed, keep=None) and self._running():
            return False
        if not self._residents.has_free_id and not self._evict_one_idle(keep=None):
            return False
        resident = self._residents.open(self._step)
        self._actions.append(Restore(resident.sequence, request.request_id))
        self._cells.extend(resident.sequence, request.computed)
        resident.tokens = request.tokens[: request.computed]
        self._enter(request, resident, request.computed)
        return True

    def _follows_a_prefix_being_read(self, request: ScheduledRequest) -> bool:
        """True while another request reads a long prefix of this one: waiting is cheaper than reading it twice."""
        if not self.limits.can_trim:
            return False
        reading = [other for other in self._running() if not other.decoding]
        if not reading:
            return False
        later = min(max(common_prefix(other.tokens, request.tokens) for other in reading), len(request.tokens) - 1)
        now = self._residents.longest_prefix(request.tokens, whole_only=False)
        return later - (now.length if now is not None else 0) >= FOLLOW_TOKENS

    def _answer_reserve(self, request: ScheduledRequest) -> int:
        return min(request.max_tokens - request.generated, RESERVED_ANSWER_TOKENS)

    # -- room ---------------------------------------------------------------------------------------------------------

    def _promised(self) -> int:
        """Cells that running requests still need: what they have yet to read and a reserve for their answers."""
        return sum(request.pending + self._answer_reserve(request) for request in self._running())

    def _find_room(self, needed: int, *, keep: int | None) -> bool:
        """Evicts idle sequences, oldest first, until `needed` cells are free beside all promises."""
        while self.limits.cells - self._cells.used - self._promised() < needed:
            if not self._evict_one_idle(keep=keep):
                return False
        return True

    def _make_room_for_running(self) -> None:
        """Every decoding request gets its one cell: idle sequences go first, then the youngest API request is saved."""
        while True:
            running = self._running()
            rows = sum(1 for request in running if request.decoding)
            # With nobody decoding, one reading request must still be able to go on.
            if self.limits.cells - self._cells.used >= max(rows, 1) or not running:
                return
            if self._evict_one_idle(keep=None):
                continue
            if len(running) == 1:
                return
            self._preempt(max(running, key=lambda request: (not request.interactive, request.order)))

    def _preempt(self, request: ScheduledRequest) -> None:
        if request.generated == 0 and request.computed == request.cached_tokens:
            # Nothing of its own was computed yet: back into the line.
            self._actions.append(Drop(request.sequence))
            request.phase = Phase.WAITING
        else:
            self._actions.append(Save(request.sequence, request.request_id))
            request.phase = Phase.PREEMPTED
        self._cells.drop(request.sequence)
        self._residents.close(request.sequence)
        request.sequence = -1

    def _evict(self, resident: Resident) -> None:
        self._actions.append(Drop(resident.sequence))
        self._cells.drop(resident.sequence)
        self._residents.close(resident.sequence)

    def _evict_one_idle(self, *, keep: int | None) -> bool:
        for resident in self._residents.idle():
            if resident.sequence != keep:
                self._evict(resident)
                return True
        return False

    def _shrink_idle(self, allowed: int) -> None:
        idle = self._residents.idle()
        while idle and sum(self._cells.private(resident.sequence) for resident in idle) > allowed:
            self._evict(idle.pop(0))


def _segment(request: ScheduledRequest, count: int) -> Segment:
    start = request.computed
    tokens = request.tokens[start : start + count]
    return Segment(
        request_id=request.request_id,
        sequence=request.sequence,
        start=start,
        tokens=tokens,
        output=start + count == len(request.tokens),
    )


def _urgency(request: ScheduledRequest) -> tuple[bool, int, int]:
    """Persons before programs, short before long, with ageing so that a long prompt is not passed over forever."""
    return not request.interactive, request.pending - AGEING_TOKENS * request.waited_steps, request.order
