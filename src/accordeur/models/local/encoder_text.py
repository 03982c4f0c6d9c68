"""Messages to the one text that the encoder of a T5 model reads.

These models have no chat template. Their prompt is the contents of all messages, the system message
first, with a blank line between them; an assistant's message stands after `Answer:`, and where one
was shown, `Answer:` stands again at the end of the prompt, for the model to go on from. So without
demonstrations the model reads instruction and row, as such models were trained to.

Every stretch is encoded by itself and as plain text (DESIGN P3): a row that holds `</s>` does not
end the text. The tokenizers of T5 (SentencePiece) know no line breaks and start every text as a new
word; so does every stretch here, and so does the answer. What the tokenizer puts around a text,
`</s>` at its end, is put around the whole prompt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from accordeur.core.errors import ModelError
from accordeur.core.rendering import Rendered
from accordeur.models.local.pieces import Piece, soft_tokens
from accordeur.models.local.plain_text import PlainText

BREAK = "\n\n"
"""Between messages."""

CUE = "Answer:"
"""Before an assistant's message, a line break between them."""


class EncoderText:
    """Tokenizer of one encoder-decoder model: a `PromptTokenizer`.

    No piece is shared: an encoder reads every prompt from both sides.

    Args:
        tokenizer: of transformers, with a `backend_tokenizer`.
        virtual: ids of the virtual tokens that a soft segment stands for.

    Raises:
        ModelError: the tokenizer has no token that ends a text.
    """

    causal = False

    def __init__(self, tokenizer: Any, virtual: range = range(0)) -> None:
        if tokenizer.eos_token_id is None:
            raise ModelError("The model's tokenizer names no token that ends a text.")
        self._tokenizer = tokenizer
        self._virtual = virtual
        self._text = PlainText(tokenizer, virtual, words=True)
        self.end_of_turn = int(tokenizer.eos_token_id)
        self._before, self._after = _around(self._text.backend)

    @property
    def digest(self) -> str:
        """SHA-256 of the form described above."""
        form = json.dumps([BREAK, CUE, self._before, self._after])
        return hashlib.sha256(form.encode("utf-8")).hexdigest()

    def plain(self, text: str) -> tuple[int, ...]:
        """Tokens of text that is only text, whatever it spells."""
        return self._text.encode(text)

    def continuation(self, text: str) -> tuple[int, ...]:
        """Tokens of an answer with the token that ends it."""
        return (*self.plain(text), self.end_of_turn)

    def decode(self, tokens: Sequence[int], *, special: bool = False) -> str:
        """Text of tokens; control tokens are shown only with `special`."""
        return self._text.decode(tokens, special=special)

    def token_bytes(self, token: int) -> bytes:
        """What a token stands for, which may be a part of a character."""
        return self._text.token_bytes(token)

    def spellings(self) -> list[bytes]:
        """What every token stands for, by id; nothing for those that no text may become."""
        return self._text.spellings()

    def with_virtual(self, virtual: range) -> EncoderText:
        """The same with these virtual tokens."""
        return EncoderText(self._tokenizer, virtual)

    def pieces(self, prompt: Rendered, leave_out: int = 0) -> tuple[Piece, ...]:
        """The prompt's tokens, stretch by stretch; see `PromptTokenizer.pieces`."""
        if prompt.prefill:
            raise ModelError(
                "The answer of an encoder-decoder model cannot be begun for it.",
                hint="use a decoder-only model for this pattern",
            )
        messages = prompt.turns(leave_out)
        shown = any(message.role == "assistant" for message in messages)
        found = [Piece(self._before, shared=False)]
        for at, message in enumerate(messages):
            if at:
                found.append(self._static(BREAK))
            if message.role == "assistant":
                found.append(self._static(f"{CUE}\n"))
            for segment in message.segments:
                if segment.kind == "soft":
                    tokens = soft_tokens(self._virtual, segment)
                else:
                    tokens = self.plain(segment.text)
                found.append(Piece(tokens, shared=False, trim=segment.trim))
        if shown:
            found.append(self._static(f"{BREAK}{CUE}"))
        found.append(Piece(self._after, shared=False))
        return tuple(piece for piece in found if piece.tokens)

    def _static(self, text: str) -> Piece:
        return Piece(self.plain(text), shared=False)


def _around(backend: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The tokens that a tokenizer puts before and after every text."""
    bare = backend.encode("a", add_special_tokens=False).ids
    whole = backend.encode("a").ids
    for start in range(len(whole) - len(bare) + 1):
        if whole[start : start + len(bare)] == bare:
            return tuple(whole[:start]), tuple(whole[start + len(bare) :])
    return (), ()
