"""Why a file cannot be indexed. It is skipped, counted and named; everything else goes on."""

from __future__ import annotations


class Unreadable(Exception):
    """A file that no text can be had from.

    Args:
        reason: completes "skipped: ...", in words for people.
        lasting: the same bytes will be as unreadable next time, so that nobody need try.
    """

    def __init__(self, reason: str, *, lasting: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting
