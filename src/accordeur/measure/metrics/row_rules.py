"""What every metric does before it looks at a text: failures, abstentions, several references.

DESIGN P6: failures of the model are wrong, and counted beside the score by their status. An
unanswerable row (`expected: []`) is answered rightly by abstaining and by nothing else. An answer
cut at the token limit is wrong for metrics that know only right and wrong, and is scored by the
text it has for graded ones (docs/decisions/2026-11-21-truncated-text.md).
"""

from __future__ import annotations

from collections.abc import Callable

from accordeur.core.answer import Answer, Status
from accordeur.core.task import Example

Compare = Callable[[str, str], float]
"""(the answer's text, one accepted answer) -> score in [0, 1]."""


def settled(answer: Answer, example: Example, *, graded: bool) -> float | None:
    """The score that follows from the row's status alone, or `None` when the text decides.

    Args:
        answer: what the candidate said.
        example: the row.
        graded: the metric gives parts of a point, so a truncated text is scored as it is.

    Raises:
        ValueError: the row has no answer key (`expected` is `None`); such rows are never scored.
    """
    if example.expected is None:
        raise ValueError(f"row {example.id} has no expected answer and cannot be scored")
    if not example.expected:
        return float(answer.status is Status.ABSTAINED)
    if answer.status is Status.OK or (graded and answer.status is Status.TRUNCATED):
        return None
    return 0.0


def best_reference(answer: Answer, example: Example, compare: Compare, *, graded: bool) -> float:
    """The highest score over the accepted answers, after `settled`. Raises as `settled`."""
    score = settled(answer, example, graded=graded)
    if score is not None:
        return score
    return max(compare(answer.text, reference) for reference in example.expected or ())
