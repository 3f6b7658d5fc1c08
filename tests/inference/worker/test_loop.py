"""The engine loop with the scripted model: what it answers, in what order, and what it does with bad requests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inference.values import ChatMessage, ChatPrompt, GenerationRequest, LoadPlan, SamplingWish, TextPrompt
from inference.worker.connection import Connection, ConnectionClosed
from inference.worker.death import EXIT_OUT_OF_MEMORY
from inference.worker.loop import run_engine
from inference.worker.messages import (
    Admitted,
    Cancel,
    Delta,
    Finished,
    LoadRefused,
    MemoryReport,
    Ready,
    Refused,
    Shutdown,
    Submit,
    ToChild,
    ToService,
)

Step = tuple[Callable[[list[ToService]], bool], ToChild]


class ScriptedService(Connection):
    """Gives its messages one after the other, each as soon as its condition on what was answered so far holds."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.sent: list[ToService] = []

    def send(self, message: ToService) -> None:
        self.sent.append(message)

    def send_all(self, messages: object) -> None:
        assert isinstance(messages, list)
        self.sent.extend(messages)

    def receive(self, timeout_seconds: float | None) -> ToChild | None:
        if self.steps and self.steps[0][0](self.sent):
            return self.steps.pop(0)[1]
        if timeout_seconds is None:
            raise ConnectionClosed
        return None

    def of(self, request_id: str) -> list[ToService]:
        return [message for message in self.sent if getattr(message, "request_id", None) == request_id]

    def text(self, request_id: str) -> str:
        return "".join(message.text for message in self.of(request_id) if isinstance(message, Delta))


def at_once(sent: list[ToService]) -> bool:
    return True


def all_done(*names: str) -> Callable[[list[ToService]], bool]:
    def done(sent: list[ToService]) -> bool:
        return {m.request_id for m in sent if isinstance(m, Finished | Refused)} >= set(names)

    return done


def ask(name: str, text: str, **more: object) -> Submit:
    chat = ChatPrompt(messages=(ChatMessage(role="user", content=text),))
    return Submit(request=GenerationRequest(request_id=name, chat=chat, **more))  # type: ignore[arg-type]


def run(*steps: Step, context: int = 2048, path: str = "scripted") -> ScriptedService:
    names = [step[1].request.request_id for step in steps if isinstance(step[1], Submit)]
    service = ScriptedService(*steps, (all_done(*names), Shutdown()))
    assert run_engine(service, plan_for(path, context)) == 0
    return service


def plan_for(path: str, context: int = 2048) -> LoadPlan:
    return LoadPlan(
        model_path=path,
        backend="scripted",
        context_tokens=context,
        sequences=8,
        batch_tokens=128,
        decode_threads=1,
        batch_threads=1,
    )


def test_a_chat_is_answered_in_whole_characters() -> None:
    service = run((at_once, ask("a", "[[say:你好，世界🌏]]")))
    assert isinstance(service.sent[0], Ready) and service.sent[0].facts.can_think
    kinds = [type(message) for message in service.of("a")]
    assert kinds[0] is Admitted and kinds[-1] is Finished and set(kinds[1:-1]) == {Delta}
    assert all("\ufffd" not in m.text for m in service.of("a") if isinstance(m, Delta))
    assert service.text("a") == "你好，世界🌏"
    finished = service.of("a")[-1]
    assert isinstance(finished, Finished) and finished.reason == "stop"
    assert finished.usage.completion_tokens == len("你好，世界🌏".encode())


def test_memory_is_told_once_when_it_has_been_taken() -> None:
    service = run((at_once, ask("a", "[[say:one]]")), (all_done("a"), ask("b", "[[say:two]]")), path="extra-memory-5")
    ready = service.sent[0]
    assert isinstance(ready, Ready) and ready.facts.memory.private_bytes == 2048 * 1000 + 128 * 10_000 + 5
    reports = [message for message in service.sent if isinstance(message, MemoryReport)]
    assert [report.private_bytes for report in reports] == [ready.facts.memory.private_bytes]


def test_a_load_without_memory_is_refused_with_what_it_needed() -> None:
    service = run(path="load-memory-3000000")
    (refused,) = service.sent
    assert isinstance(refused, LoadRefused) and refused.error == "OutOfMemoryLoading"
    assert refused.fields["device"] == "CPU" and refused.fields["needed_bytes"] == 2048 * 1000 + 128 * 10_000


def test_a_decode_call_without_memory_ends_the_child_as_such(capfd: pytest.CaptureFixture[str]) -> None:
    service = ScriptedService((at_once, ask("a", "hello")))
    assert run_engine(service, plan_for("use-memory-3000000")) == EXIT_OUT_OF_MEMORY
    assert "out of memory" in capfd.readouterr().err


def test_how_evenly_tokens_came_is_told() -> None:
    service = run((at_once, ask("even", "[[say:0123456789]][[sleep:0.002]]")), (all_done("even"), ask("short", "hi")))
    told = {m.request_id: m.timings.unevenness for m in service.sent if isinstance(m, Finished)}
    assert told["even"] > 1.0 and told["short"] == 1.0


