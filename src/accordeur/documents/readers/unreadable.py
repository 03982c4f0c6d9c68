"""Why a file cannot be indexed. It is skipped, counted and named; everything else goes on."""

from __future__ import annotations


class Unreadable(Exception):  # noqa: N818 - it is a finding, not an error of the program
    """A file that no text can be had from.

    Args:
        reason: completes "skipped: ...", in words for people.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
