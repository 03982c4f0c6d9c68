"""Everything that was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.errors import ContextOverflow
from accordeur.core.part import Slot
from accordeur.parts.memory.memory import Exchange, Means, Remembered, sent
from accordeur.parts.memory.stored import stored


@dataclass(frozen=True, slots=True)
class WholeHistory:
    """The whole conversation is sent, or nothing is answered."""

    slot: ClassVar[Slot] = "memory"
    kind: ClassVar[str] = "whole"

    @property
    def trained_parameters(self) -> int:
        """None."""
        return 0

    def describe(self) -> str:
        """A few words."""
        return "the whole conversation"

    def remember(self, earlier: Sequence[Exchange], question: str, means: Means) -> Remembered:
        """All of it; see `Memory.remember`.

        Raises:
            ContextOverflow: it does not fit.
        """
        turns = sent(earlier, question)
        cost = means.cost(turns)
        if earlier and cost > means.room:
            raise ContextOverflow(
                f"The whole conversation takes {cost:,} tokens; {means.room:,} fit.",
                hint="another memory leaves some of it out: /memory window",
            )
        return Remembered(turns, kept=len(earlier))

    def files(self) -> Mapping[str, bytes]:
        """`memory.json`."""
        return stored(self.kind, {})

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> WholeHistory:
        """Inverse of `files`, of what `stored` held."""
        return cls()
