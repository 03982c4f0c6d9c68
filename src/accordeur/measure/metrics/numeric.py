"""Numeric match (DESIGN P5): the last number after the last `Answer:`, within 1e-6 relative.

How a number is read stands in `parts.extraction.last_number`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from accordeur.core.answer import Answer
from accordeur.core.errors import TaskError
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import settled
from accordeur.parts.extraction import last_number

RELATIVE_TOLERANCE = 1e-6


class Numeric:
    """1 when the answer's last number equals the expected one within 1e-6 relative."""

    name = "numeric"
    title = "number right"
    unit_interval = True
    rate = True
    kinds: frozenset[TaskKind] = frozenset({"text"})

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """1.0 or 0.0. A text without a number is wrong.

        Raises:
            TaskError: an expected answer holds no number.
        """
        score = settled(answer, example, graded=False)
        if score is not None:
            return score
        said = last_number(answer.text)
        return max(float(_equal(said, text, example.id)) for text in example.expected or ())

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None


def _equal(said: float | None, expected: str, row: str) -> bool:
    wanted = last_number(expected)
    if wanted is None:
        raise TaskError(
            f"The expected answer `{expected[:60]}` of row `{row}` holds no number.",
            hint="correct the row, or use another metric: `exact-match`",
        )
    return said is not None and math.isclose(said, wanted, rel_tol=RELATIVE_TOLERANCE)
