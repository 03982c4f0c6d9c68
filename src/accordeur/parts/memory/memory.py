"""What every memory has in common: from what was said to what is sent, and what was left out."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from accordeur.core.model import FloatArray
from accordeur.core.part import Part
from accordeur.core.task import Turn


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer. A memory keeps both or neither."""

    question: str
    answer: str

    @property
    def turns(self) -> tuple[Turn, Turn]:
        """As turns."""
        return Turn("user", self.question), Turn("assistant", self.answer)


@dataclass(frozen=True, slots=True)
class Means:
    """What a memory has to work with.

    Attributes:
        room: tokens that the whole prompt may take.
        cost: tokens of the whole prompt when these turns are sent, the bundle's own text included.
        count: tokens of a plain text.
        write: the model's answer to an instruction and a text, within a limit of tokens.
        embed: unit vectors of texts, float32 [texts, dimension].
        summaries: those made before, by a key of what they cover; new ones are put in.
    """

    room: int
    cost: Callable[[Sequence[Turn]], int]
    count: Callable[[str], int]
    write: Callable[[str, str, int], str]
    embed: Callable[[Sequence[str]], FloatArray]
    summaries: MutableMapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recalled:
    """An exchange brought back: its place in the conversation, and its cosine to the question."""

    place: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is sent for a question, and what became of the rest.

    Attributes:
        turns: to send; the last one asks the question.
        kept: exchanges sent as they were, always the latest.
        dropped: exchanges not sent as they were.
        summary: of dropped exchanges; empty without one.
        summarised: how many it covers, from the first on.
        recalled: dropped exchanges quoted beside the question.
    """

    turns: tuple[Turn, ...]
    kept: int
    dropped: int = 0
    summary: str = ""
    summarised: int = 0
    recalled: tuple[Recalled, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The counts as plain data; texts are kept where they were said."""
        return {
            "kept": self.kept,
            "dropped": self.dropped,
            "summarised": self.summarised,
            "recalled": [one.place for one in self.recalled],
        }


@runtime_checkable
class Memory(Part, Protocol):
    """The slot `memory`: which of the earlier turns a model is shown."""

    kind: ClassVar[str]

    def remember(self, earlier: Sequence[Exchange], question: str, means: Means) -> Remembered:
        """What is sent.

        The question is always sent. Whatever is quoted or summarised stands in a user's turn: it is
        text of the conversation, and never gets the authority of a system message.

        Args:
            earlier: exchanges so far, in order.
            question: the new turn.
            means: what there is to work with.

        Raises:
            AccordeurError: the model was needed, and failed.
        """
        ...


def sent(
    kept: Sequence[Exchange], question: str, *, before: str = "", beside: str = ""
) -> tuple[Turn, ...]:
    """Turns of whole exchanges and the question.

    Args:
        before: text that stands at the very start of the first user turn.
        beside: text that stands at the start of the question's turn.
    """
    turns = [turn for exchange in kept for turn in exchange.turns]
    turns.append(Turn("user", _joined(beside, question)))
    turns[0] = Turn("user", _joined(before, turns[0].content))
    return tuple(turns)


def latest(earlier: Sequence[Exchange], count: int) -> Sequence[Exchange]:
    """The last so many."""
    return earlier[len(earlier) - count :]


def most_that_fit(most: int, fits: Callable[[int], bool]) -> int:
    """The largest count up to `most` that fits, if every smaller one does; 0 needs not fit.

    Few counts are tried: twice as many each time, then halving. So the work depends on what fits,
    not on how long the conversation is.
    """
    low, high = 0, 1
    while high <= most and fits(high):
        low, high = high, 2 * high
    high = min(high, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low


def quoted(text: str) -> str:
    """Every line behind `> `."""
    return "\n".join(f"> {line}" for line in text.splitlines())


def _joined(before: str, text: str) -> str:
    return f"{before}\n\n{text}" if before else text