def test_eight_at_once_are_not_mixed() -> None:
    service = run(*((at_once, ask(f"r{n}", f"[[say:answer number {n} ]][[repeat:8]]")) for n in range(8)))
    for n in range(8):
        assert service.text(f"r{n}") == f"answer number {n} " * 8
    order = [m.request_id for m in service.sent if isinstance(m, Delta)]
    assert order.index("r1") < len(order) - 1 - order[::-1].index("r0")


def test_thinking_is_kept_apart() -> None:
    service = run((at_once, ask("a", "[[think:hmm, let me see]][[say:42]]")))
    reasoning = "".join(message.reasoning for message in service.of("a") if isinstance(message, Delta))
    assert reasoning.strip() == "hmm, let me see"
    assert service.text("a").strip() == "42"


def test_stop_string_length_limit_and_full_context() -> None:
    service = run(
        (at_once, ask("stop", "[[say:one two STOP three]]", stop=("STOP",))),
        (at_once, ask("limit", "[[say:abcdefgh]]", max_tokens=3)),
        (at_once, ask("full", "[[say:x]][[repeat:1000]]")),
        context=256,
    )
    assert service.text("stop") == "one two "
    assert service.text("limit") == "abc"
    reasons = {m.request_id: m.reason for m in service.sent if isinstance(m, Finished)}
    assert reasons == {"stop": "stop", "limit": "length", "full": "length"}
    full = service.of("full")[-1]
    assert isinstance(full, Finished)
    assert full.usage.prompt_tokens + full.usage.completion_tokens == 256


def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers() -> None:
    service = run((at_once, ask("a", "x" * 3000)), (at_once, ask("b", "[[say:fine]]")))
    refused = service.of("a")[0]
    assert isinstance(refused, Refused) and refused.error == "ContextOverflow"
    assert refused.fields["context_tokens"] == 2048 and refused.fields["prompt_tokens"] > 3000
    assert service.text("b") == "fine"


def test_impossible_requests_harm_nobody() -> None:
    service = run(
        (at_once, ask("role", "hi")),
        (at_once, Submit(request=GenerationRequest(request_id="empty"))),
        (at_once, Submit(request=GenerationRequest(request_id="text", text=TextPrompt(text=""), max_tokens=4))),
    )
    assert service.text("role") == "hi"
    assert isinstance(service.of("empty")[-1], Refused)
    assert isinstance(service.of("text")[-1], Finished)


def test_cancel_ends_at_once_and_the_next_is_served() -> None:
    def some_text(sent: list[ToService]) -> bool:
        return sum(isinstance(message, Delta) for message in sent) >= 3

    service = run(
        (at_once, ask("a", "[[say:long ]][[repeat:200]]")),
        (some_text, Cancel(request_id="a")),
        (at_once, Cancel(request_id="never heard of")),
        (at_once, ask("b", "[[say:next]]")),
    )
    finished = service.of("a")[-1]
    assert isinstance(finished, Finished) and finished.reason == "cancelled"
    assert len(service.text("a")) <= 6
    assert service.text("b") == "next"


def test_the_next_turn_re_uses_what_is_held() -> None:
    history = (
        ChatMessage(role="user", content="[[say:first answer]]"),
        ChatMessage(role="assistant", content="first answer"),
        ChatMessage(role="user", content="[[say:second]]"),
    )
    second = GenerationRequest(request_id="b", chat=ChatPrompt(messages=history))
    service = run((at_once, ask("a", "[[say:first answer]]")), (all_done("a"), Submit(request=second)))
    admitted = service.of("b")[0]
    assert isinstance(admitted, Admitted)
    # The whole first turn: 39 tokens of prompt and 12 of answer.
    assert admitted.cached_tokens == 51
    assert service.text("b") == "second"


def test_a_recurrent_model_answers_the_same() -> None:
    service = run(
        (at_once, ask("a", "[[say:one]]")), (all_done("a"), ask("b", "[[say:another]]")), path="recurrent.gguf"
    )
    assert service.text("a") == "one" and service.text("b") == "another"


def test_logprobs_come_with_the_text() -> None:
    service = run((at_once, ask("a", "[[say:ab]]", sampling=SamplingWish(logprobs=2))))
    entries = [entry for m in service.of("a") if isinstance(m, Delta) for entry in m.logprobs]
    assert [entry.raw for entry in entries] == [b"a", b"b"]
    assert all(len(entry.top) == 2 and entry.logprob == 0.0 for entry in entries)


def test_a_model_that_cannot_be_loaded_is_refused() -> None:
    plan = LoadPlan(
        model_path="/does/not/exist.gguf",
        context_tokens=256,
        sequences=2,
        batch_tokens=32,
        decode_threads=1,
        batch_threads=1,
    )
    service = ScriptedService()
    assert run_engine(service, plan) == 0
    assert isinstance(service.sent[-1], LoadRefused) and service.sent[-1].error == "ModelLoadFailed"


def test_a_service_that_is_gone_ends_the_loop() -> None:
    service = ScriptedService((at_once, ask("a", "hi")))
    plan = LoadPlan(
        model_path="s",
        backend="scripted",
        context_tokens=256,
        sequences=2,
        batch_tokens=32,
        decode_threads=1,
        batch_threads=1,
    )
    with pytest.raises(ConnectionClosed):
        run_engine(service, plan)
