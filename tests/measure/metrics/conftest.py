"""One row, one answer, one score."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accordeur.core.answer import Answer, Status
from accordeur.core.task import Example, Label, TaskBrief
from accordeur.measure.metric import Metric
from accordeur.measure.metrics import load_metric

Score = Callable[..., float]

TASK = TaskBrief("toy", "", "", "text", (Label("a", "A"), Label("b", "B")), "exact-match")


def row(*expected: str) -> Example:
    return Example("row-1", "a question", expected, "row-1")


@pytest.fixture
def score() -> Score:
    """`score("exact-match", "Paris", "paris", status=...)`: a metric, a text, accepted answers."""

    def run(
        metric: str | Metric,
        text: str,
        *expected: str,
        status: Status = Status.OK,
        label: str | None = None,
    ) -> float:
        found = load_metric(metric) if isinstance(metric, str) else metric
        return found.row(Answer(text, status, label), row(*expected), TASK)

    return run
