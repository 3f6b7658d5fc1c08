"""The model's vocabulary: texts to tokens and tokens to bytes."""

from __future__ import annotations

import ctypes
from typing import Any

from inference.backends.llama_cpp.library import lib

_PIECE_BYTES = 256


class LlamaVocabulary:
    """See inference.backends.protocol.Vocabulary."""

    def __init__(self, model: Any, *, space_prefix: bool) -> None:
        """space_prefix: the file does not switch SentencePiece's leading space off."""
        self._vocab = lib.llama_model_get_vocab(model)
        self.size = int(lib.llama_vocab_n_tokens(self._vocab))
        self.adds_bos = bool(lib.llama_vocab_get_add_bos(self._vocab))
        self.adds_space_prefix = space_prefix and int(lib.llama_vocab_type(self._vocab)) == lib.LLAMA_VOCAB_TYPE_SPM
        self.bos_token = int(lib.llama_vocab_bos(self._vocab))
        self.bos_text = self._text(self.bos_token)
        self.eos_text = self._text(int(lib.llama_vocab_eos(self._vocab)))
        control = [token for token in range(self.size) if lib.llama_vocab_is_control(self._vocab, token)]
        self._hidden = set(control)
        self.control_texts = frozenset(filter(None, map(self._text, control)))
        # llama.cpp marks what it takes for an end of answer as control; only EOS and EOT may be of another kind.
        candidates = {*control, int(lib.llama_vocab_eos(self._vocab)), int(lib.llama_vocab_eot(self._vocab))} - {-1}
        self._ends = frozenset(token for token in candidates if lib.llama_vocab_is_eog(self._vocab, token))
        self._buffer = ctypes.create_string_buffer(_PIECE_BYTES)

    def _text(self, token: int) -> str:
        if token < 0:
            return ""
        text = lib.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "replace") if text else ""

    def tokenize(self, text: str, parse_special: bool) -> list[int]:
        """Tokens of the text, without BOS or EOS."""
        data = text.encode("utf-8", "surrogatepass")
        room = len(data) + 8
        while True:
            tokens = (lib.llama_token * room)()
            count = lib.llama_tokenize(self._vocab, data, len(data), tokens, room, False, parse_special)
            if count >= 0:
                return list(tokens[:count])
            room = -count

    def piece(self, token: int) -> bytes:
        """The token's bytes; control tokens are not shown."""
        if not 0 <= token < self.size:
            raise IndexError(token)
        if token in self._hidden:
            return b""
        count = lib.llama_token_to_piece(self._vocab, token, self._buffer, len(self._buffer), 0, True)
        if count < 0:
            self._buffer = ctypes.create_string_buffer(-count)
            count = lib.llama_token_to_piece(self._vocab, token, self._buffer, len(self._buffer), 0, True)
        return self._buffer.raw[:count]

    def show(self, texts: frozenset[str]) -> None:
        """Control tokens with these texts appear in answers from now on."""
        self._hidden -= {token for token in self._hidden if self._text(token) in texts}

    def ends_answer(self, token: int) -> bool:
        """EOS, EOT, EOM and the like."""
        return token in self._ends
