"""Makes a prompt fit the context, and finds the part it shares with others.

Demonstrations that do not fit are dropped whole, first ones first; then what may be trimmed is cut
from the left; static text that does not fit is an error (DESIGN P3).

The shared prefix is the leading run of template text and shared segments. It depends on this prompt
alone, never on the prompts computed beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from accordeur.core.errors import ContextOverflow
from accordeur.core.rendering import Rendered
from accordeur.models.local.pieces import Piece, PromptTokenizer


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as tokens.

    Attributes:
        prefix: what it shares with other prompts of its candidate; may be empty.
        row: what follows; never empty.
        truncated: tokens cut.
        dropped: demonstrations dropped.
    """

    prefix: tuple[int, ...]
    row: tuple[int, ...]
    truncated: int = 0
    dropped: int = 0

    @property
    def tokens(self) -> tuple[int, ...]:
        """All of it."""
        return self.prefix + self.row


def fit(chat: PromptTokenizer, prompt: Rendered, window: int, answer: int) -> Prompt:
    """Tokens of a prompt that fit `window`, with `answer` positions to spare behind them.

    An encoder-decoder model writes its answer elsewhere: its prompt may fill the window.

    Raises:
        ContextOverflow: static text alone does not fit.
    """
    answer = answer if chat.causal else 0
    room = window - answer
    numbers = [m.demonstration for m in prompt.messages if m.demonstration is not None]
    count = 1 + max(numbers, default=-1)
    for dropped in range(count + 1):
        pieces = chat.pieces(prompt, leave_out=dropped)
        excess = sum(len(piece.tokens) for piece in pieces) - room
        if excess <= 0:
            return _split(pieces, 0, dropped)
    kept = []
    cut = 0
    for piece in pieces:
        tokens = piece.tokens
        if piece.trim and cut < excess:
            less = min(len(tokens), excess - cut)
            cut += less
            tokens = tokens[less:]
        kept.append(Piece(tokens, piece.shared, piece.trim))
    if cut < excess or room <= 0:
        static = sum(len(piece.tokens) for piece in kept)
        raise ContextOverflow(
            f"The prompt's fixed text takes {static} tokens and the answer up to {answer}; "
            f"the model's context has {window}.",
            hint="shorten the instruction, the label texts or the answer limit",
        )
    return _split(tuple(kept), cut, count)


def _split(pieces: tuple[Piece, ...], truncated: int, dropped: int) -> Prompt:
    tokens: list[int] = []
    shared = 0
    leading = True
    for piece in pieces:
        leading = leading and piece.shared
        tokens.extend(piece.tokens)
        if leading:
            shared = len(tokens)
    shared = min(shared, len(tokens) - 1)  # the answer is predicted from the last token
    return Prompt(tuple(tokens[:shared]), tuple(tokens[shared:]), truncated, dropped)
