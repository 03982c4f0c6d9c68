"""Lever `kv-prefix`: keys and values of the hand-written prompt, moved by gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.training.plan import BACKWARD_PREFIX, TrainingPlan, positive, rates

if TYPE_CHECKING:
    from accordeur.training.key_values import PrefixTuning

SEARCHED = (1.0, 0.3)
"""Factors of the learning rate that `tune` tries."""


@dataclass(frozen=True, slots=True)
class KeyValuePrefixLever:
    """Prefix tuning started from the prompt as it is (Li and Liang 2021).

    Args:
        learning_rate: share of the keys' and of the values' root mean square that a step may move.
        steps: optimiser steps; default five passes over the train rows, 64 to 400.
        batch_rows: rows of a step.
        must_improve: score step 0 too and stop the lever when no check beats it on dev; else the
            best check is kept, whatever it is.
        tune: try a second learning rate first, on half the steps.
    """

    name: ClassVar[str] = "kv-prefix"
    title: ClassVar[str] = "trained prefix (keys and values)"
    writes: ClassVar[frozenset[Slot]] = frozenset({"soft_prompt"})
    needs: ClassVar[frozenset[Need]] = frozenset(
        {Need.LANGUAGE_MODEL, Need.WEIGHTS, Need.PREFIX, Need.SINGLE_CALL}
    )
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    learning_rate: float = 0.01
    steps: int | None = None
    batch_rows: int = 8
    must_improve: bool = True
    tune: bool = False

    def __post_init__(self) -> None:
        numbers = ("learning_rate", "steps", "batch_rows")
        positive({name: getattr(self, name) for name in numbers})

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """The prompt as it was, what is searched, then the prefix at every check."""
        return self._plan(train_rows, effort).forecast()

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate with the keys and values that scored best on dev.

        With an effort of 1 only the end of training is scored, and nothing compared with it.

        Raises:
            Stopped: no check beat the prompt as it was, or time or memory does not suffice.
        """
        trials = rates(self.learning_rate, self._searched, self._recipe)
        return self._plan(len(train), context.effort).fit(trials, candidate, train, context)

    def _recipe(self) -> PrefixTuning:
        from accordeur.training.key_values import PrefixTuning

        return PrefixTuning()

    @property
    def _searched(self) -> tuple[float, ...]:
        return SEARCHED if self.tune else SEARCHED[:1]

    def _plan(self, rows: int, effort: int) -> TrainingPlan:
        return TrainingPlan.of(
            self, rows, effort, searched=len(self._searched), backward=BACKWARD_PREFIX
        )
