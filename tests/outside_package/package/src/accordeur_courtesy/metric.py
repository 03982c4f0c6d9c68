"""The metric `brevity`: short answers score high."""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.core.answer import Answer
from accordeur.core.task import Example, TaskBrief
from accordeur.measure.metric import SetStatistic


class Brevity:
    """1 / number of words of the answer; an empty one scores 0."""

    name = "brevity"
    title = "brevity"
    unit_interval = True
    rate = False

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """The score of one answer."""
        words = len(answer.text.split())
        return 1 / words if words else 0.0

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None
