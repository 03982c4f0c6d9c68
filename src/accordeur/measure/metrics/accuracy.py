"""Accuracy: the share of rows with the right label."""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.core.answer import Answer
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import settled


class Accuracy:
    """1 when the chosen label is the expected one. A label that could not be read is wrong."""

    name = "accuracy"
    title = "accuracy"
    unit_interval = True
    rate = True
    kinds: frozenset[TaskKind] = frozenset({"labels"})

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """1.0 or 0.0."""
        score = settled(answer, example, graded=False)
        return score if score is not None else float(answer.label == example.label)

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None
