"""How often a judge agrees with people, on answers that they judged.

Twenty labelled answers are enough to begin with; the interval says how little they tell. A judge
without labels is *unvalidated*: its pass rates say what it thinks, not what people would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.measure.assertions.assertion import Tools
from accordeur.measure.judges.rubric import grade_all
from accordeur.measure.statistics.wilson import wilson

FEW = 20
"""Labels below which an accuracy is called provisional."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer that a person judged.

    Attributes:
        rubric: what it was judged by.
        answer: the text.
        passed: what the person said.
    """

    rubric: str
    answer: str
    passed: bool


def validate(judge: str, labelled: Sequence[Labelled], tools: Tools) -> dict[str, Any]:
    """Ask a judge about answers whose verdicts are known.

    Returns:
        `judge`; `n`: answers it gave a verdict on; `unjudged`: others; `agreed`; `accuracy` with
        its Wilson `interval`; `false_passes` of `failed` (people failed, the judge passed);
        `false_fails` of `passed`; `kappa` (Cohen 1960), chance taken out, null where one side knows
        one verdict alone; `few`: less than `FEW`.
    """
    pairs = [(one.rubric, one.answer) for one in labelled]
    grades = grade_all(judge, pairs, tools)
    judged = [
        (one.passed, grade.passed)
        for one, grade in zip(labelled, grades, strict=True)
        if grade.passed is not None
    ]
    n, agreed = len(judged), sum(a == b for a, b in judged)
    data: dict[str, Any] = {
        "judge": judge,
        "n": n,
        "unjudged": len(labelled) - n,
        "agreed": agreed,
        "accuracy": None,
        "interval": None,
        "passed": sum(a for a, _ in judged),
        "failed": sum(not a for a, _ in judged),
        "false_passes": sum(b and not a for a, b in judged),
        "false_fails": sum(a and not b for a, b in judged),
        "kappa": _kappa(judged),
        "few": n < FEW,
    }
    if n:
        found = wilson(agreed, n)
        data["accuracy"] = agreed / n
        data["interval"] = {"low": found.low, "high": found.high, "level": found.level}
    return data


def _kappa(judged: Sequence[tuple[bool, bool | None]]) -> float | None:
    n = len(judged)
    if not n:
        return None
    a = sum(human for human, _ in judged) / n
    b = sum(bool(judge) for _, judge in judged) / n
    chance = a * b + (1 - a) * (1 - b)
    agreed = sum(human == judge for human, judge in judged) / n
    return None if chance >= 1 else (agreed - chance) / (1 - chance)
