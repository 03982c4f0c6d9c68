"""What an answer rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from accordeur.core.span import Span
from accordeur.documents.passage import Passage

Origin = Literal["model", "code"]
"""Who says so: the model by its mark, or code that looked for the best sentence."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer.

    Attributes:
        start, end: its characters in the answer.
        text: those characters, the model's marks left out.
    """

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence of a document beside what it supports.

    Attributes:
        number: as it is shown; with marks of the model the passage's number in the prompt.
        passage: it was read from.
        span: of the quote in its document.
        quote: exactly the document's characters there.
        claim: the sentence of the answer that it supports.
        origin: whose word it is.
        support: 0 to 1, share of the claim's weighted words that stand in the quote.
    """

    number: int
    passage: Passage
    span: Span
    quote: str
    claim: Claim
    origin: Origin
    support: float

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "number": self.number,
            "document": self.span.document,
            "start": self.span.start,
            "end": self.span.end,
            "page": self.passage.page,
            "headings": list(self.passage.headings),
            "quote": self.quote,
            "answer_start": self.claim.start,
            "answer_end": self.claim.end,
            "found_by": self.origin,
            "support": round(self.support, 4),
        }


@dataclass(frozen=True, slots=True)
class Cited:
    """What was found for an answer.

    Attributes:
        citations: in the order of the answer.
        unsupported: sentences of the answer that no sentence of the passages supports.
        astray: marks of the model that name no passage, or one that does not say it.
        misquoted: quotations of the model that stand in no passage.
    """

    citations: tuple[Citation, ...] = ()
    unsupported: tuple[Claim, ...] = ()
    astray: int = 0
    misquoted: tuple[str, ...] = ()
