"""A search over a list of passages that are all in memory: small collections, and tests."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence

import numpy as np

from accordeur.core.fingerprint import digest, digest_bytes
from accordeur.core.model import FloatArray
from accordeur.documents.filtering import fits
from accordeur.documents.passage import Filter, Found, Passage, Ranking
from accordeur.documents.ranking.expression import match_expression
from accordeur.documents.ranking.order import (
    NO_SCORES,
    Scores,
    asks_vectors,
    asks_words,
    candidates,
    check_ranking,
    found,
)
from accordeur.documents.vectors import VectorIndex

Embed = Callable[[Sequence[str]], FloatArray]

TOKENIZER = "porter unicode61"
"""How FTS5 takes text apart: words of any script, accents and case folded, English stems."""


class PassageList:
    """A `Searchable` over passages.

    Args:
        passages: numbered from 0 in their order.
        vectors: float32 [passages, d], one each, of unit length; without them only words are
            looked up, and that is the ranking where none is given.
        embed: makes the vectors of questions, in the space of `vectors`; needed with them.
        embedder: name and digest of what embeds, for the fingerprint.
        ranking: where a search gives none.

    Raises:
        ValueError: numbers that are not their places, not as many vectors as passages, or only one
            of `vectors` and `embed`.
        UsageError: the ranking cannot be done with what is given.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        vectors: FloatArray | None = None,
        embed: Embed | None = None,
        *,
        embedder: str = "",
        ranking: Ranking | None = None,
    ) -> None:
        if [one.number for one in passages] != list(range(len(passages))):
            raise ValueError("passages must be numbered from 0 in their order")
        if (vectors is None) != (embed is None):
            raise ValueError("`vectors` and `embed` go together")
        if vectors is not None and len(vectors) != len(passages):
            raise ValueError(f"{len(vectors)} vectors for {len(passages)} passages")
        self.passages = tuple(passages)
        self.ranking = ranking or Ranking("lexical" if vectors is None else "fusion")
        check_ranking(self.ranking, vectors=vectors is not None)
        self._embed = embed
        self._vectors = None if vectors is None else VectorIndex(vectors)
        self._embedder = embedder
        self._lock = threading.Lock()  # one connection serves every thread
        self._words = sqlite3.connect(":memory:", check_same_thread=False)
        self._words.execute(
            f"CREATE VIRTUAL TABLE passage_words USING fts5(text, tokenize='{TOKENIZER}')"
        )
        self._words.executemany(
            "INSERT INTO passage_words(rowid, text) VALUES (?, ?)",
            ((one.number, one.text) for one in passages),
        )

    @property
    def fingerprint(self) -> str:
        """Hash of passages, vectors, embedder and ranking."""
        texts = [[one.span.to_json(), one.text, dict(one.metadata)] for one in self.passages]
        vectors = None if self._vectors is None else digest_bytes(self._vectors.vectors.tobytes())
        how = [self.ranking.mode, self.ranking.weight, self.ranking.depth]
        return digest([texts, vectors, self._embedder, how])

    def __len__(self) -> int:
        """Passages."""
        return len(self.passages)

    def search(
        self,
        questions: Sequence[str],
        k: int,
        *,
        ranking: Ranking | None = None,
        where: Filter | None = None,
    ) -> list[list[Found]]:
        """The k best passages of each question; see `Searchable`.

        Raises:
            ValueError: k is below 1.
            UsageError: the ranking cannot be done.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        how = ranking or self.ranking
        check_ranking(how, vectors=self._vectors is not None)
        among = self._among(where or Filter())
        n = candidates(how, k)
        nothing = [NO_SCORES] * len(questions)
        lexical = self._by_words(questions, n, among) if asks_words(how) else nothing
        dense = self._by_vectors(questions, n, among) if asks_vectors(how) else nothing
        return [
            found(how, k, words, vectors, self.passages.__getitem__)
            for words, vectors in zip(lexical, dense, strict=True)
        ]

    def _among(self, where: Filter) -> list[int]:
        """Numbers of the passages that may be found."""
        return [one.number for one in self.passages if fits(where, one.span.document, one.metadata)]

    def _by_words(self, questions: Sequence[str], n: int, among: list[int]) -> list[Scores]:
        with self._lock:
            self._words.execute("CREATE TEMP TABLE IF NOT EXISTS among(number INTEGER PRIMARY KEY)")
            self._words.execute("DELETE FROM among")
            self._words.executemany("INSERT INTO among VALUES (?)", ((one,) for one in among))
            return [self._asked(match_expression(question), n) for question in questions]

    def _asked(self, expression: str, n: int) -> Scores:
        """FTS5's `bm25` is lower for the better.

        The plus keeps SQLite from looking every number up in the words: a hundred times slower.
        """
        if not expression:
            return NO_SCORES
        rows = self._words.execute(
            "SELECT rowid, -bm25(passage_words) AS score FROM passage_words"
            " WHERE passage_words MATCH ? AND +rowid IN (SELECT number FROM among)"
            " ORDER BY score DESC, rowid LIMIT ?",
            (expression, n),
        )
        return dict(rows.fetchall())

    def _by_vectors(self, questions: Sequence[str], n: int, among: list[int]) -> list[Scores]:
        assert self._vectors is not None
        assert self._embed is not None
        if not questions or not among:
            return [NO_SCORES] * len(questions)
        only = np.asarray(among, dtype=np.intp)
        found = self._vectors.search(self._embed(questions), n, only=only)
        return [
            dict(zip(row.tolist(), scores.tolist(), strict=True))
            for row, scores in zip(*found, strict=True)
        ]
