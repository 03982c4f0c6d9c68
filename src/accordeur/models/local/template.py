"""Messages to tokens: the chat template around segments that are always plain text.

The template is rendered with a placeholder for every message's content and cut at the
placeholders. Its own text is encoded with special tokens. Every segment of a message is encoded by
itself and as plain text: a row that holds `<|im_end|>` is a row about `<|im_end|>`, it does not end
the turn. The pieces are then concatenated, so the boundary between an instruction and a row never
moves a token.

A template that trims contents does not trim ours: a segment is what its author wrote. A model
without a chat template gets `PLAIN_TEMPLATE`.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from typing import Any

from accordeur.core.errors import ModelError
from accordeur.core.rendering import Rendered
from accordeur.models.local.adapter import render_chat
from accordeur.models.local.pieces import Piece, soft_tokens
from accordeur.models.local.plain_text import PlainText

PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | capitalize }}:\n"
    "{{ message['content'] }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:\n{% endif %}"
)
"""For models without a chat template: roles as headings; the end-of-text token ends the answer."""

_MARK = re.compile("\ue0f0([0-9]+)\ue0f1")


class ChatTokenizer:
    """Chat template and tokenizer of one model: a `PromptTokenizer`.

    Args:
        tokenizer: of transformers, with a `backend_tokenizer`.
        virtual: ids of the virtual tokens that a soft segment stands for.
    """

    causal = True

    def __init__(self, tokenizer: Any, virtual: range = range(0)) -> None:
        self._tokenizer = tokenizer
        self._virtual = virtual
        self._template = None if tokenizer.chat_template else PLAIN_TEMPLATE
        self._text = PlainText(tokenizer, virtual)
        self._skeleton = functools.lru_cache(maxsize=512)(self._render_skeleton)
        self._encode_template = functools.lru_cache(maxsize=4_096)(self._text.encode_control)
        self.end_of_turn = self._find_end_of_turn()

    @property
    def digest(self) -> str:
        """SHA-256 of the chat template in use."""
        text = self._template or str(self._tokenizer.chat_template)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def plain(self, text: str) -> tuple[int, ...]:
        """Tokens of text that is only text, whatever it spells."""
        return self._text.encode(text)

    def continuation(self, text: str) -> tuple[int, ...]:
        """Tokens of an answer with the end of turn."""
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

    def with_virtual(self, virtual: range) -> ChatTokenizer:
        """The same template and tokenizer with these virtual tokens."""
        return ChatTokenizer(self._tokenizer, virtual)

    def pieces(self, prompt: Rendered, leave_out: int = 0) -> tuple[Piece, ...]:
        """The prompt's tokens, stretch by stretch.

        Args:
            prompt: messages.
            leave_out: number of demonstrations to leave out, lowest number first.

        Raises:
            ModelError: a segment asks for other soft tokens than there are, or the template cannot
                take these messages.
        """
        messages = prompt.turns(leave_out)
        skeleton = self._skeleton(tuple(message.role for message in messages))
        found: list[Piece] = [Piece(self._encode_template(skeleton[0]), shared=True)]
        for message, after in zip(messages, skeleton[1:], strict=True):
            for segment in message.segments:
                if segment.kind == "soft":
                    tokens = soft_tokens(self._virtual, segment)
                else:
                    tokens = self.plain(segment.text)
                found.append(Piece(tokens, segment.shared, segment.trim))
            found.append(Piece(self._encode_template(after), shared=True))
        if prompt.prefill:
            found.append(Piece(self.plain(prompt.prefill), shared=False))
        return tuple(piece for piece in found if piece.tokens)

    def _render_skeleton(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """Template text before, between and after the contents of messages with these roles."""
        text = self._chat(roles, answer=True)
        parts = _MARK.split(text)
        if [int(part) for part in parts[1::2]] != list(range(len(roles))):
            raise ModelError(
                "The model's chat template repeats, reorders or drops messages.",
                hint="put the instruction into the user message, or choose another model",
            )
        return tuple(parts[0::2])

    def _chat(self, roles: Sequence[str], *, answer: bool) -> str:
        messages = [{"role": role, "content": f"\ue0f0{at}\ue0f1"} for at, role in enumerate(roles)]
        return render_chat(self._tokenizer, messages, answer=answer, template=self._template)

    def _find_end_of_turn(self) -> int:
        """The control token right after an assistant's text, else the end of text."""
        after = _MARK.split(self._chat(("user", "assistant"), answer=False))[-1]
        tokens = self._encode_template(after)
        if tokens and tokens[0] in self._text.control:
            return tokens[0]
        if self._tokenizer.eos_token_id is None:
            raise ModelError("The model's tokenizer names no token that ends a text.")
        return int(self._tokenizer.eos_token_id)
