"""The floor `floor:most-common`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.errors import TaskError
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.levers.floor.choice import best_on_dev, work_of
from accordeur.parts.classifier.most_common import MostCommon
from accordeur.parts.classifier.silence import Silence


@dataclass(frozen=True, slots=True)
class MostCommonFloor:
    """Always the answer that most train rows accept; where at least as many have none, none."""

    name: ClassVar[str] = "floor:most-common"
    title: ClassVar[str] = "most common answer"
    writes: ClassVar[frozenset[Slot]] = frozenset({"classifier"})
    needs: ClassVar[frozenset[Need]] = frozenset()
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"text"})

    @property
    def settings(self) -> Mapping[str, Any]:
        """None."""
        return {}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration."""
        return work_of(1, effort)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The most common answer.

        Raises:
            TaskError: no train row has an answer.
        """
        text, rows = most_common_answer(train, context.task)
        silent = sum(row.expected == () for row in train) >= rows
        part: MostCommon | Silence = Silence() if silent else MostCommon(text)
        name = part.describe() if silent else "most common"
        return best_on_dev(context.task, [(name, part)], context)


def most_common_answer(train: Sequence[Example], task: TaskBrief) -> tuple[str, int]:
    """The answer accepted by most train rows, ties to the one seen first, and by how many.

    Raises:
        TaskError: no train row has an answer.
    """
    counts: Counter[str] = Counter()
    for row in train:
        counts.update(list(dict.fromkeys(row.expected or ())))
    if not counts:
        raise TaskError(
            f"No train row of `{task.name}` has an answer.",
            hint="name the column of the answers in task.yaml",
        )
    return counts.most_common(1)[0]
