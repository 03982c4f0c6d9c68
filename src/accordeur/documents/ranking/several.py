"""A question that is searched for in several wordings: one list of what all of them find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from accordeur.documents.passage import Filter, Found, Ranking, Searchable
from accordeur.documents.ranking.fusion import best, reciprocal_ranks

DEPTH = 30
"""Passages that each wording puts forward."""


def search_several(
    searchable: Searchable,
    asked: Sequence[Sequence[str]],
    k: int,
    *,
    ranking: Ranking | None = None,
    where: Filter | None = None,
) -> list[list[Found]]:
    """The k best passages of each question.

    A question with one wording is searched as ever. The lists of several are joined by reciprocal
    ranks, and the score of what is found is that of the joined list.

    Args:
        searchable: is asked once, for all wordings of all questions.
        asked: wordings of each question, at least one each.
        k: at least 1.
        ranking: of every list; the index's own where it is not given.
        where: which documents.
    """
    deep = max(k, DEPTH) if any(len(wordings) > 1 for wordings in asked) else k
    texts = [text for wordings in asked for text in wordings]
    found = iter(searchable.search(texts, deep, ranking=ranking, where=where) if texts else ())
    lists = [[next(found) for _ in wordings] for wordings in asked]
    return [one[0][:k] if len(one) == 1 else _joined(one, k) for one in lists]


def _joined(lists: Sequence[Sequence[Found]], k: int) -> list[Found]:
    known: dict[int, Found] = {}
    for one in (hit for found in lists for hit in found):
        before = known.setdefault(one.passage.number, one)
        known[one.passage.number] = replace(
            before,
            lexical=_higher(before.lexical, one.lexical),
            dense=_higher(before.dense, one.dense),
        )
    ranks = reciprocal_ranks(*([one.passage.number for one in found] for found in lists))
    return [replace(known[number], score=score) for number, score in best(ranks, k)]


def _higher(one: float | None, other: float | None) -> float | None:
    known = [score for score in (one, other) if score is not None]
    return max(known, default=None)
