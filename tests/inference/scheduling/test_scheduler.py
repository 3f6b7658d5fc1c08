"""The scheduler driven by a strict fake cache that refuses whatever llama.cpp would refuse."""

from __future__ import annotations

from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from inference.scheduling.scheduler import Limits, Scheduler
from inference.scheduling.step import Drop, Fork, Restore, Save, StepPlan, Trim


class FakeCache:
    """Sequences of (cell id, token); a cell is free again when nobody owns it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.sequences: dict[int, list[tuple[int, int]]] = {n: [] for n in range(limits.sequences)}
        self.saved: dict[str, list[int]] = {}
        self.fresh = 0

    def used(self) -> int:
        return len({cell for cells in self.sequences.values() for cell, _ in cells})

    def append(self, sequence: int, tokens: list[int]) -> None:
        for token in tokens:
            self.sequences[sequence].append((self.fresh, token))
            self.fresh += 1

    def run(self, plan: StepPlan) -> dict[str, list[int]]:
        """Does the plan; returns for each output row the tokens that its logits would depend on."""
        for action in plan.actions:
            match action:
                case Drop(sequence):
                    self.sequences[sequence] = []
                case Trim(sequence, length):
                    assert self.limits.can_trim and 0 < length < len(self.sequences[sequence])
                    self.sequences[sequence] = self.sequences[sequence][:length]
                case Fork(source, target, length):
                    assert not self.sequences[target] and 0 < length <= len(self.sequences[source])
                    assert self.limits.can_trim or length == len(self.sequences[source])
                    self.sequences[target] = self.sequences[source][:length]
                case Save(sequence, request_id):
                    self.saved[request_id] = [token for _, token in self.sequences[sequence]]
                    self.sequences[sequence] = []
                case Restore(sequence, request_id):
                    assert not self.sequences[sequence]
                    self.append(sequence, self.saved.pop(request_id))
        seen: set[int] = set()
        outputs: dict[str, list[int]] = {}
        for segment in plan.segments:
            assert segment.sequence not in seen and len(segment.tokens) > 0
            seen.add(segment.sequence)
            assert segment.start == len(self.sequences[segment.sequence])
            self.append(segment.sequence, list(segment.tokens))
            if segment.output:
                outputs[segment.request_id] = [token for _, token in self.sequences[segment.sequence]]
        assert self.used() <= self.limits.cells
        assert sum(len(segment.tokens) for segment in plan.segments) <= self.limits.batch_tokens
        return outputs


def next_token(context: list[int]) -> int:
    return (sum(context) * 7 + len(context)) % 5


def expected(prompt: list[int], count: int, cells: int) -> list[int]:
    tokens = list(prompt)
    while len(tokens) - len(prompt) < count and len(tokens) < cells:
        tokens.append(next_token(tokens))
    return tokens[len(prompt) :]


class Driver:
    def __init__(self, limits: Limits) -> None:
        self.scheduler, self.cache = Scheduler(limits), FakeCache(limits)
        self.wanted: dict[str, tuple[list[int], int]] = {}
        self.answers: dict[str, list[int]] = {}
        self.done: set[str] = set()

    def submit(self, name: str, prompt: list[int], count: int, interactive: bool = False) -> None:
        self.wanted[name] = (prompt, count)
        self.answers[name] = []
        self.scheduler.submit(name, array("i", prompt), max_tokens=count, interactive=interactive)

    def cancel(self, name: str) -> None:
        self.scheduler.finish(name)
        self.cache.saved.pop(name, None)
        self.done.add(name)

    def step(self) -> StepPlan:
        plan = self.scheduler.plan()
        outputs = self.cache.run(plan)
        self.scheduler.ran(plan)
        self.scheduler.cost = self.scheduler.cost.observe(
            decode_rows=plan.decode_rows,
            chunk_tokens=plan.chunk_tokens,
            seconds=0.01 * (plan.decode_rows + plan.chunk_tokens),
        )
        assert self.scheduler.used_cells == self.cache.used()
        for name, context in outputs.items():
            prompt, count = self.wanted[name]
            # The logits depend on exactly the prompt and the answer so far, however its state came about.
            assert context == prompt + self.answers[name]
            token = next_token(context)
            self.answers[name].append(token)
            self.scheduler.token(name, token)
            if len(self.answers[name]) >= count or not self.scheduler.has_room(name):
                self.scheduler.finish(name)
                self.done.add(name)
        return plan

    def run_out(self, limit: int = 5000) -> None:
        for _ in range(limit):
            if self.scheduler.empty:
                return
            self.step()
        raise AssertionError(f"starved: {set(self.wanted) - self.done}")


prompts = st.lists(st.integers(0, 2), min_size=1, max_size=70)
events = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), prompts, st.integers(1, 40), st.booleans()),
        st.tuples(st.just("cancel"), st.integers(0, 20), st.just(0), st.just(False)),
        st.tuples(st.just("step"), st.integers(1, 15), st.just(0), st.just(False)),
    ),
    max_size=25,
)


@settings(max_examples=400, deadline=None)
@given(events, st.integers(80, 200), st.integers(1, 6), st.integers(8, 64), st.booleans())
def test_every_answer_is_the_one_it_would_be_alone(
    script: list[tuple[str, object, int, bool]], cells: int, sequences: int, batch: int, can_trim: bool
) -> None:
    driver = Driver(Limits(cells=cells, sequences=sequences, batch_tokens=max(batch, sequences), can_trim=can_trim))
    cancelled: set[str] = set()
    for number, (kind, value, count, interactive) in enumerate(script):
        if kind == "submit":
            assert isinstance(value, list)
            driver.submit(f"r{number}", value, count, interactive)
        elif kind == "cancel":
            alive = sorted(set(driver.wanted) - driver.done)
            if alive:
                assert isinstance(value, int)
                cancelled.add(alive[value % len(alive)])
                driver.cancel(alive[value % len(alive)])
        else:
            assert isinstance(value, int)
            for _ in range(value):
                driver.step()
    driver.run_out()
    for name, (prompt, count) in driver.wanted.items():
        if name not in cancelled:
            assert driver.answers[name] == expected(prompt, count, cells)


def limits(cells: int = 4096, sequences: int = 8, batch: int = 512, can_trim: bool = True) -> Limits:
    return Limits(cells=cells, sequences=sequences, batch_tokens=batch, can_trim=can_trim)


def test_several_requests_advance_in_one_call() -> None:
    driver = Driver(limits())
    for name in "abc":
        driver.submit(name, [ord(name), 1, 2], 10)
    driver.step()
    assert [segment.request_id for segment in driver.step().segments] == ["a", "b", "c"]


def test_a_long_prompt_is_read_in_chunks_beside_a_running_stream() -> None:
    driver = Driver(limits())
    driver.submit("stream", [1], 100)
    driver.step()
    driver.submit("long", list(range(1000)), 1)
    plan = driver.step()
    assert {segment.request_id: len(segment.tokens) for segment in plan.segments} == {"stream": 1, "long": 32}


def test_a_shared_prompt_is_read_once() -> None:
    driver = Driver(limits())
    system = list(range(600))
    for name in "abcd":
        driver.submit(name, [*system, ord(name), 7], 3)
    read = 0
    while not driver.scheduler.empty:
        read += sum(len(segment.tokens) for segment in driver.step().segments)
    assert read < 600 + 4 * (2 + 3) + 8


def test_the_next_turn_continues_the_resident_sequence() -> None:
    driver = Driver(limits())
    driver.submit("first", [1, 2, 3], 5)
    driver.run_out()
    history = [1, 2, 3, *driver.answers["first"], 4, 4, 4]
    driver.submit("second", history, 2)
    plan = driver.step()
    # All but the last generated token (never decoded) and the new turn is held.
    assert plan.admitted[0].cached_tokens == 3 + 4
    driver.run_out()


def test_a_hybrid_continues_but_never_cuts() -> None:
    driver = Driver(limits(can_trim=False))
    driver.submit("first", [1, 2, 3], 5)
    driver.run_out()
    driver.submit("next", [1, 2, 3, *driver.answers["first"], 4], 2)
    assert driver.step().admitted[0].cached_tokens == 7
    driver.run_out()
    driver.submit("edited", [1, 2, 9], 2)
    assert driver.step().admitted[0].cached_tokens == 0
    driver.run_out()


def test_cancel_frees_the_line_at_once() -> None:
    driver = Driver(limits(cells=64, sequences=1))
    driver.submit("a", [1] * 40, 20)
    driver.submit("b", [2] * 40, 3)
    driver.step()
    driver.cancel("a")
    assert [segment.request_id for segment in driver.step().segments] == ["b"]


def test_persons_go_before_programs() -> None:
    driver = Driver(limits(sequences=1))
    driver.submit("running", [1], 2)
    driver.step()
    driver.submit("program", [2, 2], 1)
    driver.submit("person", [3, 3, 3], 1, interactive=True)
    driver.step()
    assert driver.step().segments[0].request_id == "person"


def test_a_long_prompt_is_not_passed_over_for_ever() -> None:
    driver = Driver(limits(sequences=1))
    driver.submit("long", list(range(600)), 1)
    driver.step()
    driver.cancel("long")
    driver.submit("first", [1], 4)
    driver.step()
    driver.submit("again", list(range(600, 1200)), 1)
    for number in range(60):
        driver.submit(f"short{number}", [number], 2)
        driver.step()
        if "again" in driver.done:
            break
    assert "again" in driver.done


def test_when_cells_run_out_the_youngest_is_saved_and_comes_back() -> None:
    driver = Driver(limits(cells=100, sequences=4))
    for number in range(4):
        driver.submit(f"r{number}", [number] * 10, 60)
    saved = False
    while not driver.scheduler.empty:
        saved |= any(isinstance(action, Save) for action in driver.step().actions)
    for number in range(4):
        assert driver.answers[f"r{number}"] == expected([number] * 10, 60, 100)


def test_a_lost_cache_loses_no_request() -> None:
    driver = Driver(limits())
    driver.submit("a", [1, 2, 3], 6)
    driver.step()
    driver.step()
    driver.scheduler.reset_cache()
    driver.cache = FakeCache(driver.scheduler.limits)
    driver.run_out()
    assert driver.answers["a"] == expected([1, 2, 3], 6, 4096)
