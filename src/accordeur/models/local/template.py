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
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from accordeur.core.errors import ModelError
from accordeur.core.rendering import Rendered
from accordeur.models.local.adapter import render_chat

PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | capitalize }}:\n"
    "{{ message['content'] }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:\n{% endif %}"
)
"""For models without a chat template: roles as headings; the end-of-text token ends the answer."""

_MARK = re.compile("\ue0f0([0-9]+)\ue0f1")
_TAG = re.compile(r"<[^\s>]+>|\[[A-Z_/]+\]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens of one stretch of the prompt.

    Attributes:
        tokens: as the model receives them.
        shared: template text, or a segment that is the same for every request of a candidate.
        trim: may be cut from the left.
    """

    tokens: tuple[int, ...]
    shared: bool
    trim: bool = False


class ChatTokenizer:
    """Chat template and tokenizer of one model.

    Args:
        tokenizer: of transformers, with a `backend_tokenizer`.
        virtual: ids of the virtual tokens that a soft segment stands for.
    """

    def __init__(self, tokenizer: Any, virtual: range = range(0)) -> None:
        self._tokenizer = tokenizer
        self._virtual = virtual
        self._template = None if tokenizer.chat_template else PLAIN_TEMPLATE
        backend: Tokenizer = tokenizer.backend_tokenizer
        self._control = {
            at: token.content
            for at, token in backend.get_added_tokens_decoder().items()
            if token.special or _TAG.fullmatch(token.content)
        }
        self._templated = backend
        self._plain = _plain_tokenizer(backend, self._control)
        self._skeleton = functools.lru_cache(maxsize=512)(self._render_skeleton)
        self._encode = functools.lru_cache(maxsize=65_536)(self._encode_plain)
        self._encode_template = functools.lru_cache(maxsize=4_096)(self._encode_templated)
        self.end_of_turn = self._find_end_of_turn()

    @property
    def digest(self) -> str:
        """SHA-256 of the chat template in use."""
        text = self._template or str(self._tokenizer.chat_template)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def plain(self, text: str) -> tuple[int, ...]:
        """Tokens of text that is only text, whatever it spells."""
        return self._encode(text)

    def continuation(self, text: str) -> tuple[int, ...]:
        """Tokens of an answer with the end of turn."""
        return (*self._encode(text), self.end_of_turn)

    def decode(self, tokens: Sequence[int], *, special: bool = False) -> str:
        """Text of tokens; control tokens are shown only with `special`.

        Virtual tokens have no text; a run of them is shown by its number.
        """
        parts = []
        for soft, run in itertools.groupby(tokens, self._virtual.__contains__):
            ids = list(run)
            if soft:
                parts.append(f"\u27e8{len(ids)} soft tokens\u27e9")
            else:
                parts.append(str(self._templated.decode(ids, skip_special_tokens=not special)))
        return "".join(parts)

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
                    tokens = self._soft(segment.soft_tokens)
                else:
                    tokens = self._encode(segment.text)
                found.append(Piece(tokens, segment.shared, segment.trim))
            found.append(Piece(self._encode_template(after), shared=True))
        if prompt.prefill:
            found.append(Piece(self._encode(prompt.prefill), shared=False))
        return tuple(piece for piece in found if piece.tokens)

    def _soft(self, count: int) -> tuple[int, ...]:
        if count != len(self._virtual):
            raise ModelError(
                f"The prompt asks for {count} soft tokens; the model was given "
                f"{len(self._virtual)}.",
                hint="save the bundle again from its run",
            )
        return tuple(self._virtual)

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
        if tokens and tokens[0] in self._control:
            return tokens[0]
        if self._tokenizer.eos_token_id is None:
            raise ModelError("The model's tokenizer names no token that ends a text.")
        return int(self._tokenizer.eos_token_id)

    def _encode_templated(self, text: str) -> tuple[int, ...]:
        return tuple(self._templated.encode(text, add_special_tokens=False).ids)

    def _encode_as_text(self, text: str) -> tuple[int, ...]:
        if self._plain is not None:
            return tuple(self._plain.encode(text, add_special_tokens=False).ids)
        self._templated.encode_special_tokens = True
        try:
            return tuple(self._templated.encode(text, add_special_tokens=False).ids)
        finally:
            self._templated.encode_special_tokens = False

    def _encode_plain(self, text: str) -> tuple[int, ...]:
        tokens = self._encode_as_text(text)
        if self._control.keys().isdisjoint(tokens):
            return tokens
        # The vocabulary itself spells a control token (SentencePiece): break its spelling.
        words = (self._control[at] for at in tokens if at in self._control)
        spelled = next((word for word in words if word in text), text[:2])
        at = max(1, text.index(spelled) + 1)
        if len(text) < 2:
            return tuple(at for at in tokens if at not in self._control)
        return (*self._encode_plain(text[:at]), *self._encode_plain(text[at:]))


def _plain_tokenizer(tokenizer: Tokenizer, control: dict[int, str]) -> Tokenizer | None:
    """The same tokenizer without control tokens, and without a space put before every text.

    `None` where the tokenizer itself can be told to read its special tokens as text, which is
    usual and saves building a second one.
    """
    added = tokenizer.get_added_tokens_decoder()
    steps = f"{tokenizer.normalizer!r} {tokenizer.pre_tokenizer!r}"
    if all(added[at].special for at in control) and not re.search("Prepend|Metaspace", steps):
        return None
    plain = json.loads(tokenizer.to_str())
    plain["added_tokens"] = [
        token for token in plain["added_tokens"] if int(token["id"]) not in control
    ]
    plain["post_processor"] = None
    plain["truncation"] = None
    plain["padding"] = None
    for name in ("normalizer", "pre_tokenizer"):
        plain[name] = _without_leading_space(plain[name])
    return Tokenizer.from_str(json.dumps(plain))


def _without_leading_space(step: Any) -> Any:
    if not isinstance(step, dict):
        return step
    if step.get("type") == "Prepend":
        return None
    if step.get("type") == "Metaspace":
        return {**step, "prepend_scheme": "never"}
    for key in ("normalizers", "pretokenizers"):
        if key in step:
            inner = [_without_leading_space(part) for part in step[key]]
            return {**step, key: [part for part in inner if part is not None]}
    return step
