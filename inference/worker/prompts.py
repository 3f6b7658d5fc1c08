"""From a request to its prompt's tokens: the chat template, safe tokenization, the check against the context."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import datetime

from inference.backends.protocol import Backend
from inference.errors import ChatProfileUnknown, ContextOverflow, InferenceError, TemplateFailed, TemplateMissing
from inference.text.answer import AnswerText
from inference.text.profiles import ChatProfile, all_profiles, choose_profile, find_profile
from inference.text.reasoning import ReasoningTags
from inference.text.rendered import Rendered
from inference.text.template import ChatTemplate
from inference.text.token_marks import with_marks
from inference.text.tokenizing import tokenize_plain, tokenize_rendered
from inference.values import ChatPrompt, GenerationRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPrompt:
    """Tokens to read, how many may be generated, and the parser for what comes out."""

    tokens: array[int]
    token_limit: int
    text: AnswerText


class PromptMaker:
    """Holds the model's compiled chat template. One per loaded model, used by the engine thread only.

    chat_profile: name of the built-in profile to be used instead of the file's template. Raises ChatProfileUnknown.
    """

    def __init__(self, backend: Backend, chat_profile: str | None = None) -> None:
        self._profile = _profile(chat_profile, backend.vocabulary.size)
        self._vocabulary = backend.vocabulary
        self._bos_id = backend.vocabulary.bos_token if backend.vocabulary.bos_token >= 0 else None
        self._context_tokens = backend.facts.context_tokens
        self._model = backend.facts.name
        self._architecture = backend.facts.architecture
        self._template: ChatTemplate | None = None
        self._problem: TemplateFailed | None = None
        self.tags: ReasoningTags | None = None
        self._stop: tuple[str, ...] = ()
        token_ids = self._profile.token_ids if self._profile else {}
        self._tokenize = with_marks(self._vocabulary.tokenize, token_ids)
        if self._profile is not None:
            self._stop = self._profile.stop
            self._compile(self._profile.template, frozenset(token_ids))
            # Stop texts may be control tokens, which answers hide.
            self._vocabulary.show(frozenset(self._stop))
        elif backend.chat_template is not None:
            self._compile(backend.chat_template)

    def _compile(self, source: str, marks: frozenset[str] = frozenset()) -> None:
        try:
            self._template = ChatTemplate.compile(
                source,
                bos_token=self._vocabulary.bos_text,
                eos_token=self._vocabulary.eos_text,
                control_texts=self._vocabulary.control_texts | marks,
            )
        except TemplateFailed as problem:
            # Plain completion still works; a chat is told what is wrong with the template.
            self._problem = TemplateFailed(detail=problem.detail, profile=self._fitting())
        else:
            self.tags = self._template.reasoning_tags
            if self.tags is not None:
                # Some vocabularies mark them as control tokens, which answers hide; the splitter must see them.
                self._vocabulary.show(frozenset((self.tags.open, self.tags.close)))

    def prepare(self, request: GenerationRequest, *, now: datetime) -> PreparedPrompt:
        """Raises TemplateMissing, TemplateFailed or ContextOverflow."""
        text = AnswerText(request.stop, None, False)
        if request.chat is not None:
            rendered, tokens = self.render(request.chat, now=now)
            text = AnswerText((*request.stop, *self._stop), self.tags, rendered.starts_in_reasoning)
        elif request.text is not None:
            tokens = tokenize_plain(
                request.text.text, self._vocabulary.tokenize, bos_id=self._bos_id, add_bos=self._vocabulary.adds_bos
            )
        else:
            raise InferenceError("a request without a prompt")
        if not tokens:
            # Nothing to read gives no logits: an empty prompt begins where the model's texts begin.
            tokens = [self._bos_id or 0]
        return PreparedPrompt(tokens=array("i", tokens), token_limit=self._token_limit(request, len(tokens)), text=text)

    def render(self, chat: ChatPrompt, *, now: datetime) -> tuple[Rendered, list[int]]:
        """The conversation as the model reads it: text and tokens. Raises TemplateMissing or TemplateFailed."""
        if self._problem is not None:
            raise self._problem
        if self._template is None:
            raise TemplateMissing(model=self._model, profile=self._fitting())
        rendered = self._template.render(chat, now=now)
        return rendered, tokenize_rendered(
            rendered,
            self._tokenize,
            bos_id=self._bos_id,
            add_bos=self._vocabulary.adds_bos,
            adds_space_prefix=self._vocabulary.adds_space_prefix,
        )

    def _fitting(self) -> str:
        fitting = choose_profile(self._architecture, self._model)
        return fitting.name if fitting else ""

    def _token_limit(self, request: GenerationRequest, prompt_tokens: int) -> int:
        room = self._context_tokens - prompt_tokens
        if room < 1:
            raise ContextOverflow(prompt_tokens=prompt_tokens, context_tokens=self._context_tokens)
        return room if request.max_tokens is None else max(1, min(request.max_tokens, room))


def _profile(name: str | None, vocabulary_size: int) -> ChatProfile | None:
    """The profile of this name. Raises ChatProfileUnknown, also for one whose tokens this vocabulary does not have."""
    if name is None:
        return None
    profile = find_profile(name)
    if profile is None or any(token >= vocabulary_size for token in profile.token_ids.values()):
        raise ChatProfileUnknown(name=name, known=[known.name for known in all_profiles() if known is not profile])
    return profile
