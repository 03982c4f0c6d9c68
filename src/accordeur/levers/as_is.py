"""The prompt as given: the task's instruction, zero-shot, through the model's own chat template.

What everything else is measured against. See docs/levers/as-is.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind


@dataclass(frozen=True, slots=True)
class AsIs:
    """Adds nothing; measures the base candidate once."""

    name: ClassVar[str] = "as-is"
    title: ClassVar[str] = "prompt as given"
    writes: ClassVar[frozenset[Slot]] = frozenset()
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    @property
    def settings(self) -> Mapping[str, Any]:
        """None."""
        return {}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration."""
        return (Forecast(),)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate itself, scored on dev."""
        context.evaluate(candidate, "as given")
        return candidate
