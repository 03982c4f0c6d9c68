"""Lever `lora`: low-rank updates of all linear layers, trained on the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.training.checks import Checks


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adaptation (Hu et al. 2021).

    Args:
        rank: of every update.
        alpha: the update is scaled by alpha / rank; default twice the rank.
        rank_stable: scale by alpha / sqrt(rank) instead (rsLoRA).
        learning_rate: peak.
        steps: optimiser steps.
        batch_rows: rows of a step.
        must_improve: score step 0 too and stop the lever when no check beats it on dev; else the
            best check is kept, whatever it is.
    """

    name: ClassVar[str] = "lora"
    title: ClassVar[str] = "fine-tuning (LoRA)"
    writes: ClassVar[frozenset[Slot]] = frozenset({"weights"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL, Need.WEIGHTS})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    rank: int = 8
    alpha: float | None = None
    rank_stable: bool = False
    learning_rate: float = 5e-4
    steps: int = 120
    batch_rows: int = 16
    must_improve: bool = True

    def __post_init__(self) -> None:
        if min(self.rank, self.steps, self.batch_rows) < 1:
            raise ValueError("counts must be positive")
        if not self.learning_rate > 0 or (self.alpha is not None and not self.alpha > 0):
            raise ValueError("`learning_rate` and `alpha` must be positive")

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """The prompt as it was, then the weights at every check."""
        return self._checks(effort).forecast(self.batch_rows)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate with the weights that scored best on dev.

        With an effort of 1 only the end of training is scored, and nothing compared with it.

        Raises:
            Stopped: no check beat the prompt as it was.
        """
        from accordeur.training.lora import adapted_weights
        from accordeur.training.schedule import Schedule

        rows = [row for row in train if row.expected]  # `[]` is unanswerable: nothing to imitate
        checks = self._checks(context.effort)
        found = adapted_weights(
            candidate,
            rows,
            context,
            Schedule(self.steps, self.batch_rows, self.learning_rate),
            rank=self.rank,
            alpha=self.alpha if self.alpha is not None else 2.0 * self.rank,
            rank_stable=self.rank_stable,
            checks=checks.after,
        )
        return checks.keep_best(candidate, found, context)

    def _checks(self, effort: int) -> Checks:
        return Checks(self.steps, effort, self.must_improve)
