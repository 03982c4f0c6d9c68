"""The floor `floor:majority`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.levers.floor.choice import best_on_dev, work_of
from accordeur.levers.floor.training_rows import LabelledRows
from accordeur.parts.classifier.majority import Majority


@dataclass(frozen=True, slots=True)
class MajorityFloor:
    """Always the label most train rows have."""

    name: ClassVar[str] = "floor:majority"
    title: ClassVar[str] = "majority answer"
    writes: ClassVar[frozenset[Slot]] = frozenset({"classifier"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LABELS})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels"})

    @property
    def settings(self) -> Mapping[str, Any]:
        """None."""
        return {}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration."""
        return work_of(1, effort)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The majority classifier alone.

        Raises:
            TaskError: train has no labels, or one the task does not know.
        """
        return best_on_dev(context.task, [("majority", fit_majority(train, context.task))], context)


def fit_majority(train: Sequence[Example], task: TaskBrief) -> Majority:
    """Count the labels. Errors as `LabelledRows.of`."""
    rows = LabelledRows.of(train, task)
    learned = dict(zip(rows.learned, np.bincount(rows.codes).tolist(), strict=True))
    return Majority(rows.labels, tuple(learned.get(label, 0) for label in rows.labels))
