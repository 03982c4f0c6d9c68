"""What `assemble` returns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from accordeur.core.answer import Answer
from accordeur.core.candidate import Candidate
from accordeur.core.model import Batch
from accordeur.core.rendering import Rendered, Request


class Answerer(Protocol):
    """The thing that answers `(messages, fields, documents)`."""

    @property
    def candidate(self) -> Candidate:
        """What it was assembled from."""
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
