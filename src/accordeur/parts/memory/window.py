"""As many of the latest turns as fit a number of tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.part import Slot
from accordeur.parts.memory.memory import Exchange, Means, Remembered, latest, most_that_fit, sent
from accordeur.parts.memory.stored import stored


@dataclass(frozen=True, slots=True)
class TokenWindow:
    """The latest exchanges, each whole, that fit the window and the model's context.

    Attributes:
        tokens: of earlier turns at most, with what the chat template puts around them; `None` is
            what the context has left beside the bundle's own text, the question and the answer.
            0 answers every question on its own.
    """

    slot: ClassVar[Slot] = "memory"
    kind: ClassVar[str] = "window"

    tokens: int | None = None

    @property
    def trained_parameters(self) -> int:
        """None."""
        return 0

    def describe(self) -> str:
        """A few words."""
        if self.tokens is None:
            return "a window as large as the context"
        return f"a window of {self.tokens:,} tokens" if self.tokens else "no earlier messages"

    def remember(self, earlier: Sequence[Exchange], question: str, means: Means) -> Remembered:
        """The latest of it; see `Memory.remember`."""
        if self.tokens == 0:
            return Remembered(sent((), question), 0, len(earlier))
        room = means.room
        if self.tokens is not None:
            room = min(room, means.cost(sent((), question)) + self.tokens)
        kept = most_that_fit(
            len(earlier), lambda count: means.cost(sent(latest(earlier, count), question)) <= room
        )
        return Remembered(sent(latest(earlier, kept), question), kept, len(earlier) - kept)

    def files(self) -> Mapping[str, bytes]:
        """`memory.json`."""
        return stored(self.kind, {"tokens": self.tokens})

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> TokenWindow:
        """Inverse of `files`, of what `stored` held."""
        tokens = settings.get("tokens")
        if tokens is not None and (not isinstance(tokens, int) or tokens < 0):
            raise ValueError("a window is a number of tokens")
        return cls(tokens)
