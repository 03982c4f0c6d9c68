"""Breaks lines between words, while a text comes in pieces."""

from __future__ import annotations

import re

_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef"
"""Scripts without spaces: a line may break at every letter."""

_PARTS = re.compile(rf"\n|[^\S\n]+|[{_WIDE}]|[^\s{_WIDE}]+")


class WordWrap:
    """Lines of a terminal that end between words. A word longer than a line is left to it.

    Args:
        width: columns; 0 leaves lines as they are.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._column = 0
        self._space = ""
        self._word = ""

    def feed(self, text: str) -> str:
        """What can be shown after this piece: all but a word that may go on."""
        if not self._width:
            return text
        shown = ""
        for part in _PARTS.findall(text):
            if re.fullmatch(f"[{_WIDE}]", part):
                shown += self._placed()
                self._word = part
                shown += self._placed()
                continue
            if not part.isspace():
                self._word += part
                continue
            shown += self._placed()
            if part == "\n":
                shown += self._space + "\n"
                self._column, self._space = 0, ""
            else:
                self._space += part
        return shown

    def end(self) -> str:
        """What is left."""
        shown = self._placed() + self._space
        self._column, self._space = 0, ""
        return shown

    def _placed(self) -> str:
        """The word with the space before it, or on a new line in its place."""
        if not self._word:
            return ""
        from rich.cells import cell_len

        word, space = self._word, self._space
        self._word = self._space = ""
        width, gap = cell_len(word), cell_len(space)
        if self._column and self._column + gap + width > self._width:
            self._column = width
            return "\n" + word
        self._column += gap + width
        return space + word
