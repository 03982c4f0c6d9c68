"""Rows lost to errors: missing for one candidate, they count for none (DESIGN P6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from accordeur.bench.entries import Outcome
from accordeur.core.measurement import Measurement
from accordeur.core.task import Example, TaskBrief
from accordeur.measure.harness import summarise
from accordeur.measure.metric import Metric

MOST_MISSING = 0.02
"""Share of rows that may be missing before the verdict is blocked."""


def lost_rows(measurements: Sequence[Measurement]) -> frozenset[int]:
    """Places of the rows that some candidate has no score for."""
    return frozenset(
        place for one in measurements for place, row in enumerate(one.rows) if row.score is None
    )


def dev_measurements(outcomes: Sequence[Outcome]) -> list[Measurement]:
    """Every configuration that competes, of entries that ran to their end.

    An entry that lost all its rows is one of them: an endpoint that went away must not hand the
    verdict to what needs no endpoint.
    """
    return [
        one.measurement
        for entry in outcomes
        if entry.status == "finished"
        for one in entry.competing
    ]


def too_many(lost: int, rows: int) -> bool:
    """Whether so many lost rows block the verdict."""
    return lost > MOST_MISSING * rows


def dev_on_common_rows(
    outcomes: Sequence[Outcome], dev: Sequence[Example], metric: Metric, task: TaskBrief
) -> list[Outcome]:
    """Entries with every configuration measured on the rows no entry lost.

    Where so many are lost that the verdict is blocked, each keeps its own rows.
    """
    lost = lost_rows(dev_measurements(outcomes))
    if not lost or too_many(len(lost), len(dev)):
        return list(outcomes)
    return [
        replace(
            entry,
            scored=tuple(
                replace(one, measurement=_without(one.measurement, lost, dev, metric, task))
                for one in entry.scored
            ),
        )
        for entry in outcomes
    ]


def held_out_on_common_rows(
    measurements: Mapping[str, Measurement],
    rows: Sequence[Example],
    metric: Metric,
    task: TaskBrief,
) -> dict[str, Measurement]:
    """Held-out measurements on the rows none of them lost; their own when too many are lost."""
    lost = lost_rows(list(measurements.values()))
    if not lost or too_many(len(lost), len(rows)):
        return dict(measurements)
    return {name: _without(one, lost, rows, metric, task) for name, one in measurements.items()}


def _without(
    one: Measurement,
    lost: frozenset[int],
    examples: Sequence[Example],
    metric: Metric,
    task: TaskBrief,
) -> Measurement:
    return summarise(
        one.rows,
        examples,
        metric,
        task,
        candidate=one.candidate,
        split=one.split,
        seed=one.seed,
        keep=frozenset(range(len(examples))) - lost,
    )
