"""Numeric match (DESIGN P5): the last number after the last `Answer:`, within 1e-6 relative.

Read as a number: an optional sign, an optional currency sign, digits, a decimal point, an exponent.
Thousands separators are removed when exactly three digits follow each: `1,234.5` is one number,
`1,2` are two. A minus behind a letter or digit is a dash: `10-5` ends in 5. A decimal comma is not
understood, a percent sign is ignored, and of a fraction `3/4` only the 4 is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from accordeur.core.answer import Answer
from accordeur.core.errors import TaskError
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import settled
from accordeur.parts.extraction import after_answer

RELATIVE_TOLERANCE = 1e-6

_SEPARATORS = ",_'’\u00a0\u202f\u2009"
_NUMBER = re.compile(
    rf"(?P<sign>(?<![\w.])[-+\u2212])?[$€£¥]?\s?"
    rf"(?P<digits>(?:[0-9]{{1,3}}(?:[{_SEPARATORS}][0-9]{{3}})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
    rf"|(?<![0-9.])\.[0-9]+)"
    rf"(?P<exponent>[eE][-+]?[0-9]+)?"
)
_REMOVE = str.maketrans("", "", _SEPARATORS)


def last_number(text: str) -> float | None:
    """The last number of the text after the last `Answer:` (or of all of it); `None` if none."""
    numbers = list(_NUMBER.finditer(after_answer(text)))
    if not numbers:
        return None
    found = numbers[-1]
    value = float(found["digits"].translate(_REMOVE) + (found["exponent"] or ""))
    if not math.isfinite(value):
        return None
    return -value if found["sign"] in ("-", "\u2212") else value


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
