"""Containment: an accepted answer occurs in the text, as it stands or whatever the case."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from accordeur.core.answer import Answer
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import best_reference


class Contains:
    """1 when any accepted answer is a substring of the text (not: a whole word of it).

    Args:
        name: of the metric.
        title: for tables.
        fold: applied to both sides first.
    """

    unit_interval = True
    rate = True
    kinds: frozenset[TaskKind] = frozenset({"text"})

    def __init__(self, name: str, title: str, fold: Callable[[str], str]) -> None:
        self.name = name
        self.title = title
        self._fold = fold

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """1.0 or 0.0."""
        return best_reference(
            answer,
            example,
            lambda text, reference: float(self._fold(reference) in self._fold(text)),
            graded=False,
        )

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None


CONTAINS = Contains("contains", "contains", str)
ICONTAINS = Contains("icontains", "contains, any case", str.casefold)
