"""ECE and Brier score of a measurement carry their rows and an interval."""

from __future__ import annotations

import numpy as np
import pytest

from accordeur.core.answer import Answer, Status
from accordeur.core.measurement import Measurement, RowResult
from accordeur.core.task import Example
from accordeur.measure.probability_scores import probability_scores
from accordeur.measure.statistics import brier_score, expected_calibration_error, group_bootstrap

LABELS = ("yes", "no")


def measured(
    p: list[tuple[float, float] | None], kept: range | None = None
) -> tuple[Measurement, list[Example]]:
    """Answers with these probabilities to rows that are `yes` and `no` by turns."""
    examples = [Example(f"r{i}", "t", (LABELS[i % 2],), f"g{i // 2}") for i in range(len(p))]
    rows = [
        RowResult(one.id, one.group, Answer("yes", Status.OK, "yes", None, q), 1.0)
        for one, q in zip(examples, p, strict=True)
    ]
    places = tuple(kept if kept is not None else range(len(p)))
    return Measurement("c", "dev", "accuracy", rows, places, 1.0, None, 7), examples


def test_they_are_the_statistics_over_the_rows_with_their_group_bootstrap() -> None:
    p = np.random.default_rng(0).dirichlet((1, 1), size=80)
    one, examples = measured([(float(a), float(b)) for a, b in p])
    found = probability_scores(one, examples, LABELS)
    gold = np.arange(80) % 2
    assert found["ece"].value == pytest.approx(expected_calibration_error(p, gold))
    assert found["brier"].value == pytest.approx(brier_score(p, gold))
    assert {score.n for score in found.values()} == {80}
    per_row = [brier_score(p[i : i + 1], gold[i : i + 1]) for i in range(80)]
    spread = group_bootstrap(per_row, [row.group for row in one.rows], seed=7)
    assert spread is not None
    assert found["brier"].interval is not None
    assert found["brier"].interval.low == pytest.approx(spread.low)
    assert found["brier"].interval.high == pytest.approx(spread.high)
    assert found["ece"].interval is not None
    assert found["ece"].interval.low < found["ece"].interval.high


def test_only_rows_that_count_and_have_probabilities_are_used() -> None:
    one, examples = measured([(1.0, 0.0), (0.0, 1.0), None, (0.0, 1.0)], range(3))
    found = probability_scores(one, examples, LABELS)
    assert (found["brier"].n, found["brier"].value) == (2, 0.0)
    assert found["brier"].interval is None, "a single group says nothing of how groups vary"
    assert probability_scores(*measured([None, None]), LABELS) == {}
