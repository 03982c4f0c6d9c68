"""Which passages each rung shows, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accordeur.core.span import Span
from accordeur.documents.passage import Found, Passage
from accordeur.measure.retrieval.spans import Places, relevant, span_recall

CLOSED, GOLD, BEST, REAL, DISTRACTORS = RUNGS = (
    "closed book",
    "gold passage",
    "best retriever",
    "real retriever",
    "distractors",
)
"""In the order in which they are told."""

FIRST = (CLOSED, GOLD, REAL, DISTRACTORS, BEST)
"""In the order in which they are measured: what says most comes first, the clock may end it."""

Rows = Sequence[Sequence[Found]]
"""Passages of every row, best first."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What rankings found for the rows.

    Attributes:
        found: by the name of the search, at least `depth` deep where there is so much; the one in
            use first.
        k: passages in use.
        gold: where each row's answer stands.
    """

    found: Mapping[str, Rows]
    k: int
    gold: Sequence[Sequence[Span]]

    @property
    def real(self) -> Rows:
        """Of the search in use."""
        return next(iter(self.found.values()))


def shown_at(rung: str, searched: Searched, passages: Sequence[Passage]) -> Rows:
    """What a rung shows.

    Args:
        rung: of `RUNGS`, all but the closed book.
        searched: what was found.
        passages: all there are.
    """
    if rung == GOLD:
        return _gold(searched, passages)
    pairs = zip(searched.real, searched.gold, strict=True)
    if rung == DISTRACTORS:
        return [_without(found, gold)[: searched.k] for found, gold in pairs]
    if rung == REAL:
        return [found[: searched.k] for found in searched.real]
    return [_best(searched, row) for row in range(len(searched.gold))]


def _gold(searched: Searched, passages: Sequence[Passage]) -> Rows:
    """The passages with most of the answer first, then by place."""
    places = Places(one.span for one in passages)
    by_span = {one.span: one for one in passages}
    rows = []
    for gold in searched.gold:
        spans = sorted(
            places.relevant(gold), key=lambda span: (-sum(map(span.overlap, gold)), span)
        )
        rows.append([Found(by_span[span], 1.0) for span in spans])
    return rows


def _without(found: Sequence[Found], gold: Sequence[Span]) -> list[Found]:
    return [one for one in found if not relevant(gold, one.passage.span)]


def _best(searched: Searched, row: int) -> Sequence[Found]:
    """The first k of the ranking that holds most of this row's answer; the one in use on a tie."""
    gold, k = searched.gold[row], searched.k
    sets = [rows[row][:k] for rows in searched.found.values()]
    return max(sets, key=lambda found: span_recall(gold, [one.passage.span for one in found], k))
