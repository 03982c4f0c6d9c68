"""A conversation as it is kept: its turns, and which of them still count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["user", "assistant"]

TITLE = 60
"""Letters of the first question that stand for a title."""


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One turn.

    Attributes:
        id: of the turn; a later turn has a higher one.
        role: who spoke.
        text: as it was said.
        created: ISO 8601, UTC.
        answers: the question that an answer belongs to; `None` for a question.
        candidate: who answered, as it was named.
        tokens: of the text, as the model counts them; 0 where nobody counted.
        cut: the answer was stopped before its end.
        rating: `good`, `bad`, or empty.
        remark: words beside the rating.
        superseded: it was undone, asked again or edited; kept, but not part of what is sent.
        details: what else is known of an answer: status, probabilities, what memory left out.
    """

    id: int
    role: Role
    text: str
    created: str
    answers: int | None = None
    candidate: str = ""
    tokens: int = 0
    cut: bool = False
    rating: str = ""
    remark: str = ""
    superseded: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As plain data, empty parts left out."""
        data = {name: getattr(self, name) for name in self.__slots__}
        kept = {name: value for name, value in data.items() if value or name in ("id", "text")}
        return {**kept, **({"details": dict(self.details)} if self.details else {})}


@dataclass(frozen=True, slots=True)
class StoredExchange:
    """A question and its answer; `None` where it has none."""

    question: StoredTurn
    answer: StoredTurn | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is known of a conversation beside its turns.

    Attributes:
        id: short and random, or as a client of the server named it.
        title: given, else the start of the first question.
        owner: hash of the API key that began it; empty for the terminal.
        candidate: who answers now: a model's name or a bundle's path.
        digest: of that model or bundle.
        system: the conversation's own system message; empty for none.
        memory: kind and settings of its memory; empty for the default.
        created, updated: ISO 8601, UTC.
        messages: questions and answers that count.
    """

    id: str
    title: str
    owner: str
    candidate: str
    digest: str
    system: str
    memory: Mapping[str, Any]
    created: str
    updated: str
    messages: int = 0

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__} | {
            "memory": dict(self.memory)
        }


def exchanges(turns: Iterable[StoredTurn]) -> list[StoredExchange]:
    """Questions that count, in order, each with the last answer to it that counts.

    Answers are found by the question they belong to, so two processes that talk in one conversation
    at the same time do not mix theirs up.
    """
    questions: dict[int, StoredTurn] = {}
    answers: dict[int, StoredTurn] = {}
    for turn in turns:
        if turn.superseded:
            continue
        if turn.answers is None:
            questions[turn.id] = turn
        else:
            answers[turn.answers] = turn
    return [StoredExchange(turn, answers.get(key)) for key, turn in questions.items()]
