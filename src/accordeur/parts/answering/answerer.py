"""What `assemble` returns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol, runtime_checkable

from accordeur.core.answer import Answer
from accordeur.core.candidate import Candidate
from accordeur.core.model import Batch, Model, Pieces
from accordeur.core.rendering import Rendered, Request


class Answerer(Protocol):
    """The thing that answers `(messages, fields, documents)`."""

    @property
    def candidate(self) -> Candidate:
        """What it was assembled from."""
        ...

    @property
    def model(self) -> Model | None:
        """The language model that is asked, with what training added; `None` without one."""
        ...

    def answer(
        self, requests: Sequence[Request], *, done: Collection[int] = ()
    ) -> Iterator[Batch[Answer]]:
        """Answers, batch by batch; batches whose rows are all in `done` are skipped."""
        ...

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """What the language model would see; empty for candidates without one."""
        ...

    def forget(self) -> None:
        """Drop whatever earlier requests left in memory, so that the next one is cold."""
        ...


@runtime_checkable
class StreamingAnswerer(Answerer, Protocol):
    """An answerer whose answer is one text of the model, which can be had piece by piece."""

    def stream(self, request: Request, *, again: int = 0) -> Pieces:
        """The text as the model writes it, nothing extracted; never from the cache.

        Args:
            request: what is asked.
            again: how often it was answered before; a sampled answer then differs.
        """
        ...
