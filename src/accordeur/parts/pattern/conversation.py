"""What patterns of several calls have in common: they say what comes after each reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from accordeur.core.part import Part


@dataclass(frozen=True, slots=True)
class Asked:
    """The next turn of a conversation with the model.

    Attributes:
        text: what the user's turn says.
        reply: what the reply to it is called in a trace: `deductions`, `checks`, `answer`.
        static: false when the text holds something the model wrote.
    """

    text: str
    reply: str
    static: bool = True


@runtime_checkable
class Conversation(Part, Protocol):
    """A pattern of several calls. Each call sees the whole conversation so far."""

    @property
    def opening(self) -> str:
        """Words behind the row in the first call; empty for none."""
        ...

    @property
    def first_reply(self) -> str:
        """What the reply to the first call is called."""
        ...

    @property
    def max_tokens(self) -> int:
        """Limit of each reply."""
        ...

    @property
    def most_calls(self) -> int:
        """Calls that a request takes at most."""
        ...

    def follow(self, replies: Sequence[str]) -> Asked | None:
        """What is asked after these replies; `None` when the last of them is the answer."""
        ...
