"""Risk against coverage: how often answers are wrong when only the surest are given.

Questions are ordered by how sure the answer is. At coverage c the surest c of them are answered;
the risk is the share of these that is wrong. A question that the documents do not answer counts as
wrong whenever it is answered. The area under the curve is the mean risk over all coverages.

R. El-Yaniv, Y. Wiener, On the Foundations of Noise-free Selective Classification, JMLR 2010.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.core.measurement import Interval
from accordeur.measure.statistics import wilson


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """One place on the curve.

    Attributes:
        threshold: answers at least as sure as this are given.
        answered: how many.
        n: of how many questions.
        wrong: of those answered; parts of a point count in part.
        interval: of the risk, Wilson's with wrong answers rounded.
    """

    threshold: float
    answered: int
    n: int
    wrong: float
    interval: Interval

    @property
    def coverage(self) -> float:
        """Share of questions that are answered."""
        return self.answered / self.n

    @property
    def risk(self) -> float:
        """Share of the answered that is wrong."""
        return self.wrong / self.answered

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "threshold": self.threshold,
            "answered": self.answered,
            "n": self.n,
            "coverage": self.coverage,
            "risk": self.risk,
            "interval": self.interval.to_json(),
        }


def risk_coverage(sure: Sequence[float], right: Sequence[float]) -> list[CoveragePoint]:
    """The curve, from the surest answer to all; answers that are equally sure come together.

    Args:
        sure: of each answer, any scale, higher is surer.
        right: its score, 0 to 1.

    Raises:
        ValueError: not as many of one as of the other.
    """
    pairs = sorted(zip(sure, right, strict=True), key=lambda one: -one[0])
    points = []
    wrong = 0.0
    for answered, (threshold, score) in enumerate(pairs, start=1):
        wrong += 1.0 - score
        if answered < len(pairs) and pairs[answered][0] == threshold:
            continue
        spread = wilson(round(wrong), answered)
        interval = Interval(spread.low, spread.high, spread.level)
        points.append(CoveragePoint(threshold, answered, len(pairs), wrong, interval))
    return points


def area(points: Sequence[CoveragePoint]) -> float:
    """Mean risk over coverages 1/n to 1; between two points the risk of the later one holds.

    Raises:
        ValueError: there is no point.
    """
    if not points:
        raise ValueError("a curve without points has no area")
    total, before = 0.0, 0
    for one in points:
        total += one.risk * (one.answered - before)
        before = one.answered
    return total / before
