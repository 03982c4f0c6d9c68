"""The one ruler: run a candidate over rows, score every answer, keep every row.

Results go to a sink batch by batch, so a killed run loses at most the batch in flight; a sink that
already holds rows spares them. The harness never sees what made a candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import numpy as np

from accordeur.core.answer import Answer, Status
from accordeur.core.budget import Budget
from accordeur.core.lever import Stopped
from accordeur.core.measurement import Interval, Measurement, RowResult
from accordeur.core.model import Batch
from accordeur.core.rendering import Request
from accordeur.core.task import Example, TaskBrief
from accordeur.measure.metric import Metric
from accordeur.measure.statistics import group_bootstrap, wilson
from accordeur.parts.answering.answerer import Answerer

RETRIES = 2
"""How often rows lost to an error are asked again before they count as missing (P6)."""

Progress = Callable[[int, int], None]
"""Called with rows finished and rows in all."""


class Sink(Protocol):
    """Where row results are kept."""

    def read(self) -> Mapping[int, RowResult]:
        """Results that are already there, by position in the split."""
        ...

    def append(self, rows: Mapping[int, RowResult]) -> None:
        """Keep the results of one batch, all or none."""
        ...


class MemorySink:
    """A sink that forgets everything with the process."""

    def __init__(self) -> None:
        self._rows: dict[int, RowResult] = {}

    def read(self) -> Mapping[int, RowResult]:
        """Results so far."""
        return dict(self._rows)

    def append(self, rows: Mapping[int, RowResult]) -> None:
        """Keep them."""
        self._rows.update(rows)


def answer_rows(
    answerer: Answerer,
    examples: Sequence[Example],
    metric: Metric,
    task: TaskBrief,
    sink: Sink,
    *,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> list[RowResult]:
    """Answer and score every row that the sink does not hold yet; all rows in split order.

    Rows lost to an error are asked again, `RETRIES` times and whenever the same sink is used again.

    Raises:
        Stopped: the budget is spent; what is finished is in the sink.
    """
    known = {
        index: row
        for index, row in sink.read().items()
        if index < len(examples)
        and row.row == examples[index].id
        and row.answer.status is not Status.ERROR
    }
    requests = [Request.from_example(example) for example in examples]
    for _ in range(1 + RETRIES):
        finished = frozenset(
            index for index, row in known.items() if row.answer.status is not Status.ERROR
        )
        if len(finished) == len(examples):
            break
        for batch in answerer.answer(requests, done=finished):
            fresh = _scored(batch, examples, metric, task, finished)
            if fresh:
                sink.append(fresh)
                known.update(fresh)
            if progress is not None:
                progress(len(known), len(examples))
            if budget is not None and budget.spent and len(known) < len(examples):
                raise Stopped(
                    f"the time budget ended after {len(known)} of {len(examples)} rows",
                    cut=True,
                )
    return [known[index] for index in range(len(examples))]


def _scored(
    batch: Batch[Answer],
    examples: Sequence[Example],
    metric: Metric,
    task: TaskBrief,
    finished: Collection[int],
) -> dict[int, RowResult]:
    rows = {}
    for index, answer in zip(batch.indices, batch.results, strict=True):
        if index in finished:
            continue
        example = examples[index]
        missing = answer.status in (Status.ERROR, Status.UNJUDGED)
        score = None if missing else float(metric.row(answer, example, task))
        rows[index] = RowResult(example.id, example.group, answer, score)
    return rows


def summarise(
    rows: Sequence[RowResult],
    examples: Sequence[Example],
    metric: Metric,
    task: TaskBrief,
    *,
    candidate: str,
    split: str,
    seed: int,
    keep: Collection[int] | None = None,
) -> Measurement:
    """A measurement over scored rows: the metric, its interval, and counts.

    Wilson's interval for rates over ungrouped rows; else the group bootstrap, recomputing the
    metric (DESIGN P6). Zero rows give no number.

    Args:
        keep: places of the rows that count; by default all that have a score. A row that another
            candidate lost to an error counts for none.
    """
    kept = [
        place
        for place, row in enumerate(rows)
        if row.score is not None and (keep is None or place in keep)
    ]
    score: float | None = None
    interval: Interval | None = None
    if kept:
        values = np.array([rows[place].score for place in kept], dtype=np.float64)
        groups = [rows[place].group for place in kept]
        over = metric.over(
            [rows[place].answer for place in kept], [examples[place] for place in kept], task
        )
        score = float(values.mean()) if over is None else float(over(np.arange(len(kept))))
        if over is None and metric.rate and len(set(groups)) == len(groups):
            rate = wilson(round(float(values.sum())), len(values))
            interval = Interval(rate.low, rate.high, method="Wilson")
        else:
            spread = (
                group_bootstrap(values, groups, seed=seed)
                if over is None
                else group_bootstrap(np.arange(len(kept)), groups, over, seed=seed)
            )
            if spread is not None:  # a single group says nothing of how groups vary
                interval = Interval(spread.low, spread.high, method="group bootstrap")
    return Measurement(
        candidate, split, metric.name, tuple(rows), tuple(kept), score, interval, seed
    )
