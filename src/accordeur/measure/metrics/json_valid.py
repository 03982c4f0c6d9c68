"""JSON validity: the whole text is one JSON value (RFC 8259). What it says is not compared.

`NaN` and `Infinity` are refused, as is a value wrapped in a code fence: a program that reads the
answer would stumble over either.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from accordeur.core.answer import Answer
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import settled


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def is_json(text: str) -> bool:
    """Whether the text is one JSON value, white space around it aside."""
    try:
        # Integers are read as floats because Python refuses to read very long ones.
        json.loads(text, parse_constant=_no_constant, parse_int=float)
    except (ValueError, RecursionError):
        return False
    return True


class JsonValid:
    """1 when the answer is valid JSON."""

    name = "json-valid"
    title = "valid JSON"
    unit_interval = True
    rate = True
    kinds: frozenset[TaskKind] = frozenset({"text"})

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """1.0 or 0.0."""
        score = settled(answer, example, graded=False)
        return score if score is not None else float(is_json(answer.text))

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None
