"""A place in a document, the unit in which passages, labels and citations are told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` to `end` (exclusive) of a document's text, as its reader gives it.

    Attributes:
        document: name within the collection, a relative POSIX path.
        start: first character, from 0.
        end: behind the last one, above `start`.

    Raises:
        ValueError: the place is empty or begins before the text.
    """

    document: str
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"no place in a text: {self.start} to {self.end}")

    def __len__(self) -> int:
        """Characters."""
        return self.end - self.start

    def overlap(self, other: Span) -> int:
        """Characters that both have."""
        if self.document != other.document:
            return 0
        return max(0, min(self.end, other.end) - max(self.start, other.start))

    def to_json(self) -> dict[str, str | int]:
        """As plain data."""
        return {"document": self.document, "start": self.start, "end": self.end}
