"""Two candidates on the same rows: difference, interval, test (DESIGN P6, P7.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.core.measurement import Interval, Measurement
from accordeur.core.task import Example, TaskBrief
from accordeur.measure.metric import Metric, SetStatistic
from accordeur.measure.statistics import (
    detectable_rate_difference,
    detectable_score_difference,
    discordance,
    mcnemar,
    paired_difference_interval,
    paired_difference_standard_error,
    paired_permutation,
    rows_to_detect_rate_difference,
    rows_to_detect_score_difference,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """a against b on the same rows.

    Attributes:
        difference: metric of a less metric of b.
        interval: 95 %, paired group bootstrap; `None` for a single group.
        b, c: rows only a, only b gets right; `None` unless the metric is a rate.
        test, p: the paired test and its two-sided p; `None` when none was made.
        n: rows both were scored on.
    """

    difference: float
    interval: Interval | None
    n: int
    b: int | None = None
    c: int | None = None
    test: str = ""
    p: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "difference": self.difference,
            "interval": self.interval.to_json() if self.interval else None,
            "n": self.n,
            "b": self.b,
            "c": self.c,
            "test": self.test,
            "p": self.p,
        }


class Rows:
    """Rows on which every candidate of a comparison has a score, with the metric over them."""

    def __init__(
        self,
        measurements: Sequence[Measurement],
        examples: Sequence[Example],
        metric: Metric,
        task: TaskBrief,
    ) -> None:
        self.kept = [
            index
            for index in range(len(examples))
            if all(one.rows[index].score is not None for one in measurements)
        ]
        self.examples = [examples[index] for index in self.kept]
        self.groups = [one.group for one in self.examples]
        self.metric = metric
        self.task = task
        self.grouped = len(set(self.groups)) < len(self.groups)

    def __len__(self) -> int:
        return len(self.kept)

    def scores(self, one: Measurement) -> npt.NDArray[np.float64]:
        """Per-row scores of one candidate, float64 [rows]."""
        return np.array([one.rows[index].score for index in self.kept], dtype=np.float64)

    def over(self, *many: Measurement) -> SetStatistic | None:
        """The set-level metric over the answers of several candidates, one after another."""
        answers = [one.rows[index].answer for one in many for index in self.kept]
        return self.metric.over(answers, self.examples * len(many), self.task)


def compare(rows: Rows, a: Measurement, b: Measurement, *, seed: int, test: bool = False) -> Pair:
    """Compare two candidates; with `test`, also the paired test of the protocol.

    Rates over ungrouped rows: exact McNemar. Anything else: paired permutation that swaps whole
    groups.

    Raises:
        ValueError: no common rows.
    """
    if not len(rows):
        raise ValueError("a comparison needs at least one common row")
    first, second = rows.scores(a), rows.scores(b)
    over = rows.over(a, b)
    n = len(rows)
    if over is None:
        difference = float(first.mean() - second.mean())
        found = paired_difference_interval(first, second, rows.groups, seed=seed)
    else:
        places = np.arange(n)
        difference = float(over(places) - over(places + n))
        found = paired_difference_interval(places, places + n, rows.groups, over, seed=seed)
    interval = Interval(found.low, found.high, method="group bootstrap") if found else None
    only_a = only_b = None
    name, p = "", None
    if over is None and rows.metric.rate:
        only_a = int(((first == 1) & (second == 0)).sum())
        only_b = int(((first == 0) & (second == 1)).sum())
    if test:
        if only_a is not None and only_b is not None and not rows.grouped:
            name, p = "exact McNemar", mcnemar(only_a, only_b)
        elif over is None:
            name = "paired permutation"
            p = paired_permutation(first, second, rows.groups, seed=seed).p
        else:
            name = "paired permutation"
            places = np.arange(n)
            p = paired_permutation(places, places + n, rows.groups, over, seed=seed).p
    return Pair(difference, interval, n, only_a, only_b, name, p)


def resolution(
    rows: Rows, a: Measurement, b: Measurement, gap: float, *, seed: int
) -> tuple[float | None, int | None]:
    """The smallest difference these rows can see, and rows needed to settle a gap (P7.4)."""
    pair = compare(rows, a, b, seed=seed)
    if pair.b is not None and pair.c is not None and not rows.grouped:
        share = discordance(pair.b, pair.c, pair.n)
        needed = rows_to_detect_rate_difference(gap, share) if gap else None
        return detectable_rate_difference(pair.n, share), needed
    over = rows.over(a, b)
    if over is None:
        error = paired_difference_standard_error(
            rows.scores(a), rows.scores(b), rows.groups, seed=seed
        )
    else:
        places = np.arange(pair.n)
        error = paired_difference_standard_error(
            places, places + pair.n, rows.groups, over, seed=seed
        )
    if not error:  # no spread at all: identical answers
        return None, None
    return (
        detectable_score_difference(error),
        rows_to_detect_score_difference(gap, error, pair.n),
    )
