"""Exact match of SQuAD v1.1: equal after normalisation, best over the accepted answers."""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.core.answer import Answer
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import best_reference
from accordeur.measure.metrics.squad import normalise


def exact_match(text: str, reference: str) -> float:
    """1.0 when both are equal after SQuAD's normalisation, else 0.0."""
    return float(normalise(text) == normalise(reference))


class ExactMatch:
    """1 when the answer equals one of the accepted ones, case, punctuation and articles aside."""

    name = "exact-match"
    title = "exact match"
    unit_interval = True
    rate = True
    kinds: frozenset[TaskKind] = frozenset({"text"})

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """1.0 or 0.0."""
        return best_reference(answer, example, exact_match, graded=False)

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None
