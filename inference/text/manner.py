"""What is recommended for a model, as it holds for one request: does it think, and how is it sampled; pure."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from inference.values import ChatPrompt, ModelManner, Sampling, SamplingAdvice, SamplingWish, ThinkingHabit


def thinks(habit: ThinkingHabit | None, prompt: ChatPrompt) -> bool:
    """Whether the answer begins with thinking: as asked for, else as the user's last soft switch says, else as ever."""
    if habit is None:
        return False
    if prompt.enable_thinking is not None:
        return prompt.enable_thinking
    said = _last_soft_word(habit, prompt)
    return habit.default if said is None else said


def with_soft_word(habit: ThinkingHabit | None, prompt: ChatPrompt) -> ChatPrompt:
    """For templates without a switch of their own: the wish as a word at the end of the user's last message."""
    if habit is None or habit.variable is not None or prompt.enable_thinking is None:
        return prompt
    word = habit.soft_on if prompt.enable_thinking else habit.soft_off
    places = [place for place, message in enumerate(prompt.messages) if message.role == "user"]
    if word is None or not places or _last_soft_word(habit, prompt) is prompt.enable_thinking:
        return prompt
    messages = list(prompt.messages)
    asked = messages[places[-1]]
    messages[places[-1]] = replace(asked, content=f"{asked.content} {word}")
    return replace(prompt, messages=tuple(messages))


def thinking_variables(habit: ThinkingHabit | None, enabled: bool) -> dict[str, Any]:
    """The template's variable that turns thinking on or off; empty where it is not known."""
    if habit is None or habit.variable is None:
        return {}
    return {habit.variable: habit.on if enabled else habit.off}


def settled(wish: SamplingWish, *advice: SamplingAdvice) -> Sampling:
    """Each value from the first that says it: the wish, the advice in its order, ours."""
    values: dict[str, Any] = {}
    sources: tuple[SamplingWish | SamplingAdvice, ...] = (wish, *advice)
    for source in sources:
        for field in fields(source):
            value = getattr(source, field.name)
            if value is not None:
                values.setdefault(field.name, value)
    return Sampling(**values)


def advice_of(manner: ModelManner | None, *, thinking: bool) -> SamplingAdvice:
    """What the model's maker recommends."""
    if manner is None:
        return SamplingAdvice()
    return manner.sampling_thinking if thinking else manner.sampling_answering


def _last_soft_word(habit: ThinkingHabit, prompt: ChatPrompt) -> bool | None:
    for message in reversed(prompt.messages):
        if message.role == "user":
            words = message.content.split()
            for word in reversed(words):
                if word in (habit.soft_on, habit.soft_off):
                    return word == habit.soft_on
    return None
