"""How good an order is, given the grade of each place in it.

Letters: `gains` are the grades of what was found, best first, 0 for what is not relevant; `ideal`
are the grades of all that is relevant in the collection, in any order. Grades are above 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def ndcg(gains: Sequence[float], ideal: Sequence[float], k: int) -> float:
    """Normalised discounted cumulative gain of the first k.

        DCG@k = Σ_{r=1..k} gain_r / log2(r + 1);  nDCG@k = DCG@k / DCG@k of the best order

    Gains are linear, as in trec_eval's `ndcg_cut`; for grades of 0 and 1 the exponential form is
    the same number.

    Source: K. Järvelin, J. Kekäläinen, Cumulated gain-based evaluation of IR techniques, ACM TOIS
    20 (2002).
    """
    return _dcg(gains, k) / _dcg(sorted(ideal, reverse=True), k)


def _dcg(gains: Sequence[float], k: int) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains[:k], start=1))


def reciprocal_rank(gains: Sequence[float], k: int) -> float:
    """1 / rank of the first relevant one among the first k, 0 where there is none."""
    return next((1.0 / rank for rank, gain in enumerate(gains[:k], start=1) if gain > 0), 0.0)


def hit(gains: Sequence[float], k: int) -> float:
    """1 where any of the first k is relevant, else 0."""
    return float(any(gain > 0 for gain in gains[:k]))


def recall(gains: Sequence[float], ideal: Sequence[float], k: int) -> float:
    """Share of all that is relevant which stands among the first k."""
    return sum(gain > 0 for gain in gains[:k]) / len(ideal)
