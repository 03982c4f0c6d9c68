"""How long a reply may be that is more than an answer (DESIGN P5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from accordeur.core.task import Example, TaskBrief
from accordeur.parts.decoding import REASONING, answer_limit
from accordeur.parts.pattern.reason import Reason


def reply_limit(
    task: TaskBrief, train: Sequence[Example], count_tokens: Callable[[str], int]
) -> int:
    """Tokens: what the task's answers take with their worked steps, and 128 more."""
    pattern = Reason(1)
    targets = []
    for row in train:
        if row.expected:
            answer = row.expected[0]
            text = task.label_text(answer) if task.kind == "labels" else answer
            targets.append(pattern.worked(row.steps, text))
    return answer_limit(targets, count_tokens) + REASONING
