"""Passages of documents, and what a search says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from accordeur.core.span import Span

Mode = Literal["lexical", "dense", "fusion", "rrf"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk of a document: what is embedded, found and shown.

    Attributes:
        number: its place in the index, from 0; vectors stand in this order.
        span: where it stands; `text` is exactly that slice of the document.
        text: what is shown.
        page: of its first character, from 1; `None` where documents have no pages.
        headings: titles it stands under, outermost first.
        metadata: of its document, such as `title`, `author`, `date`, `tags`.
    """

    number: int
    span: Span
    text: str
    page: int | None = None
    headings: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ranking:
    """How passages are ordered.

    Attributes:
        mode: by words (BM25), by vectors (cosine), by both scaled to 0..1 and weighted, or by
            reciprocal ranks.
        weight: share of the vectors in `fusion`, 0 to 1.
        depth: passages that each of the two puts forward.
    """

    mode: Mode = "fusion"
    weight: float = 0.5
    depth: int = 100


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that a search found.

    Attributes:
        passage: what was found.
        score: by which it is ordered, higher first; comparable within one question alone.
        lexical: BM25, higher is better; `None` where no word was shared or words were not asked.
        dense: cosine; `None` where vectors were not asked.
    """

    passage: Passage
    score: float
    lexical: float | None = None
    dense: float | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents are searched; what is left out is left out before anything is ranked.

    Attributes:
        documents: shell patterns of names (`policies/*.md`), any of which fits.
        metadata: values that a document must have, any one of several per name.
    """

    documents: tuple[str, ...] = ()
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Searchable(Protocol):
    """What finds passages: an index on disk, one in memory, one that a server holds."""

    @property
    def fingerprint(self) -> str:
        """Hash of documents, settings and embedder: everything that can change what is found."""
        ...

    def __len__(self) -> int:
        """Passages."""
        ...

    def search(
        self,
        questions: Sequence[str],
        k: int,
        *,
        ranking: Ranking | None = None,
        where: Filter | None = None,
    ) -> list[list[Found]]:
        """The k best passages of each question, best first, ties to the lower number.

        Args:
            questions: each at least one character.
            k: at least 1.
            ranking: the index's own where it is not given.
            where: which documents.
        """
        ...
