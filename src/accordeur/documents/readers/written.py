"""A text put together piece by piece, with breaks between them that never pile up."""

from __future__ import annotations

import re

_SPACES = re.compile(r"[ \t\n\r\f\v]+")
_BREAKS = ("", " ", "\n", "\n\n")


class Written:
    """Text so far. A break waits until something follows, so that none stands at either end."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._waiting = 0  # of _BREAKS
        self._mark = ""  # what stands before the next text

    def add(self, text: str, *, as_is: bool = False) -> None:
        """Add text.

        Args:
            text: white space in it becomes one space, at its ends a break that waits.
            as_is: keep white space, as in `<pre>`.
        """
        if as_is:
            if text:
                self._write(text)
            return
        flat = _SPACES.sub(" ", text)
        if flat.startswith(" "):
            self._wait(1)
        if bare := flat.strip(" "):
            self._write(bare)
            if flat.endswith(" "):
                self._wait(1)

    def mark(self, mark: str) -> None:
        """Put a mark before the next text: a dash before an item, a bar before a cell."""
        if mark.startswith(" "):
            self._waiting = 0
        self._mark += mark

    def end_line(self) -> None:
        """What follows stands on a new line."""
        self._wait(2)
        self._mark = ""

    def end_paragraph(self) -> None:
        """What follows stands behind an empty line; right behind an item's mark, on its line."""
        if not self._mark:
            self._wait(3)

    def next_start(self) -> int:
        """Where the next text will begin."""
        waiting = len(_BREAKS[self._waiting]) if self._length else 0
        return self._length + waiting + len(self._mark)

    def since(self, start: int) -> str:
        """What was written from a position on."""
        behind: list[str] = []
        at = self._length
        for piece in reversed(self._pieces):
            if at <= start:
                break
            behind.append(piece)
            at -= len(piece)
        return "".join(reversed(behind))[max(0, start - at) :]

    def done(self) -> str:
        """The whole text."""
        return "".join(self._pieces)

    def _wait(self, least: int) -> None:
        self._waiting = max(self._waiting, least)

    def _write(self, text: str) -> None:
        before = _BREAKS[self._waiting] if self._length else ""
        piece = f"{before}{self._mark}{text}"
        self._waiting, self._mark = 0, ""
        self._pieces.append(piece)
        self._length += len(piece)
