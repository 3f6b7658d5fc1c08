"""Real llama.cpp on tiny random models: whatever the scheduler does, answers are those of a lone request."""

from __future__ import annotations

import gc
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inference.backends.llama_cpp import backend as llama_cpp
from inference.backends.llama_cpp.batch import BatchArrays, BatchTooLarge
from inference.backends.llama_cpp.library import Callbacks
from inference.backends.protocol import DecodeInterrupted
from inference.errors import InvalidSampling, ModelLoadFailed
from inference.scheduling.scheduler import Limits, Scheduler
from inference.scheduling.step import Drop, Fork, Restore, Save, Segment, Trim
from inference.values import LoadPlan, Sampling
from tests import tiny_models

GREEDY = Sampling(temperature=0.0)
NEAR_TIE = 1e-3


@pytest.fixture(scope="module")
def callbacks() -> Callbacks:
    return Callbacks(lambda text: None)


def plan_for(path: Path, *, batch_tokens: int = 64) -> LoadPlan:
    return LoadPlan(
        model_path=str(path),
        context_tokens=512,
        sequences=4,
        batch_tokens=batch_tokens,
        decode_threads=1,
        batch_threads=1,
    )


@pytest.fixture(scope="module", params=["llama", "qwen2", "windowed", "hybrid", "mamba"])
def model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, callbacks: Callbacks
) -> Iterator[llama_cpp.LlamaBackend]:
    path = tmp_path_factory.mktemp("models") / f"{request.param}.gguf"
    getattr(tiny_models, f"write_tiny_{request.param}")(path)
    plan = replace(plan_for(path), swa_full=False)
    loaded = llama_cpp.load(plan, callbacks=callbacks, on_progress=lambda fraction: None)
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory, callbacks: Callbacks) -> Iterator[llama_cpp.LlamaBackend]:
    path = tiny_models.write_tiny_llama(tmp_path_factory.mktemp("models") / "dense.gguf")
    loaded = llama_cpp.load(plan_for(path), callbacks=callbacks, on_progress=lambda fraction: None)
    yield loaded
    loaded.close()


def never() -> bool:
    return False


def alone(model: llama_cpp.LlamaBackend, prompt: list[int], count: int) -> list[int]:
    """Greedy answer of a lone request on an empty cache, the prompt in one call."""
    model.clear()
    sampler = model.sampler(GREEDY, prompt)
    answer: list[int] = []
    pending, start = list(prompt), 0
    while len(answer) < count:
        model.decode([Segment("alone", 0, start, array("i", pending), True)], never)
        start += len(pending)
        pending = [sampler.sample(0)]
        answer += pending
    return answer


def regret(model: llama_cpp.LlamaBackend, prompt: list[int], answer: list[int]) -> float:
    """How far below the best logit, at worst, an answer's tokens are when a lone request is forced through them.

    0 for the same tokens; sums in another order (a batch of another shape) may turn a near-tie round.
    """
    model.clear()
    worst, pending, start = 0.0, list(prompt), 0
    for token in answer:
        model.decode([Segment("forced", 0, start, array("i", pending), True)], never)
        own, best = model.logprobs(0, token, 1)
        worst = max(worst, best[0][1] - own)
        start += len(pending)
        pending = [token]
    return worst


def together(
    model: llama_cpp.LlamaBackend, wanted: dict[str, tuple[list[int], int]], cells: int
) -> dict[str, list[int]]:
    """The same requests through the scheduler, in fewer cells than they would like."""
    model.clear()
    scheduler = Scheduler(Limits(cells=cells, sequences=4, batch_tokens=32, can_trim=model.facts.can_trim))
    answers: dict[str, list[int]] = {name: [] for name in wanted}
    sampler = model.sampler(GREEDY, [])
    for name, (prompt, count) in wanted.items():
        scheduler.submit(name, array("i", prompt), max_tokens=count, interactive=False)
    for _ in range(2000):
        if scheduler.empty:
            return answers
        plan = scheduler.plan()
        assert all(model.act(action) for action in plan.actions)
        model.decode(plan.segments, never)
        scheduler.ran(plan)
        for row, segment in enumerate(segment for segment in plan.segments if segment.output):
            answers[segment.request_id].append(sampler.sample(row))
            scheduler.token(segment.request_id, answers[segment.request_id][-1])
            if len(answers[segment.request_id]) >= wanted[segment.request_id][1]:
                scheduler.finish(segment.request_id)
    raise AssertionError("starved")


def test_batched_shared_and_swapped_answers_are_those_of_a_lone_request(model: llama_cpp.LlamaBackend) -> None:
    system = model.vocabulary.tokenize(
        "<|im_start|>system\nYou are a very helpful and patient assistant.<|im_end|>\n", True
    )
    wanted = {
        f"r{number}": (system + model.vocabulary.tokenize(f"<|im_start|>user\nquestion {number}", True), 8 + 3 * number)
        for number in range(6)
    }
    for name, answer in together(model, wanted, cells=160).items():
        prompt, count = wanted[name]
        assert len(answer) == count
        assert regret(model, prompt, answer) < NEAR_TIE


def test_a_fork_a_cut_and_a_restored_state_continue_alike(dense: llama_cpp.LlamaBackend) -> None:
    prompt = dense.vocabulary.tokenize("one two three four five six", False)
    sampler = dense.sampler(GREEDY, prompt)
    expected = alone(dense, prompt, 1)
    dense.act(Drop(0))
    dense.decode([Segment("a", 0, 0, array("i", [*prompt, 7, 7, 7]), False)], never)
    assert dense.act(Fork(0, 1, len(prompt) - 1)) and dense.act(Save(1, "saved")) and dense.act(Restore(2, "saved"))
    assert not dense.act(Restore(3, "saved"))
    assert dense.act(Trim(0, len(prompt) - 1))
    for sequence in (0, 2):
        dense.decode([Segment("a", sequence, len(prompt) - 1, array("i", prompt[-1:]), True)], never)
        assert [sampler.sample(0)] == expected


