"""A model's text made safe to look at, piece by piece."""

from __future__ import annotations

from accordeur.cli.terminal import safe


class SafeStream:
    r"""The pieces of a text, escaped so that together they are the escaped text.

    Escaping goes letter by letter, so a control sequence split over pieces does not get through.
    Only `\r\n` is one thing of two letters: a `\r` at the end of a piece waits for the next.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be shown after this piece."""
        text = self._held + piece
        self._held = "\r" if text.endswith("\r") else ""
        return safe(text.removesuffix("\r"))

    def end(self) -> str:
        """What is left."""
        held, self._held = self._held, ""
        return safe(held)
