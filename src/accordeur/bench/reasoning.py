"""What the record says of entries that reason or revise: counts of revisions and first errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accordeur.bench.entries import Outcome
from accordeur.core.measurement import Measurement
from accordeur.core.task import Example, Task
from accordeur.measure.metric import Metric
from accordeur.measure.reasoning.first_error import first_errors
from accordeur.measure.reasoning.revisions import revisions


def reasoning_json(
    outcome: Outcome,
    task: Task,
    metric: Metric,
    test: Measurement | None,
    test_rows: Sequence[Example],
) -> dict[str, Any] | None:
    """Every configuration on dev, the best on held-out too; `None` where nothing was traced.

    The placebo of `critique` is its control, so it stands beside it.
    """
    found = []
    for one in (one for one in outcome.scored if one.competes or one.control):
        found.append(_one(one.name, one.measurement, "dev", task, metric, task.dev))
    if outcome.best is not None and test is not None:
        found.append(_one(outcome.best.name, test, "test", task, metric, test_rows))
    told = [one for one in found if one["revisions"] or one["first_errors"]]
    return {"measured": told} if told else None


def _one(
    name: str,
    measurement: Measurement,
    split: str,
    task: Task,
    metric: Metric,
    rows: Sequence[Example],
) -> dict[str, Any]:
    revised = revisions(measurement, rows, metric, task.brief)
    return {
        "configuration": name,
        "split": split,
        "revisions": revised.to_json() if revised else None,
        "first_errors": first_errors(measurement, rows),
    }
