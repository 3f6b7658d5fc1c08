"""A model's chat template: compiled once when the model is loaded, rendered for every request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import jinja2

from inference.errors import TemplateFailed
from inference.text.continuation import ThinkingLayout, continued, opens_thinking, thinking_layout
from inference.text.control_text import ControlTexts
from inference.text.limits import MAX_OUTPUT_CHARS, RENDER_SECONDS, LimitExceeded, Meter
from inference.text.manner import thinking_variables, thinks
from inference.text.message_style import (
    PROBE_REASONING,
    PROBE_TEXT,
    UnknownRole,
    find_style,
    message_fields,
)
from inference.text.reasoning import ReasoningTags, detect_reasoning_tags
from inference.text.rendered import Piece, Rendered
from inference.text.sandbox import SandboxEnvironment, TemplateRaised
from inference.text.shield import Shield, TooManyPrivateCharacters
from inference.text.template_facts import TemplateFacts, template_facts
from inference.values import ChatPrompt, ThinkingHabit

__all__ = ["ChatTemplate", "Piece", "Rendered"]

_DETAIL_CHARS = 500
_PROBE_SECONDS = 1.0
_PROBE_NOW = datetime(2024, 1, 1)
# Variables that come from the prompt or the environment and that template_options cannot replace.
_OWN_VARIABLES = frozenset(("messages", "tools", "documents", "add_generation_prompt", "bos_token", "eos_token"))


class ChatTemplate:
    """Renders conversations as the model was trained to read them. Not thread safe.

    reasoning_tags: the tags of the model's thinking block, None when the template knows none.
    """

    def __init__(
        self,
        *,
        source: str,
        bos_token: str,
        eos_token: str,
        controls: ControlTexts,
        environment: SandboxEnvironment,
        compiled: jinja2.Template,
        facts: TemplateFacts,
        habit: ThinkingHabit | None,
    ) -> None:
        """Use `compile`."""
        self._habit = habit
        self._source = source
        self._tokens = {"bos_token": bos_token, "eos_token": eos_token}
        self._controls = controls
        self._environment = environment
        self._compiled = compiled
        self._facts = facts
        self._probe_meter = Meter(seconds=_PROBE_SECONDS)
        self._style = find_style(self._probe)
        self._layout = self._find_layout()

    @classmethod
    def compile(
        cls,
        source: str,
        *,
        bos_token: str,
        eos_token: str,
        control_texts: frozenset[str],
        habit: ThinkingHabit | None = None,
    ) -> ChatTemplate:
        """TemplateFailed when the source is no template or too large.

        control_texts: texts of the vocabulary's control tokens; user text never becomes one of them. habit: how the
        model thinks, where that is known; else it is guessed from the template.
        """
        environment = SandboxEnvironment()
        try:
            tree = environment.parse_limited(source)
            facts = template_facts(tree)
            compiled = environment.compile_guarded(tree)
            controls = ControlTexts(control_texts)
            return cls(
                source=source,
                bos_token=bos_token,
                eos_token=eos_token,
                controls=controls,
                environment=environment,
                compiled=compiled,
                facts=facts,
                habit=habit,
            )
        except Exception as error:  # whatever a hostile template makes jinja2 or Python's compiler raise
            raise TemplateFailed(detail=_detail(error)) from error

    @property
    def takes_tools(self) -> bool:
        """The template reads the tools that a prompt has."""
        return "tools" in self._source

    @property
    def reasoning_tags(self) -> ReasoningTags | None:
        """The tags of the model's thinking block, None when the template knows none."""
        return self._layout.tags if self._layout else None

    def render(self, prompt: ChatPrompt, *, now: datetime, seconds: float | None = None) -> Rendered:
        """The prompt as text, ending with the header of the answer that is wanted (or with the answer to continue).

        now: local time, for templates that tell the model the date. seconds: how long it may take, None: as
        long as any chat.
        TemplateFailed when the template refuses the conversation or goes over a limit.
        """
        try:
            return self._render(prompt, now, RENDER_SECONDS if seconds is None else seconds)
        except TemplateFailed:
            raise
        except Exception as error:  # a template may raise anything
            raise TemplateFailed(detail=_detail(error)) from error

    def _render(self, prompt: ChatPrompt, now: datetime, seconds: float) -> Rendered:
        answer = prompt.messages[-1] if prompt.continue_last and prompt.messages else None
        if answer is not None and answer.role != "assistant":
            raise TemplateFailed(detail="continue_last: the last message is not an answer")
        shield = Shield(
            self._controls,
            _texts((self._source, self._tokens, prompt)),
            source=self._source,
            literal=self._facts.literal,
            separators=self._facts.separators,
        )
        history = prompt.messages if answer is None else prompt.messages[:-1]
        messages = [message_fields(message, self._style, shield.protect) for message in history]
        variables = {
            **self._variables(prompt, shield, thinks=bool(answer and answer.reasoning)),
            "messages": messages,
            "add_generation_prompt": True,
        }
        raw, offsets = self._run(variables, now, Meter(seconds=seconds))
        raw += self._missing_opening(prompt, raw)
        inside = opens_thinking(raw, self.reasoning_tags)
        if answer is not None:
            content, reasoning = shield.protect(answer.content), shield.protect(answer.reasoning)
            raw = continued(raw, content=content, reasoning=reasoning, layout=self._layout)
            inside = self._layout is not None and not content and (inside or bool(reasoning))
        pieces, starts = shield.pieces(raw, offsets)
        return Rendered(pieces=pieces, starts_in_reasoning=inside, message_starts=starts)

    def _missing_opening(self, prompt: ChatPrompt, raw: str) -> str:
        """The opening tag, where the model learned prompts that end with it and this (older) template leaves it out."""
        tags, habit = self.reasoning_tags, self._habit
        if tags is None or habit is None or not habit.starts_open or not thinks(habit, prompt):
            return ""
        end = raw.rstrip()
        return "" if end.endswith((tags.open, tags.close)) else f"{tags.open}\n"

    def _variables(self, prompt: ChatPrompt, shield: Shield, *, thinks: bool) -> dict[str, Any]:
        options = {
            name: shield.protect(value)
            for name, value in prompt.template_options.items()
            if name not in _OWN_VARIABLES and name not in self._environment.globals
        }
        enable_thinking = True if thinks else prompt.enable_thinking
        if enable_thinking is not None:
            options = {**self._thinking_switches(enable_thinking), **options, "enable_thinking": enable_thinking}
        return {
            **self._tokens,
            **options,
            "tools": shield.protect(prompt.tools) or None,
            "documents": shield.protect(prompt.documents) or None,
        }

    def _thinking_switches(self, enabled: bool) -> dict[str, Any]:
        """What templates without `enable_thinking` call it."""
        known = thinking_variables(self._habit, enabled)
        switches = {name: value for name, value in known.items() if name in self._source}
        if switches or "enable_thinking" in self._source:
            return switches
        if "thinking_budget" in self._source and not enabled:
            switches["thinking_budget"] = 0
        if "reasoning_effort" in self._source and "no_think" in self._source:
            switches["reasoning_effort"] = "high" if enabled else "no_think"
        switches["thinking"] = enabled
        return switches

    def _run(self, variables: dict[str, Any], now: datetime, meter: Meter) -> tuple[str, tuple[int, ...]]:
        """(output, offsets where messages begin and where the last one ends, ascending or empty)."""
        environment = self._environment
        environment.meter, environment.now = meter, now
        output: list[str] = []
        length = 0
        message_ids = {id(message) for message in variables["messages"]}
        starts: dict[int, int] = {}
        end: list[int] = []

        def on_item(item: Any) -> None:
            if id(item) in message_ids:
                starts.pop(id(item), None)  # an earlier loop only counted
                starts[id(item)] = length

        def on_loop_end() -> None:
            if starts:
                end[:] = [length]

        environment.on_item, environment.on_loop_end = on_item, on_loop_end
        for chunk in self._compiled.generate(**variables):
            meter.check_time()
            length += len(chunk)
            if length > MAX_OUTPUT_CHARS:
                raise LimitExceeded("output")
            output.append(chunk)
        offsets = [*starts.values(), *end]
        return "".join(output), tuple(dict.fromkeys(offsets)) if offsets == sorted(offsets) else ()

    def _probe(self, messages: list[dict[str, Any]], **switches: Any) -> str | None:
        variables = {**self._tokens, **switches, "messages": messages, "tools": None, "documents": None}
        try:
            return self._run({**variables, "add_generation_prompt": False}, _PROBE_NOW, self._probe_meter)[0]
        except Exception:  # the template does not take such messages
            return None

    def _find_layout(self) -> ThinkingLayout | None:
        answer = {"role": "assistant", "content": PROBE_TEXT, "reasoning_content": PROBE_REASONING}
        switches = {**self._thinking_switches(True), "enable_thinking": True}
        sample = self._probe([{"role": "user", "content": "?"}, answer], **switches)
        tags = self._known_tags() or detect_reasoning_tags(self._source) or detect_reasoning_tags(sample or "")
        return thinking_layout(tags, sample) if tags else None

    def _known_tags(self) -> ReasoningTags | None:
        habit = self._habit
        if habit is None or habit.open is None or habit.close is None:
            return None
        return ReasoningTags(open=habit.open, close=habit.close)


def _texts(value: Any) -> Iterator[str]:
    """Every string in the values of a prompt."""
    match value:
        case str():
            yield value
        case dict():
            for key, item in value.items():
                yield from _texts(key)
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
        case ChatPrompt():
            yield from _texts((value.tools, value.documents, value.template_options))
            for message in value.messages:
                yield from _texts((message.content, message.reasoning, message.extra))


def _detail(error: Exception) -> str:
    match error:
        case TemplateRaised() | UnknownRole() | jinja2.TemplateError():
            text = str(error)
        case LimitExceeded(what=what):
            text = f"the template goes over its limit of {what}"
        case TooManyPrivateCharacters():
            text = "no private characters left"
        case RecursionError():
            text = "the template goes over its limit of depth"
        case _:
            text = f"{type(error).__name__}: {error}"
    return text[:_DETAIL_CHARS]
