"""What an evaluation found: each column's pass rate with its interval, in one pass.

A row is a case under a column; its repeats are folded into it, so that the interval counts cases
and not answers. Errors and unjudged rows are in no rate: they are counted beside it.
"""

from __future__ import annotations

import statistics
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accordeur.bench.matrix.folder import Results
from accordeur.bench.matrix.matrix import Case, Column
from accordeur.bench.matrix.plan import Plan
from accordeur.bench.matrix.scoring import Folded, Outcome, fold
from accordeur.measure.statistics.wilson import wilson

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A case under a column.

    Attributes:
        number: of the case, from 0.
        lines: of its repeats, as they stand in the results.
        folded: what became of it.
        score: mean over judged repeats; `None` without any.
        reason: of the first repeat that did not pass.
    """

    number: int
    case: Case
    column: Column
    lines: tuple[Line, ...]
    folded: Folded
    score: float | None
    reason: str


def rows_of(plan: Plan, results: Results) -> Iterator[Row]:
    """Every row, case by case; cases stream and are read again for it.

    Raises:
        StoreError: the results cannot be read.
    """
    lines = results.lines(range(plan.cells))
    for number, case in enumerate(plan.matrix.cases):
        for column in plan.columns:
            own = [next(lines) for _ in range(plan.repeat)]
            yield row_of(number, case, column, [one for one in own if one is not None])


def row_of(number: int, case: Case, column: Column, lines: Sequence[Line]) -> Row:
    """A row from its repeats; those without a verdict yet count as unjudged."""
    outcomes = [Outcome(one.get("status", Outcome.UNJUDGED)) for one in lines]
    judged = [
        float(line["score"])
        for line, outcome in zip(lines, outcomes, strict=True)
        if outcome in (Outcome.PASS, Outcome.FAIL)
    ]
    reason = next(
        (
            str(line.get("reason", ""))
            for line, outcome in zip(lines, outcomes, strict=True)
            if outcome is not Outcome.PASS
        ),
        "",
    )
    score = statistics.fmean(judged) if judged else None
    return Row(number, case, column, tuple(lines), fold(outcomes), score, reason)


@dataclass(slots=True)
class _Rate:
    judged: int = 0
    passed: int = 0
    total: float = 0.0

    def add(self, passed: bool, score: float) -> None:
        self.judged += 1
        self.passed += passed
        self.total += score

    def to_json(self) -> dict[str, Any]:
        """Without a judged row there is no number."""
        if not self.judged:
            return {"n": 0, "passed": 0, "rate": None, "interval": None, "score": None}
        found = wilson(self.passed, self.judged)
        return {
            "n": self.judged,
            "passed": self.passed,
            "rate": self.passed / self.judged,
            "interval": {"low": found.low, "high": found.high, "level": found.level},
            "score": self.total / self.judged,
        }


@dataclass(slots=True)
class ColumnSummary:
    """Counts of one column, row by row."""

    column: Column
    rate: _Rate = field(default_factory=_Rate)
    metrics: dict[str, _Rate] = field(default_factory=dict)
    errors: int = 0
    unjudged: int = 0
    answers: int = 0
    answer_errors: int = 0
    cut: int = 0
    shortened: int = 0
    agreement: float = 0.0
    wavering: int = 0
    seconds: array[float] = field(default_factory=lambda: array("f"))
    tokens: int = 0
    cost: float | None = 0.0

    def add(self, row: Row) -> None:
        """Count a row in."""
        folded = row.folded
        if folded.agreement is None:
            self.errors += folded.outcome is Outcome.ERROR
            self.unjudged += folded.outcome is Outcome.UNJUDGED
        else:
            self.rate.add(folded.outcome is Outcome.PASS, row.score or 0.0)
            self.agreement += folded.agreement
            self.wavering += 0 < folded.passed < folded.judged
        for line in row.lines:
            self._answer(line)
        self._metrics(row)

    def _answer(self, line: Line) -> None:
        if line.get("status") == Outcome.ERROR:
            self.answer_errors += 1
            return
        answer = line["answer"]
        usage = answer.get("usage", {})
        self.answers += 1
        self.cut += bool(answer.get("cut"))
        self.shortened += usage.get("truncated_tokens", 0) > 0
        self.seconds.append(answer["seconds"])
        self.tokens += usage.get("input_tokens", 0) + usage.get("output_tokens", 0)
        cost = line.get("cost")
        self.cost = None if self.cost is None or cost is None else self.cost + cost

    def _metrics(self, row: Row) -> None:
        """A metric's row passes when its assertions pass in most judged repeats."""
        found: dict[str, list[tuple[bool, float]]] = {}
        for line in row.lines:
            inside: dict[str, list[Mapping[str, Any]]] = {}
            for check in line.get("checks", ()):
                if check["metric"] and check["passed"] is not None:
                    inside.setdefault(check["metric"], []).append(check)
            for name, checks in inside.items():
                passed = all(one["passed"] for one in checks)
                mean = statistics.fmean(one["score"] for one in checks)
                found.setdefault(name, []).append((passed, mean))
        for name, repeats in found.items():
            passes = sum(passed for passed, _ in repeats)
            score = statistics.fmean(score for _, score in repeats)
            self.metrics.setdefault(name, _Rate()).add(2 * passes > len(repeats), score)

    def to_json(self, plan: Plan) -> dict[str, Any]:
        """As plain data; what is not known is null."""
        data = {
            "number": self.column.number,
            "prompt": self.column.prompt.label,
            "model": self.column.provider.label,
            **self.rate.to_json(),
            "errors": self.errors,
            "unjudged": self.unjudged,
            "answers": self.answers,
            "answer_errors": self.answer_errors,
            "cut": self.cut,
            "shortened": self.shortened,
            "tokens": self.tokens,
            "cost": self.cost,
            "latency": _latency(self.seconds),
            "reached": None,
            "metrics": {name: rate.to_json() for name, rate in sorted(self.metrics.items())},
        }
        if self.rate.judged:
            data["reached"] = self.rate.passed >= plan.matrix.threshold * self.rate.judged - 1e-9
        if plan.repeat > 1:
            judged = self.rate.judged
            data["agreement"] = self.agreement / judged if judged else None
            data["wavering"] = self.wavering
        return data


def _latency(seconds: array[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    ordered = sorted(seconds)
    at = min(len(ordered) - 1, int(0.95 * len(ordered)))
    return {"median": statistics.median(ordered), "p95": ordered[at]}


def summarise(plan: Plan, results: Results) -> dict[str, Any]:
    """The columns' numbers, as plain data.

    Returns:
        `name`, `digest`, `cases`, `repeat`, `threshold`, `unchecked`, `columns` (see
        `ColumnSummary.to_json`), `passed`: every column reached the threshold; `None` when one of
        them has no judged row.
    """
    columns = {one.number: ColumnSummary(one) for one in plan.columns}
    for row in rows_of(plan, results):
        columns[row.column.number].add(row)
    made = [one.to_json(plan) for one in columns.values()]
    reached = [one["reached"] for one in made]
    return {
        "name": plan.matrix.name,
        "digest": plan.digest,
        "cases": plan.cases,
        "repeat": plan.repeat,
        "threshold": plan.matrix.threshold,
        "assertions": list(plan.kinds),
        "unchecked": plan.unchecked,
        "columns": made,
        "passed": False if False in reached else None if None in reached else True,
    }
