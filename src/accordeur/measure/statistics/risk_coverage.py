"""How wrong answers are when the least certain ones are withheld."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """Answering all rows whose confidence is at least a threshold.

    Attributes:
        threshold: lowest confidence that is answered.
        coverage: share of rows that are answered.
        risk: 1 less the mean score of those.
        n: rows that are answered.
    """

    threshold: float
    coverage: float
    risk: float
    n: int


def risk_coverage(confidence: Sequence[float], score: Sequence[float]) -> list[CoveragePoint]:
    """The curve from the most certain answers to all of them, a point per distinct confidence.

    Args:
        confidence: of each answer.
        score: what it is worth, 0 to 1; of an answer to a row that has none, 0.

    Raises:
        ValueError: lengths differ.

    Source: R. El-Yaniv, Y. Wiener, On the foundations of noise-free selective classification, JMLR
    11 (2010).
    """
    if len(confidence) != len(score):
        raise ValueError(f"{len(confidence)} confidences for {len(score)} scores")
    certain = np.asarray(confidence, dtype=np.float64)
    order = np.argsort(-certain, kind="stable")
    falling = certain[order]
    gained = np.cumsum(np.asarray(score, dtype=np.float64)[order])
    n = len(falling)
    last = [at for at in range(n) if at + 1 == n or falling[at + 1] != falling[at]]
    return [
        CoveragePoint(float(falling[at]), (at + 1) / n, float(1.0 - gained[at] / (at + 1)), at + 1)
        for at in last
    ]


def area_under(points: Sequence[CoveragePoint]) -> float:
    """Mean risk over coverages (AURC), lower is better; each point holds from the one before it.

    Raises:
        ValueError: there is no point.
    """
    if not points:
        raise ValueError("a curve needs a point")
    before, area = 0.0, 0.0
    for one in points:
        area += (one.coverage - before) * one.risk
        before = one.coverage
    return area
