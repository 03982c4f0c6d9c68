"""Documents to chunks: as much as one embedding reads, cut where the text itself has its joints.

semantic-text-splitter finds the joints: headings, blocks and items in Markdown, else paragraphs,
sentences, words. Sizes are counted by whoever embeds, so that nothing is cut off unseen. White
space at both ends of a chunk is left out; a chunk is the slice `text[start:end]`, carried from the
splitter and never searched for again.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from accordeur.core.errors import MissingDependency, UsageError
from accordeur.documents.document import Document, Heading

if TYPE_CHECKING:
    from semantic_text_splitter import MarkdownSplitter, TextSplitter

BLOCK = 1_000_000
"""Characters of a text that are cut together."""

Count = Callable[[str], int]
"""Tokens of a text, special ones included."""

SMALLEST = 16
"""Tokens below which a chunk says too little to be worth a vector."""

LONGEST_TOKEN = 20
"""Characters that a token may stand for. Embedders take a word of a thousand letters for one
unknown token; a passage must not grow without end by such words."""

# A sign of Chinese, Japanese or Korean, a part of a word, or a mark.
_WORDS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\\w{1,10}|[^\\w\\s]")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A slice of a document's text.

    Attributes:
        start, end: characters.
        tokens: of it, special ones included.
        headings: titles that its first words stand under, outermost first.
    """

    start: int
    end: int
    tokens: int
    headings: tuple[str, ...] = ()


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
    """Words, long ones by their parts, and punctuation marks: counted where nothing embeds."""
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

    def sized(text: str) -> int:
        return max(count(text), len(text) // LONGEST_TOKEN)

    splitter = _splitter(size, sized, markdown=markdown)
    made: list[Chunk] = []
    for begin, end in _blocks(document.text, document.body):
        for offset, text in splitter.chunk_indices(document.text[begin:end]):
            bare = text.strip()  # Markdown keeps what the first line is indented by
            start = begin + offset + len(text) - len(text.lstrip())
            if bare:
                one = Chunk(start, start + len(bare), sized(bare))
                made.extend(_fitting(document.text, one, size, sized))
    return list(_headed(document, made))


def _blocks(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Stretches that are cut by themselves: a text as it is, a very long one at empty lines (else
    at line ends, else anywhere), since the splitter's time grows faster than a text does."""
    while start < len(text):
        end = start + BLOCK
        if end < len(text):
            half = start + BLOCK // 2
            found = text.rfind("\n\n", half, end)
            found = found if found >= 0 else text.rfind("\n", half, end)
            end = found + 1 if found >= 0 else end
        yield start, min(end, len(text))
        start = end


def _headed(document: Document, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The chunks, in order, with the titles that stand over their first words that are no title."""
    waiting = deque(document.headings)
    stack: list[Heading] = []
    for one in chunks:
        place = one.start
        while waiting and waiting[0].start < one.end:
            if document.text[place : waiting[0].start].strip():
                break
            heading = waiting.popleft()
            while stack and stack[-1].level >= heading.level:
                stack.pop()
            stack.append(heading)
            line = document.text.find("\n", heading.start)
            place = max(place, line if line >= 0 else one.end)
        yield replace(one, headings=tuple(heading.title for heading in stack))


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
