"""Where a quote is opened: a line of a text file, a page of a PDF, or the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from accordeur.core.span import Span

_LARGEST = 50_000_000
"""Bytes of a file that is read to find a line."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file.

    Attributes:
        path: the file, absolute.
        line: from 1, where the file holds the quote as it is.
        page: from 1, where it has pages.
    """

    path: Path
    line: int | None = None
    page: int | None = None

    @property
    def uri(self) -> str:
        """`file://`, with the page where there is one; no reader agrees on lines."""
        page = f"#page={self.page}" if self.page is not None else ""
        return f"{self.path.as_uri()}{page}"


def place_of(path: Path, span: Span, quote: str, page: int | None = None) -> Place:
    """Where a quote is opened.

    A line is told only where the file itself has the quote's characters: at the place that the
    index knows, or, where the reader left something out before it, once in the whole file.

    Args:
        path: the file, absolute; it need not be there any more.
        span: of the quote, in the text that the reader made of the file.
        quote: the text there.
        page: of the quote.
    """
    if page is not None:
        return Place(path, page=page)
    try:
        if path.stat().st_size > _LARGEST:
            return Place(path)
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return Place(path)
    at = span.start if text.startswith(quote, span.start) else text.find(quote)
    if at < 0 or (at != span.start and text.find(quote, at + 1) >= 0):
        return Place(path)
    return Place(path, line=text.count("\n", 0, at) + 1)
