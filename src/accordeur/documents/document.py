"""A document as its reader gives it: the text that spans count in, and what is known of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Heading:
    """A title within a text.

    Attributes:
        start: its first character.
        level: 1 is the outermost.
        title: on one line.
    """

    start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader makes of a file.

    Attributes:
        name: within the collection, a relative POSIX path.
        text: THE text; spans, passages and citations count its characters.
        body: where passages begin; what stands before (front matter) is text, but not searched.
        pages: start of each page in order, from page 1; empty where there are none.
        headings: in order.
        metadata: such as `title`, `author`, `date`, `tags` (separated by commas).
        notes: what was odd but usable, for people.
    """

    name: str
    text: str
    body: int = 0
    pages: tuple[int, ...] = ()
    headings: tuple[Heading, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def page(self, position: int) -> int | None:
        """The page of a character, from 1; `None` where there are no pages."""
        return max(1, bisect_right(self.pages, position)) if self.pages else None

    def under(self, position: int) -> tuple[str, ...]:
        """Titles that a character stands under, outermost first."""
        stack: list[Heading] = []
        starts = [heading.start for heading in self.headings]
        for heading in self.headings[: bisect_right(starts, position)]:
            while stack and stack[-1].level >= heading.level:
                stack.pop()
            stack.append(heading)
        return tuple(heading.title for heading in stack)
