"""What a request's thread asks of the engine's thread, and how the answer comes back.

A `Writing` is given its tokens one by one. Everything else is a `Computing`: one function of all
jobs that want the same, so that ten clients who send a text at once are one batch.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from accordeur.models.local.in_flight import Order, Written
from accordeur.models.local.model import LocalModel
from accordeur.serve.ticket import Ticket


@dataclass(eq=False, slots=True)
class Writing:
    """A text to be written.

    Attributes:
        model: writes it.
        order: what is wanted.
        ticket: who waits for it.
    """

    model: LocalModel
    order: Order
    ticket: Ticket
    _said: queue.SimpleQueue[Written | BaseException] = field(default_factory=queue.SimpleQueue)
    _enough: bool = False

    @property
    def gone(self) -> bool:
        """Nobody reads on."""
        return self._enough or self.ticket.gone

    def put(self, said: Written | BaseException) -> None:
        """The engine's end."""
        self._said.put(said)

    def enough(self) -> None:
        """The reader has what it wants, such as text up to a stop sequence."""
        self._enough = True

    def written(self) -> Iterator[Written]:
        """The tokens as they come.

        Raises:
            Gone: the client went away.
            Exception: what went wrong in the engine.
        """
        while True:
            said = self._said.get()
            if isinstance(said, BaseException):
                raise said
            yield said
            if said.last:
                return


@dataclass(eq=False, slots=True)
class Computing:
    """One item of a batch that is computed whole.

    Attributes:
        key: items with the same key are computed together.
        item: what is computed.
        compute: from the items of one key to their results, in order.
        ticket: who waits for it.
        tokens: about how many it takes.
    """

    key: Hashable
    item: Any
    compute: Callable[[Sequence[Any]], Sequence[Any]]
    ticket: Ticket
    tokens: int = 128
    _future: Future[Any] = field(default_factory=Future)

    @property
    def gone(self) -> bool:
        """Nobody waits."""
        return self.ticket.gone

    def put(self, result: Any) -> None:
        """The engine's end; an exception is raised at the other."""
        if isinstance(result, BaseException):
            self._future.set_exception(result)
        else:
            self._future.set_result(result)

    def result(self) -> Any:
        """Wait for it.

        Raises:
            Gone: the client went away.
            Exception: what went wrong in the engine.
        """
        return self._future.result()


Job = Writing | Computing
