"""How far a candidate's label probabilities are from what happens (DESIGN P6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from accordeur.core.measurement import Interval, Measurement
from accordeur.core.task import Example
from accordeur.measure.statistics import (
    brier_score,
    brier_scores,
    calibration_gap,
    expected_calibration_error,
    group_bootstrap,
    top_label,
)


@dataclass(frozen=True, slots=True)
class ProbabilityScore:
    """One number made from probabilities.

    Attributes:
        value: lower is better.
        n: rows that have probabilities.
        interval: group bootstrap; `None` for a single group. That of ECE leans upwards, as ECE
            itself does at few rows: compare at equal n.
    """

    value: float
    n: int
    interval: Interval | None

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        interval = self.interval.to_json() if self.interval else None
        return {"value": self.value, "n": self.n, "interval": interval}


def probability_scores(
    one: Measurement, examples: Sequence[Example], labels: Sequence[str]
) -> dict[str, ProbabilityScore]:
    """`ece` and `brier` over the rows that count and have probabilities; empty without any.

    Args:
        examples: rows of the split, in its order.
        labels: names, in the order of the probabilities.
    """
    place = {name: index for index, name in enumerate(labels)}
    table, gold, groups = [], [], []
    for index in one.kept:
        answer, example = one.rows[index].answer, examples[index]
        if answer.probabilities and example.expected and example.expected[0] in place:
            table.append(answer.probabilities)
            gold.append(place[example.expected[0]])
            groups.append(example.group)
    if not table:
        return {}
    p = np.array(table, dtype=np.float64)
    # Floors store rounded float32 sums; rows are made to sum to 1 again.
    p /= p.sum(axis=1, keepdims=True)
    right = np.array(gold)
    found = {
        "ece": (
            expected_calibration_error(p, right),
            group_bootstrap(top_label(p, right), groups, calibration_gap, seed=one.seed),
        ),
        "brier": (
            brier_score(p, right),
            group_bootstrap(brier_scores(p, right), groups, seed=one.seed),
        ),
    }
    return {
        name: ProbabilityScore(
            value,
            len(p),
            Interval(spread.low, spread.high, method="group bootstrap") if spread else None,
        )
        for name, (value, spread) in found.items()
    }
