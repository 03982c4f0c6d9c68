"""The latest turns, and those earlier ones that are most like the question.

Similarity is the cosine of sentence embeddings, as for the nearest demonstrations. What is recalled
is quoted at the start of the question's turn, so that everything before it stays the same from one
question to the next.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.part import Slot
from accordeur.documents.vectors import VectorIndex
from accordeur.parts.memory.memory import (
    Exchange,
    Means,
    Recalled,
    Remembered,
    latest,
    most_that_fit,
    quoted,
    sent,
)
from accordeur.parts.memory.stored import stored

HEADING = "From earlier in this conversation:"
SHARE = 4
"""One part in so many of the room is for what is recalled, when the conversation outgrows it."""

K = 3
LEAST = 0.25
"""Unrelated sentences have a cosine of about 0 to 0.2 under all-MiniLM-L6-v2."""


@dataclass(frozen=True, slots=True)
class Recall:
    """A window, and exchanges before it that are like the question.

    Attributes:
        k: exchanges recalled at most.
        least: cosine below which nothing is recalled.
    """

    slot: ClassVar[Slot] = "memory"
    kind: ClassVar[str] = "recall"

    k: int = K
    least: float = LEAST

    @property
    def trained_parameters(self) -> int:
        """None: vectors are looked up, not fitted."""
        return 0

    def describe(self) -> str:
        """A few words."""
        return f"a window and {self.k} earlier exchanges like the question"

    def remember(self, earlier: Sequence[Exchange], question: str, means: Means) -> Remembered:
        """The latest of it and what is like the question; see `Memory.remember`."""
        alone = means.cost(sent((), question))
        kept = _window(earlier, question, means, means.room)
        if kept < len(earlier):
            kept = _window(earlier, question, means, means.room - (means.room - alone) // SHARE)
        before = earlier[: len(earlier) - kept]
        recalled: list[Recalled] = []
        turns = sent(latest(earlier, kept), question)
        for one in self._nearest(before, question, means) if alone < means.room else ():
            wanted = sorted([*recalled, one], key=lambda found: found.place)
            longer = _turns(earlier, kept, wanted, question)
            if means.cost(longer) <= means.room:
                recalled, turns = wanted, longer
            if len(recalled) == self.k:
                break
        return Remembered(turns, kept, len(before), recalled=tuple(recalled))

    def files(self) -> Mapping[str, bytes]:
        """`memory.json`."""
        return stored(self.kind, {"k": self.k, "least": self.least})

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Recall:
        """Inverse of `files`, of what `stored` held."""
        made = cls(int(settings.get("k", K)), float(settings.get("least", LEAST)))
        if made.k < 1 or not math.isfinite(made.least):
            raise ValueError("at least one exchange is recalled")
        return made

    def _nearest(
        self, before: Sequence[Exchange], question: str, means: Means
    ) -> Sequence[Recalled]:
        """Exchanges most like the question, the best first; some more than wanted, for the size."""
        if not before:
            return ()
        vectors = means.embed([*map(_embedded, before), question])
        index = VectorIndex(vectors[:-1], [str(place) for place in range(len(before))])
        places, cosines = index.search(vectors[-1:], 4 * self.k)
        return [
            Recalled(int(place), float(cosine))
            for place, cosine in zip(places[0], cosines[0], strict=True)
            if cosine >= self.least
        ]


def _window(earlier: Sequence[Exchange], question: str, means: Means, room: int) -> int:
    return most_that_fit(
        len(earlier), lambda count: means.cost(sent(latest(earlier, count), question)) <= room
    )


def _turns(
    earlier: Sequence[Exchange], kept: int, recalled: Sequence[Recalled], question: str
) -> Any:
    told = "\n>\n".join(quoted(_script(earlier[one.place])) for one in recalled)
    return sent(latest(earlier, kept), question, beside=f"{HEADING}\n{told}")


def _script(exchange: Exchange) -> str:
    return f"User: {exchange.question}\nAssistant: {exchange.answer}"


def _embedded(exchange: Exchange) -> str:
    return f"{exchange.question}\n{exchange.answer}"
