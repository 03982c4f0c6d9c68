"""Length: how near the answer's number of words comes to that of an accepted answer.

    score = min(words said, words expected) / max(words said, words expected)

Words are stretches between white space. Half or twice as long both score 0.5. It says nothing of
what the words are: use it beside another metric.
"""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.core.answer import Answer
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import best_reference


def length_ratio(text: str, reference: str) -> float:
    """Shorter over longer in words, in [0, 1]; 1.0 when both are empty."""
    said, wanted = len(text.split()), len(reference.split())
    return min(said, wanted) / max(said, wanted) if said or wanted else 1.0


class Length:
    """Share of the nearest accepted answer's length."""

    name = "length"
    title = "length"
    unit_interval = True
    rate = False
    kinds: frozenset[TaskKind] = frozenset({"text"})

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """In [0, 1]."""
        return best_reference(answer, example, length_ratio, graded=True)

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None
