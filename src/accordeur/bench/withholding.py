"""What withholding uncertain answers does, on dev, for the record (docs/run-record.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accordeur.bench.comparison import Rows, compare
from accordeur.bench.entries import Outcome
from accordeur.bench.fit_context import Scored
from accordeur.core.answer import Status
from accordeur.core.fingerprint import seed_for
from accordeur.core.task import Example, TaskBrief
from accordeur.measure.metric import Metric
from accordeur.measure.statistics.risk_coverage import area_under, risk_coverage


def withholding_json(
    outcome: Outcome, dev: Sequence[Example], metric: Metric, task: TaskBrief, *, seed: int
) -> dict[str, Any] | None:
    """The risk-coverage curve of an entry that estimates whether its answers are right, and each of
    its thresholds against always answering; `None` for any other entry.

    The curve is that of the control, which answers everything and says how certain it is. Rows
    without an answer count as answered wrongly: that is what answering them is.
    """
    # The last one: in a stack the estimate is learned again when the levers above are done.
    controls = [one for one in outcome.scored if one.control and _estimated(one)]
    always = controls[-1] if controls else None
    if always is None:
        return None
    kept = [always.measurement.rows[at] for at in always.measurement.kept]
    told = [row for row in kept if row.answer.confidence is not None]
    points = risk_coverage(
        [row.answer.confidence or 0.0 for row in told], [row.score or 0.0 for row in told]
    )
    if not points:
        return None
    return {
        "n": len(told),
        "unanswerable": sum(dev[at].expected == () for at in always.measurement.kept),
        "area": area_under(points),
        "points": [[one.threshold, one.coverage, one.risk, one.n] for one in points],
        "thresholds": [
            _against(one, always, dev, metric, task, seed=seed)
            for one in outcome.scored
            if one.competes and _threshold(one) is not None and len(one.measurement.kept)
        ],
    }


def _against(
    one: Scored,
    always: Scored,
    dev: Sequence[Example],
    metric: Metric,
    task: TaskBrief,
    *,
    seed: int,
) -> dict[str, Any]:
    rows = Rows([one.measurement, always.measurement], dev, metric, task)
    answered = [
        row
        for row in (one.measurement.rows[at] for at in rows.kept)
        if row.answer.status is not Status.ABSTAINED
    ]
    pair = compare(rows, one.measurement, always.measurement, seed=seed_for(seed, "withholding"))
    return {
        "configuration": one.name,
        "threshold": _threshold(one),
        "coverage": len(answered) / len(rows),
        "risk": 1 - sum(row.score or 0.0 for row in answered) / len(answered) if answered else None,
        "score": one.measurement.score,
        "difference": pair.difference,
        "interval": pair.interval.to_json() if pair.interval else None,
        "n": pair.n,
    }


def _estimated(one: Scored) -> bool:
    return any(row.answer.confidence is not None for row in one.measurement.rows)


def _threshold(one: Scored) -> float | None:
    return getattr(one.candidate.parts.get("retrieval"), "threshold", None)
