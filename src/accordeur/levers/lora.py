"""Lever `lora`: low-rank updates of all linear layers, trained on the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.training.plan import TrainingPlan, Trial, positive

if TYPE_CHECKING:
    from accordeur.training.lora import LowRank

SEARCHED = ((1.0, 1), (2.0, 1), (0.4, 1), (1.0, 2))
"""Factors of learning rate and rank that `tune` tries."""


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank adaptation (Hu et al. 2021).

    Args:
        rank: of every update.
        alpha: the update is scaled by alpha / rank; default twice the rank.
        rank_stable: scale by alpha / sqrt(rank) instead (rsLoRA).
        dora: train the length of each row of a weight apart from its direction (DoRA).
        learning_rate: peak, of A.
        ratio: B learns so many times as fast as A (LoRA+); 1 is plain LoRA.
        steps: optimiser steps; default five passes over the train rows, 64 to 400.
        batch_rows: rows of a step.
        must_improve: score step 0 too and stop the lever when no check beats it on dev; else the
            best check is kept, whatever it is.
        tune: try four pairs of learning rate and rank by successive halving first.
    """

    name: ClassVar[str] = "lora"
    title: ClassVar[str] = "fine-tuning (LoRA)"
    writes: ClassVar[frozenset[Slot]] = frozenset({"weights"})
    needs: ClassVar[frozenset[Need]] = frozenset(
        {Need.LANGUAGE_MODEL, Need.WEIGHTS, Need.SINGLE_CALL}
    )
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    rank: int = 8
    alpha: float | None = None
    rank_stable: bool = False
    dora: bool = False
    learning_rate: float = 2.5e-4
    ratio: float = 16.0
    steps: int | None = None
    batch_rows: int = 8
    must_improve: bool = True
    tune: bool = False

    def __post_init__(self) -> None:
        numbers = ("rank", "alpha", "learning_rate", "ratio", "steps", "batch_rows")
        positive({name: getattr(self, name) for name in numbers})

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """The prompt as it was, what is searched, then the weights at every check."""
        return self._plan(train_rows, effort).forecast()

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate with the weights that scored best on dev.

        With an effort of 1 only the end of training is scored, and nothing compared with it.

        Raises:
            Stopped: no check beat the prompt as it was, or time or memory does not suffice.
        """
        trials = [
            Trial(
                f"rate {factor * self.learning_rate:g}, rank {self.rank * times}",
                lambda rank=self.rank * times: self._recipe(rank),  # type: ignore[misc]
                factor * self.learning_rate,
            )
            for factor, times in self._searched
        ]
        return self._plan(len(train), context.effort).fit(trials, candidate, train, context)

    def _recipe(self, rank: int) -> LowRank:
        from accordeur.training.lora import LowRank

        alpha = 2.0 * rank if self.alpha is None else self.alpha
        return LowRank(rank, alpha, self.rank_stable, self.dora, self.ratio)

    @property
    def _searched(self) -> tuple[tuple[float, int], ...]:
        return SEARCHED if self.tune else SEARCHED[:1]

    def _plan(self, rows: int, effort: int) -> TrainingPlan:
        return TrainingPlan.of(self, rows, effort, searched=len(self._searched))
