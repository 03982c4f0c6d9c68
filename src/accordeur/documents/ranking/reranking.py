"""A search whose first passages are put in order by a model that reads question and passage
together.

It wraps any other search, so every way of searching can be reranked and none of them knows.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from accordeur.core.errors import ContextOverflow
from accordeur.core.fingerprint import digest
from accordeur.core.model import Reranker
from accordeur.documents.passage import Filter, Found, Ranking, Searchable

DEPTH = 30
"""Passages that are read again."""


@dataclass(frozen=True, slots=True)
class Reread:
    """What a reranker has read so far.

    Attributes:
        passages: that it scored.
        cut: of them, those whose end it did not read.
        left: questions too long for it, whose passages stay in the order they were found in.
    """

    passages: int = 0
    cut: int = 0
    left: int = 0


class Reranked:
    """A `Searchable` over another one.

    Args:
        searchable: finds passages.
        reranker: orders them.
        depth: passages of each question that it reads, more where more are asked for.

    Raises:
        ValueError: the depth is below 1.
    """

    def __init__(self, searchable: Searchable, reranker: Reranker, depth: int = DEPTH) -> None:
        if depth < 1:
            raise ValueError(f"the depth must be at least 1, got {depth}")
        self._searchable = searchable
        self._reranker = reranker
        self._depth = depth
        self._reread = Reread()
        self._lock = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """Hash of what is searched, the reranker and the depth."""
        identity = self._reranker.identity
        return digest([self._searchable.fingerprint, identity.name, identity.digest, self._depth])

    @property
    def reranker(self) -> Reranker:
        """Who orders."""
        return self._reranker

    @property
    def reread(self) -> Reread:
        """What was read since this was made."""
        return self._reread

    def __len__(self) -> int:
        """Passages."""
        return len(self._searchable)

    def search(
        self,
        questions: Sequence[str],
        k: int,
        *,
        ranking: Ranking | None = None,
        where: Filter | None = None,
    ) -> list[list[Found]]:
        """The k best passages of each question by the reranker's score; see `Searchable`.

        Raises:
            ValueError: k is below 1.
            UsageError, ModelError: the search or the reranker cannot do it.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        most = max(k, self._depth)
        found = self._searchable.search(questions, most, ranking=ranking, where=where)
        return [
            self._ordered(question, hits)[:k]
            for question, hits in zip(questions, found, strict=True)
        ]

    def _ordered(self, question: str, found: list[Found]) -> list[Found]:
        """Best first, ties to the lower number."""
        if not found:
            return found
        try:
            relevance = self._reranker.score(question, [one.passage.text for one in found])
        except ContextOverflow:
            self._note(Reread(left=1))
            return found
        self._note(Reread(len(found), relevance.cut))
        scored = [
            replace(one, score=score) for one, score in zip(found, relevance.scores, strict=True)
        ]
        return sorted(scored, key=lambda one: (-one.score, one.passage.number))

    def _note(self, more: Reread) -> None:
        with self._lock:
            now = self._reread
            self._reread = Reread(
                now.passages + more.passages, now.cut + more.cut, now.left + more.left
            )
