"""What a prompt is made of on its way to a model, and who makes it: the tokenizers of this engine.

`template.ChatTokenizer` puts messages into a model's chat template; `encoder_text.EncoderText`
puts them into one text for the encoder of an encoder-decoder model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from accordeur.core.errors import ModelError
from accordeur.core.rendering import Rendered, Segment


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens of one stretch of the prompt.

    Attributes:
        tokens: as the model receives them.
        shared: template text, or a segment that is the same for every request of a candidate; never
            where prompts cannot share what they start with.
        trim: may be cut from the left.
    """

    tokens: tuple[int, ...]
    shared: bool
    trim: bool = False


class PromptTokenizer(Protocol):
    """Messages to tokens, as one model wants them."""

    @property
    def causal(self) -> bool:
        """The model reads from left to right, the answer right behind the prompt.

        Then prompts that start alike can share that start, and the window holds prompt and answer
        together. An encoder reads a prompt from both sides, so every prompt is computed whole; the
        window is the prompt's alone, since the answer is the decoder's.
        """
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the form that messages are put into."""
        ...

    @property
    def end_of_turn(self) -> int:
        """The token that ends an answer."""
        ...

    def plain(self, text: str) -> tuple[int, ...]:
        """Tokens of text that is only text, whatever it spells."""
        ...

    def continuation(self, text: str) -> tuple[int, ...]:
        """Tokens of an answer with the end of turn."""
        ...

    def decode(self, tokens: Sequence[int], *, special: bool = False) -> str:
        """Text of tokens; control tokens are shown only with `special`."""
        ...

    def token_bytes(self, token: int) -> bytes:
        """What a token stands for, which may be a part of a character."""
        ...

    def spellings(self) -> list[bytes]:
        """What every token stands for, by id; nothing for those that no text may become."""
        ...

    def with_virtual(self, virtual: range) -> PromptTokenizer:
        """The same with these ids for the virtual tokens that a soft segment stands for."""
        ...

    def pieces(self, prompt: Rendered, leave_out: int = 0) -> tuple[Piece, ...]:
        """The prompt's tokens, stretch by stretch.

        Args:
            prompt: messages.
            leave_out: number of demonstrations to leave out, lowest number first.

        Raises:
            ModelError: a segment asks for other soft tokens than there are, or these messages
                cannot be put into the model's form.
        """
        ...


def soft_tokens(virtual: range, segment: Segment) -> tuple[int, ...]:
    """The virtual tokens of a soft segment.

    Args:
        virtual: ids of all that the model was given.
        segment: names those it wants.

    Raises:
        ModelError: there are not so many.
    """
    last = segment.soft_first + segment.soft_tokens
    if not 0 < segment.soft_tokens <= last <= len(virtual):
        raise ModelError(
            f"The prompt asks for {last} soft tokens; the model was given {len(virtual)}.",
            hint="save the bundle again from its run",
        )
    return tuple(virtual[segment.soft_first : last])
