"""What an answer rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from accordeur.core.span import Span

Origin = Literal["model", "code"]
"""Who says so: the model by its mark, or code that looked for the best sentence."""


class Stretch(Protocol):
    """What an answer may be read from: a passage, or a stretch of several as it was shown."""

    @property
    def span(self) -> Span:
        """Where it stands."""
        ...

    @property
    def text(self) -> str:
        """Of that place, character for character but for white space."""
        ...

    @property
    def page(self) -> int | None:
        """Of its first character, where the document has pages."""
        ...

    @property
    def headings(self) -> tuple[str, ...]:
        """Titles that it stands under, outermost first."""
        ...


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
        source: it was read from.
        span: of the quote in its document.
        quote: exactly the document's characters there.
        claim: the sentence of the answer that it supports.
        origin: whose word it is.
        page: of its first character, where the document has pages.
        headings: titles it stands under, outermost first, as far as they are known.
        support: 0 to 1, share of the claim's weighted words that stand in the quote.
    """

    number: int
    source: Stretch
    span: Span
    quote: str
    claim: Claim
    origin: Origin
    support: float
    page: int | None = None
    headings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "number": self.number,
            "document": self.span.document,
            "start": self.span.start,
            "end": self.span.end,
            "page": self.page,
            "headings": list(self.headings),
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
