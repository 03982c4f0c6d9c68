"""The floor `floor:lead`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.levers.floor.choice import best_on_dev, work_of
from accordeur.parts.classifier.lead import Lead


@dataclass(frozen=True, slots=True)
class LeadFloor:
    """The first sentences of the input.

    Attributes:
        counts: numbers of sentences to try on dev.
    """

    name: ClassVar[str] = "floor:lead"
    title: ClassVar[str] = "first sentences"
    writes: ClassVar[frozenset[Slot]] = frozenset({"classifier"})
    needs: ClassVar[frozenset[Need]] = frozenset()
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"text"})

    counts: tuple[int, ...] = (1, 2, 3)

    @property
    def settings(self) -> Mapping[str, Any]:
        """As given to the constructor."""
        return {"counts": list(self.counts)}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration per number of sentences."""
        return work_of(len(self.counts), effort)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The best number of sentences on dev."""
        parts = (Lead(count) for count in self.counts)
        return best_on_dev(context.task, ((f"n={part.count}", part) for part in parts), context)
