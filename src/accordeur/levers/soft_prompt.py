"""Lever `soft-prompt`: the instruction's own embeddings, moved by gradient, the model frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.training.checks import Checks


@dataclass(frozen=True, slots=True)
class SoftPromptLever:
    """Prompt tuning inside the hand-written prompt (Lester et al. 2021).

    Args:
        mode: `replace` makes the instruction's own embeddings trainable, so step 0 is the prompt as
            it was; `insert` puts new tokens after it.
        tokens: virtual tokens: at most so many of the instruction, its last ones, or so many new.
        learning_rate: share of the embeddings' root mean square that a step may move.
        steps: optimiser steps.
        batch_rows: rows of a step.
        must_improve: score step 0 too, and stop the lever when no check beats it on dev; else the
            best check is kept, whatever it is.
    """

    name: ClassVar[str] = "soft-prompt"
    title: ClassVar[str] = "soft prompt"
    writes: ClassVar[frozenset[Slot]] = frozenset({"soft_prompt"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LANGUAGE_MODEL, Need.WEIGHTS})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    mode: Literal["replace", "insert"] = "replace"
    tokens: int = 64
    learning_rate: float = 0.07
    steps: int = 120
    batch_rows: int = 16
    must_improve: bool = True

    def __post_init__(self) -> None:
        if self.mode not in ("replace", "insert"):
            raise ValueError("`mode` is `replace` or `insert`")
        if min(self.tokens, self.steps, self.batch_rows) < 1 or not self.learning_rate > 0:
            raise ValueError("counts and the learning rate must be positive")

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of them."""
        return {
            "mode": self.mode,
            "tokens": self.tokens,
            "learning_rate": self.learning_rate,
            "steps": self.steps,
            "batch_rows": self.batch_rows,
            "must_improve": self.must_improve,
        }

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """The prompt as it was, then the vectors at every check."""
        return self._checks(effort).forecast(self.batch_rows)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate with the vectors that scored best on dev.

        With an effort of 1 only the end of training is scored, and nothing compared with it.

        Raises:
            Stopped: no check beat the prompt as it was.
        """
        from accordeur.training.prompt_tuning import tuned_prompts
        from accordeur.training.schedule import Schedule

        rows = [row for row in train if row.expected]  # `[]` is unanswerable: nothing to imitate
        checks = self._checks(context.effort)
        found = tuned_prompts(
            candidate,
            rows,
            context,
            Schedule(self.steps, self.batch_rows, self.learning_rate),
            mode=self.mode,
            tokens=self.tokens,
            checks=checks.after,
        )
        return checks.keep_best(candidate, found, context)

    def _checks(self, effort: int) -> Checks:
        return Checks(self.steps, effort, self.must_improve)
