"""Values that cross the borders of the engine: what is asked of it and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

FinishReason = Literal["stop", "length", "cancelled"]
ChosenBy = Literal["user", "planner"]
BackendName = Literal["llama_cpp", "scripted"]
# The engine's name for the processor and its memory, among the names of devices.
HOST = "CPU"
KvType = Literal["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChoice:
    """Why one number of a plan is what it is. `reason` is a key of `resources/texts/plan.toml`."""

    field: str
    value: str
    chosen_by: ChosenBy
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Weights whose names match `pattern` (a regular expression, searched) lie on `device` ("CPU" or a device name)."""

    pattern: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a model's layers lie. The default is all on the processor.

    devices: the engine's names of the devices in use, in order. gpu_layers: how many of the last layers lie on them,
    the output layer counted as one. tensor_split: share of those layers for each device, in the same order; () for one.
    overrides: exceptions, the first match wins.
    """

    devices: tuple[str, ...] = ()
    gpu_layers: int = 0
    tensor_split: tuple[float, ...] = ()
    overrides: tuple[Override, ...] = ()


ALL_ON_CPU = Placement()


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingAdvice:
    """Sampling that is recommended for a model; None: nothing is said of it."""

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingHabit:
    """How a model thinks.

    open, close: the tags around it, None where its template has no plain ones. starts_open: prompts end with the
    opening tag. default: it thinks unless told otherwise. variable: of its template, with the values that turn thinking
    on and off; None where it has none. soft_on, soft_off: words in the user's text that do it.
    """

    open: str | None
    close: str | None
    starts_open: bool
    default: bool
    variable: str | None
    on: bool | int | str
    off: bool | int | str
    soft_on: str | None
    soft_off: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelManner:
    """How a model that the catalogue knows wants to be talked to. model: its id in the catalogue.

    template: name of the built-in chat profile for a file that has no template or one that cannot be read; None: there
    is none. own_is_wrong: such a file's own template cannot be right, as no text gives the tokens that mark the turns.
    stop: texts that end an answer. thinking: None for a model that does not think. sampling_thinking,
    sampling_answering: what its maker recommends while it thinks and where it answers at once.
    """

    model: str
    template: str | None = None
    own_is_wrong: bool = False
    stop: tuple[str, ...] = ()
    thinking: ThinkingHabit | None = None
    sampling_thinking: SamplingAdvice = SamplingAdvice()
    sampling_answering: SamplingAdvice = SamplingAdvice()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """How one model is to be loaded. Made in one place (`inference.planning`), obeyed by the engine child.

    context_tokens: cells of the unified KV cache, shared by all sequences: parallel conversations of full length.
    sequences: how many sequences may be resident at once (running ones and prefixes kept for re-use).
    batch_tokens: most tokens of one `decode` call (n_batch == n_ubatch).
    outputs_max: most output rows of one call (more would abort the engine); one for each sequence at least.
    swa_full: sliding-window layers keep the whole context, so that old prefixes stay usable.
    repack: weights that the processor computes with are re-ordered for its vector units (they cannot be mapped then).
    memory_limit_bytes: fence for the child's private memory, None for no fence.
    chat_profile: name of the built-in chat profile that takes the place of the file's own template; "": the file's in
    any case; None: the file's, or what `manner` says. manner: None for a model that the catalogue does not know.
    """

    model_path: str
    backend: BackendName = "llama_cpp"
    context_tokens: int
    parallel: int = 1
    sequences: int
    batch_tokens: int
    outputs_max: int = 0
    decode_threads: int
    batch_threads: int
    placement: Placement = ALL_ON_CPU
    flash_attention: bool = True
    kv_type_k: KvType = "f16"
    kv_type_v: KvType = "f16"
    swa_full: bool = True
    repack: bool = True
    memory_map: bool = True
    memory_limit_bytes: int | None = None
    load_deadline_seconds: float = 600.0
    chat_profile: str | None = None
    manner: ModelManner | None = None
    choices: tuple[PlanChoice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BufferBytes:
    """One kind of buffer of the engine. device: HOST or a Device's name; buffer_type: the engine's name ("CPU_REPACK").

    weights_bytes: copied weights (mapped ones lie in the file instead, but count here all the same).
    """

    buffer_type: str
    device: str
    weights_bytes: int
    state_bytes: int
    compute_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredMemory:
    """What an engine child holds once its model is loaded.

    buffers: as really allocated; () on a platform where they cannot be read. private_bytes: resident memory of the
    child that belongs to no file (host weights that were copied, KV cache, working buffers, libraries). device_bytes:
    by device name, free memory that went while the model was loaded (what other programs did meanwhile included).
    """

    buffers: tuple[BufferBytes, ...] = ()
    private_bytes: int = 0
    device_bytes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen; the values here are ours, for models of which nobody says anything.

    `seed` None: the engine draws one and reports it.

    top_k 0 and top_p 1.0, min_p 0.0, penalties neutral mean "off"; temperature 0 means greedy.
    penalty_last_n: tokens looked back at by the penalties; -1 = the whole answer.
    logprobs: None, or how many alternatives to report per token (0..20).
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    penalty_last_n: int = -1
    seed: int | None = None
    logit_bias: tuple[tuple[int, float], ...] = ()
    logprobs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingWish:
    """`Sampling` as far as somebody asked for it. None: as the model's maker recommends, else as in `Sampling`."""

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    penalty_last_n: int | None = None
    seed: int | None = None
    logit_bias: tuple[tuple[int, float], ...] = ()
    logprobs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What the child learned from a loaded model.

    context_tokens, sequences: as really allocated.
    can_trim: the tail of a sequence can be removed (False for recurrent and hybrid models, and for sliding-window ones
    that forget what has left the window).
    chat_profile: the built-in one that is used. sampling_thinking, sampling_answering: what holds where nobody asks for
    anything else, while the model thinks and where it answers at once.
    """

    architecture: str
    name: str
    parameters: int
    size_bytes: int
    vocabulary_size: int
    context_tokens: int
    trained_context_tokens: int
    sequences: int
    has_chat_template: bool
    can_think: bool
    can_trim: bool
    load_seconds: float
    engine: str
    memory: MeasuredMemory = MeasuredMemory()
    chat_profile: str | None = None
    sampling_thinking: Sampling = Sampling()
    sampling_answering: Sampling = Sampling()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message as the chat template sees it. `extra` holds tool_calls, tool_call_id, name and the like."""

    role: str
    content: str
    reasoning: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPrompt:
    """A conversation to be rendered with the model's own template.

    continue_last: the last message is an unfinished answer that is to be continued, not followed.
    template_options: further variables for the template (`chat_template_kwargs` of the API).
    """

    messages: tuple[ChatMessage, ...]
    tools: tuple[dict[str, Any], ...] = ()
    documents: tuple[dict[str, Any], ...] = ()
    enable_thinking: bool | None = None
    continue_last: bool = False
    template_options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPrompt:
    """Plain text to be continued, without any template. Control tokens in it stay plain text."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One answer that is wanted. max_tokens None: as many as the context has room for.

    interactive: a person waits for it in a window or terminal; goes before API traffic.
    """

    request_id: str
    chat: ChatPrompt | None = None
    text: TextPrompt | None = None
    sampling: SamplingWish = SamplingWish()
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    interactive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogprob:
    """Natural log of the probability (softmax of the raw logits over the whole vocabulary) of a token and its rivals.

    raw: the token's bytes (may be part of a character); top: (token id, text, raw bytes, logprob), best first.
    """

    token_id: int
    text: str
    raw: bytes
    logprob: float
    top: tuple[tuple[int, str, bytes, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens read and written. cached_tokens: the part of the prompt that was not computed again."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Seconds as measured in the child: waiting for admission, prefill, decode (first to last token).

    unevenness: median to best of the seconds from one token to the next, 1.0 when there are too few; well above 1 the
    answer was disturbed by other requests or programs.
    """

    queue_seconds: float
    prefill_seconds: float
    decode_seconds: float
    unevenness: float = 1.0
