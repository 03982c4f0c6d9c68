"""How far a build is: a line that redraws itself on a terminal, one now and then in a log."""

from __future__ import annotations

import sys
import time

from accordeur.cli.figures import about
from accordeur.cli.terminal import lively

EVERY = 5.0
"""Seconds between two lines of a log."""

_REDRAW = 0.2
_WORDS = {"reading": "files read", "embedding": "passages embedded"}


class BuildProgress:
    """A `Progress` of `accordeur.documents.index` that says it on stderr."""

    def __init__(self) -> None:
        self._lively = lively()
        self._phase = ""
        self._begun = self._last = time.monotonic()
        self._first = 0
        self._width = 0

    def __call__(self, phase: str, done: int, total: int) -> None:
        """So many of a phase are done."""
        now = time.monotonic()
        if phase != self._phase:
            self._phase, self._begun, self._first = phase, now, done
        if now - self._last < (_REDRAW if self._lively else EVERY) or not total:
            return
        self._last = now
        fresh = done - self._first
        left = (now - self._begun) / fresh * (total - done) if fresh else 0.0
        words = f"{done:,} of {total:,} {_WORDS.get(phase, phase)}"
        self._say(f"{words}, about {about(left)} left" if left else words)

    def clear(self) -> None:
        """Take the line away."""
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
            self._width = 0

    def _say(self, line: str) -> None:
        if not self._lively:
            print(line, file=sys.stderr, flush=True)
            return
        print(f"\r{line.ljust(self._width)}", end="", file=sys.stderr, flush=True)
        self._width = len(line)
