"""Who waits for an answer: one per HTTP request, passed along to the engine unseen by the parts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Gone(Exception):
    """Nobody waits for this answer any more."""


class Ticket:
    """Whether somebody still waits."""

    def __init__(self) -> None:
        self._gone = threading.Event()

    @property
    def gone(self) -> bool:
        """The client went away."""
        return self._gone.is_set()

    def leave(self) -> None:
        """The client goes away; what was computed for it is dropped."""
        self._gone.set()


_NOBODY = Ticket()
_CURRENT: ContextVar[Ticket] = ContextVar("ticket", default=_NOBODY)


def current() -> Ticket:
    """The ticket of the request that this thread answers."""
    return _CURRENT.get()


def still_wanted() -> None:
    """Look whether anybody waits for what this thread does.

    Raises:
        Gone: nobody does.
    """
    if current().gone:
        raise Gone


@contextmanager
def answering(ticket: Ticket) -> Iterator[None]:
    """What this thread asks of a model is asked for this request."""
    token = _CURRENT.set(ticket)
    try:
        yield
    finally:
        _CURRENT.reset(token)
