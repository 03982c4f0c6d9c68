"""Per-example results of a candidate on a split, and numbers that carry their n and interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.core.answer import Answer, Status


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Attributes:
        low, high: bounds, in the units of the estimate.
        level: nominal coverage.
        method: how it was made (`wilson`, `group bootstrap`).
    """

    low: float
    high: float
    level: float = 0.95
    method: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class RowResult:
    """What one row's answer was worth.

    Attributes:
        row: the example's id.
        group: its group.
        answer: what the candidate said.
        score: in [0, 1] for the metrics shipped; `None` when the row is missing (an error).
    """

    row: str
    group: str
    answer: Answer
    score: float | None

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "row": self.row,
            "group": self.group,
            "score": self.score,
            "answer": self.answer.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RowResult:
        """Inverse of `to_json`."""
        return cls(data["row"], data["group"], Answer.from_json(data["answer"]), data["score"])


@dataclass(frozen=True, slots=True)
class Cost:
    """What a candidate costs (DESIGN P8).

    Attributes:
        fit_seconds: one-off seconds: fitting, its dev evaluations, the levers beneath it.
        make: F, one-off money; `None` unknown.
        use: c, money per query; `None` unknown.
        cold_seconds: median wall time of one query alone.
        latency_p95: of the same queries, warm.
        queries: Q.
        currency: of the amounts.
        trained_parameters, bytes: size.
        peak_memory: highest resident memory of the whole process when it was priced, bytes:
            whatever was loaded for other candidates included. `None` where not measured.
        latency_queries: queries behind `cold_seconds` and `latency_p95`.
    """

    fit_seconds: float = 0.0
    make: float | None = None
    use: float | None = None
    cold_seconds: float | None = None
    latency_p95: float | None = None
    queries: int = 10_000
    currency: str = "USD"
    trained_parameters: int = 0
    bytes: int = 0
    peak_memory: int | None = None
    latency_queries: int = 0

    @property
    def total(self) -> float | None:
        """total(Q) = F + Q * c; `None` when a price is unknown."""
        if self.make is None or self.use is None:
            return None
        return self.make + self.queries * self.use

    def to_json(self) -> dict[str, Any]:
        """As plain data, with the total."""
        data = {name: getattr(self, name) for name in self.__slots__}
        data["total"] = self.total
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Cost:
        """Inverse of `to_json`."""
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})


@dataclass(frozen=True, slots=True)
class Measurement:
    """A candidate on a split.

    Attributes:
        candidate: its fingerprint.
        split: `train`, `dev` or `test`.
        metric: name.
        rows: all of the split, in its order.
        kept: places of the rows that count, rising: those missing for no candidate.
        score: the metric over the rows that count; `None` for zero rows.
        interval: of the score.
        seed: of the bootstrap.
    """

    candidate: str
    split: str
    metric: str
    rows: Sequence[RowResult]
    kept: Sequence[int]
    score: float | None
    interval: Interval | None
    seed: int

    @property
    def n(self) -> int:
        """Rows the score was computed on."""
        return len(self.kept)

    @property
    def statuses(self) -> Mapping[str, int]:
        """Rows per status, only those that occur."""
        counts = Counter(str(row.answer.status) for row in self.rows)
        return {str(status): counts[str(status)] for status in Status if counts[str(status)]}

    @property
    def missing(self) -> int:
        """Rows lost to errors."""
        return sum(row.score is None for row in self.rows)

    @property
    def seconds(self) -> float:
        """First-run wall time over all rows."""
        return sum(row.answer.seconds for row in self.rows)

    @property
    def logical_tokens(self) -> int:
        """Tokens a caller without sharing would pay for."""
        return sum(
            row.answer.usage.input_tokens + row.answer.usage.output_tokens for row in self.rows
        )

    @property
    def computed_tokens(self) -> int:
        """Positions the engine really computed."""
        return sum(row.answer.usage.computed_tokens for row in self.rows)
