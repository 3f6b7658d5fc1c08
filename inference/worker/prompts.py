"""From a request to its prompt's tokens: the chat template, safe tokenization, the check against the context."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import datetime

from inference.backends.protocol import Backend
from inference.errors import (
    ChatProfileUnknown,
    ContextOverflow,
    InferenceError,
    TemplateFailed,
    TemplateMissing,
    ToolsUnsupported,
)
from inference.text.answer import AnswerText
from inference.text.manner import advice_of, settled, thinks, with_soft_word
from inference.text.profiles import ChatProfile, all_profiles, choose_profile, find_profile
from inference.text.reasoning import ReasoningTags
from inference.text.rendered import Rendered
from inference.text.template import ChatTemplate
from inference.text.token_marks import with_marks
from inference.text.tokenizing import tokenize_plain, tokenize_rendered
from inference.values import ChatPrompt, GenerationRequest, LoadPlan, Sampling, SamplingWish


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPrompt:
    """Tokens to read, how many may be generated and how, and the parser for what comes out.

    end_tokens: tokens that end this answer, beside those of the vocabulary.
    """

    tokens: array[int]
    token_limit: int
    sampling: Sampling
    text: AnswerText
    end_tokens: frozenset[int]


class PromptMaker:
    """Holds the model's compiled chat template. One per loaded model, used by the engine thread only.

    Of the plan its chat profile and manner count. Raises ChatProfileUnknown.
    """

    def __init__(self, backend: Backend, plan: LoadPlan) -> None:
        self._manner = plan.manner
        self._habit = plan.manner.thinking if plan.manner else None
        self._advice = backend.sampling_advice
        self._vocabulary = backend.vocabulary
        self._bos_id = backend.vocabulary.bos_token if backend.vocabulary.bos_token >= 0 else None
        self._context_tokens = backend.facts.context_tokens
        self._model = backend.facts.name
        self._architecture = backend.facts.architecture
        self._template: ChatTemplate | None = None
        self._problem: TemplateFailed | None = None
        self._profile: ChatProfile | None = None
        self.tags: ReasoningTags | None = None
        self._choose(backend.chat_template, plan.chat_profile)
        token_ids: dict[str, int] = self._profile.token_ids if self._profile else {}
        self._tokenize = with_marks(self._vocabulary.tokenize, token_ids)
        stops = (*(self._profile.stop if self._profile else ()), *(plan.manner.stop if plan.manner else ()))
        self._end_tokens, self._stop = self._ends(stops)

    @property
    def profile(self) -> str | None:
        """Name of the built-in chat profile in use, None: the file's own template or none."""
        return self._profile.name if self._profile else None

    def sampling(self, wish: SamplingWish, *, thinking: bool) -> Sampling:
        """The wish, what the model's maker recommends, what its file says, ours: the first that says it."""
        return settled(wish, advice_of(self._manner, thinking=thinking), self._advice)

    def _choose(self, own: str | None, chosen: str | None) -> None:
        """The user's choice; else what the catalogue knows better than the file, or instead of a file without any."""
        if chosen:
            self._use(_profile(chosen, self._vocabulary.size))
            return
        manner = self._manner if chosen is None else None
        known = find_profile(manner.template) if manner and manner.template else None
        if known is not None and not _has_tokens(known, self._vocabulary.size):
            known = None
        if own is not None and not (known and manner and manner.own_is_wrong):
            self._compile(own)
            if self._problem is None:
                return
        if known is not None:
            self._use(known)

    def _use(self, profile: ChatProfile) -> None:
        self._profile, self._problem = profile, None
        self._compile(profile.template, frozenset(profile.token_ids))

    def _ends(self, stops: tuple[str, ...]) -> tuple[frozenset[int], tuple[str, ...]]:
        """Control tokens by their number, as answers may hold their texts ("</s>" is HTML too); the others as texts."""
        tokens: set[int] = set()
        texts: list[str] = []
        for stop in dict.fromkeys(stops):
            found = self._vocabulary.tokenize(stop, True) if stop in self._vocabulary.control_texts else []
            if len(found) == 1:
                tokens.update(found)
            else:
                texts.append(stop)
        return frozenset(tokens), tuple(texts)

    def _compile(self, source: str, marks: frozenset[str] = frozenset()) -> None:
        try:
            self._template = ChatTemplate.compile(
                source,
                bos_token=self._vocabulary.bos_text,
                eos_token=self._vocabulary.eos_text,
                control_texts=self._vocabulary.control_texts | marks,
                habit=self._habit,
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
        text, ends, thinking = AnswerText(request.stop, None, False), frozenset[int](), False
        if request.chat is not None:
            rendered, tokens = self.render(request.chat, now=now)
            text = AnswerText((*request.stop, *self._stop), self.tags, rendered.starts_in_reasoning)
            ends, thinking = self._end_tokens, thinks(self._habit, request.chat)
        elif request.text is not None:
            tokens = tokenize_plain(
                request.text.text, self._vocabulary.tokenize, bos_id=self._bos_id, add_bos=self._vocabulary.adds_bos
            )
        else:
            raise InferenceError("a request without a prompt")
        if not tokens:
            # Nothing to read gives no logits: an empty prompt begins where the model's texts begin.
            tokens = [self._bos_id or 0]
        return PreparedPrompt(
            tokens=array("i", tokens),
            token_limit=self._token_limit(request, len(tokens)),
            sampling=self.sampling(request.sampling, thinking=thinking),
            text=text,
            end_tokens=ends,
        )

    def render(self, chat: ChatPrompt, *, now: datetime) -> tuple[Rendered, list[int]]:
        """The conversation as the model reads it: text and tokens.

        Raises TemplateMissing, TemplateFailed or ToolsUnsupported.
        """
        if self._problem is not None:
            raise self._problem
        if self._template is None:
            raise TemplateMissing(model=self._model, profile=self._fitting())
        if chat.tools and not self._template.takes_tools:
            raise ToolsUnsupported(model=self._model)
        rendered = self._template.render(with_soft_word(self._habit, chat), now=now)
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


def _profile(name: str, vocabulary_size: int) -> ChatProfile:
    """The profile of this name. Raises ChatProfileUnknown, also for one whose tokens this vocabulary does not have."""
    profile = find_profile(name)
    if profile is None or not _has_tokens(profile, vocabulary_size):
        raise ChatProfileUnknown(name=name, known=[known.name for known in all_profiles() if known is not profile])
    return profile


def _has_tokens(profile: ChatProfile, vocabulary_size: int) -> bool:
    return all(token < vocabulary_size for token in profile.token_ids.values())
