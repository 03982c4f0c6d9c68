"""Retrieval scores over questions, each with its n and a group-bootstrap interval.

Questions that nothing answers (no gold) have no retrieval score; they are left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.core.measurement import Interval
from accordeur.core.span import Span
from accordeur.measure.retrieval.ranks import hit, ndcg, recall, reciprocal_rank
from accordeur.measure.retrieval.spans import relevant, span_precision, span_recall
from accordeur.measure.statistics import Interval as Spread
from accordeur.measure.statistics import group_bootstrap, paired_difference_interval

CUTS = (1, 3, 5, 10)
"""k of span-recall, span precision, hit and recall, where none are given."""

DEPTH = 10
"""Cut of nDCG and of reciprocal ranks."""

Values = Mapping[str, float]
"""Measure -> value, of one question."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a search found for one question whose answer's places are known.

    Attributes:
        group: questions never separated, such as those over one article.
        gold: places of the answer; empty where the documents do not answer.
        found: passages, best first.
        relevant: passages of the whole index that share a character with gold (`Places`).
    """

    group: str
    gold: tuple[Span, ...]
    found: tuple[Span, ...]
    relevant: int


@dataclass(frozen=True, slots=True)
class RetrievalScore:
    """A mean over questions, or a difference of two.

    Attributes:
        value: 0 to 1, higher is better; a difference may be negative.
        n: questions that have gold.
        groups: of questions; with fewer than about twenty the interval says little.
        left_out: questions without gold.
        interval: percentile group bootstrap; `None` for a single group.
        seed: of the bootstrap.
    """

    value: float
    n: int
    groups: int
    left_out: int
    interval: Interval | None
    seed: int

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        data = {name: getattr(self, name) for name in self.__slots__}
        return {**data, "interval": self.interval.to_json() if self.interval else None}


def span_values(one: Judged, cuts: Sequence[int] = CUTS, depth: int = DEPTH) -> Values | None:
    """All measures of one question; `None` where it has no gold.

    A question whose gold no passage holds (an index that lost it) scores 0 everywhere.

    Returns:
        `span_recall@k` and `span_precision@k` in characters; `hit@k`, `ndcg@10` and `mrr@10` over
        passages, relevant or not.
    """
    if not one.gold:
        return None
    gains = [float(relevant(one.gold, passage)) for passage in one.found]
    values = {}
    for k in cuts:
        values[f"span_recall@{k}"] = span_recall(one.gold, one.found, k)
        values[f"span_precision@{k}"] = span_precision(one.gold, one.found, k)
        values[f"hit@{k}"] = hit(gains, k)
    values[f"ndcg@{depth}"] = ndcg(gains, [1.0] * one.relevant, depth) if one.relevant else 0.0
    values[f"mrr@{depth}"] = reciprocal_rank(gains, depth)
    return values


def rank_values(
    found: Sequence[str],
    grades: Mapping[str, int],
    cuts: Sequence[int] = CUTS,
    depth: int = DEPTH,
) -> Values | None:
    """All measures of one question whose documents are judged whole; `None` where none is relevant.

    Args:
        found: ids, best first, each once.
        grades: id -> grade (TREC qrels); relevant above 0, what is not listed is not relevant.

    Returns:
        `recall@k`, `hit@k`, `ndcg@10` and `mrr@10`.

    Raises:
        ValueError: an id was found twice.
    """
    if len(set(found)) != len(found):
        raise ValueError("an id was found twice")
    ideal = [float(grade) for grade in grades.values() if grade > 0]
    if not ideal:
        return None
    gains = [float(max(0, grades.get(one, 0))) for one in found]
    values = {}
    for k in cuts:
        values[f"recall@{k}"] = recall(gains, ideal, k)
        values[f"hit@{k}"] = hit(gains, k)
    values[f"ndcg@{depth}"] = ndcg(gains, ideal, depth)
    values[f"mrr@{depth}"] = reciprocal_rank(gains, depth)
    return values


def retrieval_scores(
    values: Sequence[Values | None], groups: Sequence[str], *, seed: int
) -> dict[str, RetrievalScore]:
    """The mean of every measure; empty when no question has gold.

    Args:
        values: one entry per question, as `span_values` or `rank_values` give it.
        groups: group of each question.

    Raises:
        ValueError: not as many groups as questions, or questions with different measures.
    """
    kept = [(one, group) for one, group in zip(values, groups, strict=True) if one is not None]
    of = [group for _, group in kept]
    found = {}
    for name in _names([one for one, _ in kept]):
        column = [one[name] for one, _ in kept]
        spread = group_bootstrap(column, of, seed=seed)
        found[name] = _score(_mean(column), spread, of, len(values) - len(kept), seed)
    return found


def retrieval_difference(
    a: Sequence[Values | None], b: Sequence[Values | None], groups: Sequence[str], *, seed: int
) -> dict[str, RetrievalScore]:
    """Mean of a less mean of b for every measure, over the same questions in the same order.

    Raises:
        ValueError: lengths differ, or a question has gold on one side alone.
    """
    if [one is None for one in a] != [one is None for one in b]:
        raise ValueError("the two sides must be the same questions in the same order")
    kept = [
        (one, other, group)
        for one, other, group in zip(a, b, groups, strict=True)
        if one is not None and other is not None
    ]
    names = _names([one for pair in kept for one in pair[:2]])
    of = [group for _, _, group in kept]
    found = {}
    for name in names:
        left = [one[name] for one, _, _ in kept]
        right = [other[name] for _, other, _ in kept]
        spread = paired_difference_interval(left, right, of, seed=seed)
        found[name] = _score(_mean(left) - _mean(right), spread, of, len(a) - len(kept), seed)
    return found


def _names(values: Sequence[Values]) -> list[str]:
    if not values:
        return []
    if any(one.keys() != values[0].keys() for one in values):
        raise ValueError("questions have different measures")
    return list(values[0])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _score(
    value: float, spread: Spread | None, groups: Sequence[str], left_out: int, seed: int
) -> RetrievalScore:
    interval = Interval(spread.low, spread.high, method="group bootstrap") if spread else None
    return RetrievalScore(value, len(groups), len(set(groups)), left_out, interval, seed)
