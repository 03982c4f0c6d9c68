"""Documents to chunks: as much as one embedding reads, cut where the text itself has its joints.

semantic-text-splitter finds the joints: headings, blocks and items in Markdown, else paragraphs,
sentences, words. Sizes are counted by whoever embeds, so that nothing is cut off unseen. White
space at both ends of a chunk is left out; a chunk is the slice `text[start:end]`, carried from the
splitter and never searched for again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accordeur.core.errors import MissingDependency, UsageError
from accordeur.documents.document import Document

if TYPE_CHECKING:
    from semantic_text_splitter import MarkdownSplitter, TextSplitter

Count = Callable[[str], int]
"""Tokens of a text, special ones included."""

SMALLEST = 16
"""Tokens below which a chunk says too little to be worth a vector."""

_WORDS = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A slice of a document's text.

    Attributes:
        start, end: characters.
        tokens: of it, special ones included.
    """

    start: int
    end: int
    tokens: int


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """How long chunks are.

    Attributes:
        tokens: at most, special ones included.
        overlap: tokens that a chunk may repeat from the end of the one before.

    Raises:
        UsageError: they do not fit together.
    """

    tokens: int
    overlap: int

    def __post_init__(self) -> None:
        if self.tokens < SMALLEST:
            raise UsageError(f"A chunk has at least {SMALLEST} tokens, not {self.tokens}.")
        if not 0 <= self.overlap <= self.tokens // 2:
            raise UsageError(
                f"An overlap of {self.overlap} tokens does not fit chunks of {self.tokens}.",
                hint=f"it may be 0 to {self.tokens // 2}, half of a chunk",
            )


def words_and_marks(text: str) -> int:
    """Words and punctuation marks: what is counted where nothing embeds."""
    return sum(1 for _ in _WORDS.finditer(text))


def chunk(document: Document, size: ChunkSize, count: Count, *, markdown: bool) -> list[Chunk]:
    """The chunks of a document in order; none where it is empty.

    Args:
        document: what is cut.
        size: limits.
        count: tokens of a text.
        markdown: whether its text is Markdown.

    Raises:
        MissingDependency: the splitter is not installed.
    """
    splitter = _splitter(size, count, markdown=markdown)
    made: list[Chunk] = []
    for offset, text in splitter.chunk_indices(document.text[document.body :]):
        start = document.body + offset
        made.extend(
            _fitting(document.text, Chunk(start, start + len(text), count(text)), size, count)
        )
    return made


def _fitting(text: str, one: Chunk, size: ChunkSize, count: Count) -> Iterator[Chunk]:
    """The chunk, halved until it fits; one character that does not fit stays."""
    if one.tokens <= size.tokens or one.end - one.start < 2:
        yield one
        return
    middle = (one.start + one.end) // 2
    for start, end in ((one.start, middle), (middle, one.end)):
        yield from _fitting(text, Chunk(start, end, count(text[start:end])), size, count)


def _splitter(size: ChunkSize, count: Count, *, markdown: bool) -> MarkdownSplitter | TextSplitter:
    try:
        from semantic_text_splitter import MarkdownSplitter, TextSplitter
    except ImportError as error:
        raise MissingDependency(
            "Cutting documents into passages needs `semantic-text-splitter`.",
            hint="pip install 'accordeur[rag]'",
        ) from error
    kind = MarkdownSplitter if markdown else TextSplitter
    return kind.from_callback(count, size.tokens, size.overlap)
