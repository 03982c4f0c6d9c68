"""The picks of two runs on the rows that both answered.

Runs are their own experiments: nothing here is a test, and nothing is decided. The difference is
that of mean row scores with the paired group bootstrap interval of DESIGN P6; a metric that is not
the mean of its rows (macro-F1) is not compared this way, and the sentence says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accordeur.report.numbers import interval, signed

if TYPE_CHECKING:
    from accordeur.bench.finished import Run
    from accordeur.core.measurement import RowResult

SEED = 0


@dataclass(frozen=True, slots=True)
class PickPair:
    """One pick against another.

    Attributes:
        a, b: names of the runs.
        split: where both were measured; empty when they cannot be compared.
        n: common rows.
        difference: of mean scores, a less b; `None` when they cannot be compared.
        low, high: 95 % interval.
        reason: why they cannot be compared.
    """

    a: str
    b: str
    split: str = ""
    n: int = 0
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def sentence(self) -> str:
        """For people."""
        if self.difference is None:
            return f"The picks of {self.a} and {self.b} cannot be compared: {self.reason}."
        bounds = {"low": self.low, "high": self.high}
        spread = "" if self.low is None else f", 95 % {interval(bounds, sign=True)}"
        where = "held-out" if self.split == "test" else self.split
        return (
            f"On the same {self.n} {where} rows the pick of {self.a} scores "
            f"{signed(self.difference)} points against the pick of {self.b}{spread}."
        )


def compare_picks(a: Run, b: Run) -> PickPair:
    """The pick of `a` against the pick of `b` on common rows: held-out where both have some."""
    first, second = _pick(a), _pick(b)
    if first is None or second is None:
        return PickPair(a.name, b.name, reason="one of them recommends nothing")
    tasks = [run.record["task"] for run in (a, b)]
    if tasks[0]["metric"] != tasks[1]["metric"]:
        return PickPair(a.name, b.name, reason="they were measured by different metrics")
    split = "test" if first.get("test") and second.get("test") else "dev"
    if not (first.get(split) and second.get(split)):
        return PickPair(a.name, b.name, reason="they were not measured on a common split")
    mine, theirs = _rows(a, first, split), _rows(b, second, split)
    common = [row for row in mine if row in theirs]
    if not common:
        return PickPair(a.name, b.name, reason="they have no row in common")
    if not (_is_mean(mine, first[split]) and _is_mean(theirs, second[split])):
        return PickPair(a.name, b.name, reason="this metric is not the mean of its rows")
    return _difference(PickPair(a.name, b.name, split, len(common)), common, mine, theirs)


def _difference(
    pair: PickPair,
    common: list[str],
    mine: Mapping[str, RowResult],
    theirs: Mapping[str, RowResult],
) -> PickPair:
    import numpy as np

    from accordeur.measure.statistics import paired_difference_interval

    first = np.array([mine[row].score for row in common], dtype=np.float64)
    second = np.array([theirs[row].score for row in common], dtype=np.float64)
    groups = [mine[row].group for row in common]
    found = paired_difference_interval(first, second, groups, seed=SEED)
    return PickPair(
        pair.a,
        pair.b,
        pair.split,
        pair.n,
        float(first.mean() - second.mean()),
        found.low if found else None,
        found.high if found else None,
    )


def _pick(run: Run) -> Mapping[str, Any] | None:
    name = (run.record.get("decision") or {}).get("pick")
    return next((entry for entry in run.record["entries"] if entry["name"] == name), None)


def _rows(run: Run, entry: Mapping[str, Any], split: str) -> dict[str, RowResult]:
    from accordeur.store import RunFolder

    answers = RunFolder.open(run.folder).read_answers(split, entry["configuration_id"])
    return {row.row: row for row in answers.values() if row.score is not None}


def _is_mean(rows: Mapping[str, RowResult], side: Mapping[str, Any]) -> bool:
    scores = [row.score for row in rows.values() if row.score is not None]
    mean = sum(scores) / len(scores) if scores else math.nan
    return side["score"] is not None and math.isclose(mean, side["score"], abs_tol=1e-9)
