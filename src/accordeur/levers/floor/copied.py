"""The floor `floor:copy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.levers.floor.choice import best_on_dev, work_of
from accordeur.parts.classifier.copied import Copied


@dataclass(frozen=True, slots=True)
class CopyFloor:
    """The whole input as the answer; where train rows have a context, that context too."""

    name: ClassVar[str] = "floor:copy"
    title: ClassVar[str] = "copy of the input"
    writes: ClassVar[frozenset[Slot]] = frozenset({"classifier"})
    needs: ClassVar[frozenset[Need]] = frozenset()
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"text"})

    @property
    def settings(self) -> Mapping[str, Any]:
        """None."""
        return {}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """Two configurations at most; one where no train row has a context."""
        return work_of(2, effort)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The better source on dev."""
        parts = [Copied("input")]
        if any(row.context for row in train):
            parts.append(Copied("context"))
        return best_on_dev(context.task, [(part.source, part) for part in parts], context)
