"""Request bodies of the OpenAI dialect: what is supported is checked, what is not is refused in clear words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.errors import BadRequest
from app.service.api.sampling_fields import SamplingFields

MAX_CHOICES = 16
MAX_STOPS = 16
Count = Annotated[int, Field(ge=1, le=2**31)]
StopText = Annotated[str, Field(min_length=1, max_length=1_000)]


class TextPart(BaseModel):
    """A part of a message; other types than text are refused when the message is read."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str | None = None


class Message(BaseModel):
    """One message of a conversation. What is not named here (name, tool_calls, tool_call_id …) goes to the template."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None
    reasoning_content: str | None = None


class StreamOptions(BaseModel):
    """How a stream ends."""

    include_usage: bool = False


class CommonFields(SamplingFields):
    """Fields of both completion routes."""

    model: str = ""
    max_tokens: Count | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CHOICES)] | None = None
    stop: StopText | Annotated[list[StopText], Field(max_length=MAX_STOPS)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    def stops(self) -> tuple[str, ...]:
        """The stop strings."""
        return () if self.stop is None else (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)

    def wants_usage(self) -> bool:
        """Whether a stream is to end with a chunk that has the usage."""
        return self.stream_options is not None and self.stream_options.include_usage


class ChatBody(CommonFields):
    """POST /v1/chat/completions."""

    messages: Annotated[list[Message], Field(min_length=1)]
    max_completion_tokens: Count | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    tools: list[dict[str, JsonValue]] | None = None
    tool_choice: JsonValue = None
    response_format: dict[str, JsonValue] | None = None
    documents: list[dict[str, JsonValue]] | None = None
    enable_thinking: bool | None = None
    chat_template_kwargs: dict[str, JsonValue] | None = None

    def refuse_unsupported(self) -> None:
        """Raises BadRequest for what would change the answer and cannot be done."""
        wanted_format = (self.response_format or {}).get("type", "text")
        if wanted_format != "text":
            raise BadRequest(
                field="response_format", problem=f"{wanted_format!r} is not supported yet; only 'text' can be asked for"
            )
        if self.tool_choice not in (None, "auto", "none"):
            raise BadRequest(field="tool_choice", problem="only 'auto' and 'none' are supported")
        if self.top_logprobs is not None and not self.logprobs:
            raise BadRequest(field="top_logprobs", problem="needs logprobs to be true")


class TextBody(CommonFields):
    """POST /v1/completions."""

    prompt: str | list[Any]
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    echo: bool | None = None
    suffix: str | None = None
    best_of: int | None = None

    def prompts(self) -> tuple[str, ...]:
        """The texts to be continued. Raises BadRequest for token ids and other things."""
        given = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        if not given or len(given) * (self.n or 1) > MAX_CHOICES:
            raise BadRequest(field="prompt", problem=f"1 to {MAX_CHOICES} completions can be asked for at once")
        if not all(isinstance(text, str) for text in given):
            raise BadRequest(field="prompt", problem="token ids are not supported; send text")
        return tuple(given)

    def refuse_unsupported(self) -> None:
        """Raises BadRequest for what would change the answer and cannot be done."""
        if self.echo:
            raise BadRequest(field="echo", problem="not supported")
        if self.suffix:
            raise BadRequest(field="suffix", problem="not supported")
        if self.best_of is not None and self.best_of != (self.n or 1):
            raise BadRequest(field="best_of", problem="not supported; use n")