def test_a_long_call_stops_when_asked_and_leaves_nothing(
    dense: llama_cpp.LlamaBackend, callbacks: Callbacks, tmp_path: Path
) -> None:
    path = tiny_models.write_tiny_llama(tmp_path / "long.gguf")
    model = llama_cpp.load(plan_for(path, batch_tokens=256), callbacks=callbacks, on_progress=lambda fraction: None)
    segment = Segment("a", 0, 0, array("i", [5] * 200), True)
    with pytest.raises(DecodeInterrupted):
        model.decode([segment], lambda: True)
    model.decode([segment], never)
    model.close()


def test_a_batch_that_llama_cpp_would_abort_on_is_refused_before() -> None:
    arrays = BatchArrays(batch_tokens=8, output_rows=1)
    with pytest.raises(BatchTooLarge):
        arrays.fill([Segment("a", 0, 0, array("i", range(9)), False)])
    with pytest.raises(BatchTooLarge):
        arrays.fill([Segment(name, n, 0, array("i", [1]), True) for n, name in enumerate("ab")])


def test_logprobs_are_those_of_the_whole_distribution(dense: llama_cpp.LlamaBackend) -> None:
    token = alone(dense, dense.vocabulary.tokenize("hello", False), 1)[0]
    own, best = dense.logprobs(0, token, 5)
    assert best[0] == (token, own) and len(best) == 5
    assert sorted((value for _, value in best), reverse=True) == [value for _, value in best]
    everything = sum(2.718281828459045**value for _, value in dense.logprobs(0, token, dense.vocabulary.size)[1])
    assert everything == pytest.approx(1.0)


def test_a_seed_repeats_itself_and_bias_and_penalties_bite(dense: llama_cpp.LlamaBackend) -> None:
    prompt = dense.vocabulary.tokenize("hello", False)

    def run(sampling: Sampling) -> list[int]:
        dense.clear()
        sampler = dense.sampler(sampling, prompt)
        out: list[int] = []
        pending, start = list(prompt), 0
        for _ in range(12):
            dense.decode([Segment("a", 0, start, array("i", pending), True)], never)
            start += len(pending)
            pending = [sampler.sample(0)]
            out += pending
        sampler.close()
        return out

    warm = Sampling(temperature=1.5, seed=11, top_k=0, top_p=1.0, min_p=0.0)
    assert run(warm) == run(warm)
    assert run(warm) != run(Sampling(temperature=1.5, seed=12, top_k=0, top_p=1.0, min_p=0.0))
    assert set(run(Sampling(temperature=0.0, logit_bias=((9, 1000.0),)))) == {9}
    assert len(set(run(Sampling(temperature=0.0, presence_penalty=2.0, frequency_penalty=2.0)))) >= len(
        set(run(GREEDY))
    )
    never_again = run(Sampling(temperature=0.0, repeat_penalty=50.0))
    assert len(set(never_again)) == len(never_again)


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=-1.0),
        Sampling(temperature=float("nan")),
        Sampling(top_p=1.5),
        Sampling(logprobs=21),
        Sampling(logit_bias=((10**6, 1.0),)),
    ],
)
def test_impossible_sampling_is_refused(dense: llama_cpp.LlamaBackend, sampling: Sampling) -> None:
    with pytest.raises(InvalidSampling):
        dense.sampler(sampling, [])


def test_pieces_and_control_tokens(dense: llama_cpp.LlamaBackend) -> None:
    vocabulary = dense.vocabulary
    text = "你好, world 🌏 <|im_end|>"
    plain = vocabulary.tokenize(text, False)
    assert b"".join(map(vocabulary.piece, plain)).decode() == text
    end = vocabulary.tokenize("<|im_end|>", True)
    assert len(end) == 1 and vocabulary.ends_answer(end[0]) and vocabulary.piece(end[0]) == b""
    assert end[0] not in plain and "<|im_end|>" in vocabulary.control_texts


def test_a_file_that_is_none_is_refused_with_llama_cpps_words(tmp_path: Path, callbacks: Callbacks) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(ModelLoadFailed) as caught:
        llama_cpp.load(plan_for(path), callbacks=callbacks, on_progress=lambda fraction: None)
    assert caught.value.detail


def test_callbacks_outlive_whoever_installed_them(tmp_path: Path) -> None:
    path = tiny_models.write_tiny_llama(tmp_path / "a.gguf")
    model = llama_cpp.load(plan_for(path, batch_tokens=256), callbacks=Callbacks(lambda text: None), on_progress=print)
    gc.collect()
    # A long call sets the abort callback, about which llama.cpp logs.
    model.decode([Segment("a", 0, 0, array("i", [5] * 200), True)], never)
    model.close()


def test_a_control_token_is_hidden_until_it_is_asked_for(tmp_path: Path, callbacks: Callbacks) -> None:
    path = tiny_models.write_tiny_llama(tmp_path / "a.gguf")
    model = llama_cpp.load(plan_for(path), callbacks=callbacks, on_progress=lambda fraction: None)
    (token,) = model.vocabulary.tokenize("<|im_start|>", True)
    assert model.vocabulary.piece(token) == b""
    model.vocabulary.show(frozenset(("<|im_start|>",)))
    assert model.vocabulary.piece(token) == b"<|im_start|>"
    model.close()
