"""Lever `soft-prompt`: the instruction's own embeddings, moved by gradient, the model frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from accordeur.core.candidate import Candidate
from accordeur.core.errors import PlanError
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.parts.soft_prompt import SoftPrompt, SoftPromptEnsemble
from accordeur.training.plan import BACKWARD_SOFT, TrainingPlan, Trial, positive

if TYPE_CHECKING:
    from accordeur.training.soft_prompt import PromptTuning

SEARCHED = ((1.0, 1.0), (0.4, 1.0), (2.5, 1.0), (1.0, 0.5))
"""Factors of learning rate and tokens that `tune` tries."""

INITIAL = ("labels", "text", "vocabulary", "random")


@dataclass(frozen=True, slots=True)
class SoftPromptLever:
    """Prompt tuning inside the hand-written prompt (Lester et al. 2021).

    Args:
        mode: `replace` makes the instruction's own embeddings trainable, so step 0 is the prompt as
            it was; `insert` puts new tokens after it.
        tokens: virtual tokens: at most so many of the instruction, its last ones, or so many new.
        initial: what new tokens start as: the labels' embeddings, those of `text`, of frequent
            words of the vocabulary, or random numbers of the embeddings' own size.
        text: for the initial `text`.
        learning_rate: share of the embeddings' root mean square that a step may move.
        steps: optimiser steps; default five passes over the train rows, 64 to 400.
        batch_rows: rows of a step.
        must_improve: score step 0 too, and stop the lever when no check beats it on dev; else the
            best check is kept, whatever it is.
        seeds: soft prompts to train, each from another seed; with several, their probabilities are
            mixed, all in one batch, when that scores best on dev. Label tasks only.
        tune: try four pairs of learning rate and tokens by successive halving first.
    """

    name: ClassVar[str] = "soft-prompt"
    title: ClassVar[str] = "soft prompt"
    writes: ClassVar[frozenset[Slot]] = frozenset({"soft_prompt"})
    needs: ClassVar[frozenset[Need]] = frozenset(
        {Need.LANGUAGE_MODEL, Need.WEIGHTS, Need.SINGLE_CALL}
    )
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    mode: Literal["replace", "insert"] = "replace"
    tokens: int = 64
    initial: Literal["labels", "text", "vocabulary", "random"] = "labels"
    text: str = ""
    learning_rate: float = 0.07
    steps: int | None = None
    batch_rows: int = 8
    must_improve: bool = True
    seeds: int = 1
    tune: bool = False

    def __post_init__(self) -> None:
        if self.mode not in ("replace", "insert"):
            raise ValueError("`mode` is `replace` or `insert`")
        if self.initial not in INITIAL:
            raise ValueError(f"`initial` is one of {', '.join(INITIAL)}")
        numbers = ("tokens", "learning_rate", "steps", "batch_rows", "seeds")
        positive({name: getattr(self, name) for name in numbers})

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """The prompt as it was, what is searched, then the vectors at every check.

        Raises:
            PlanError: several seeds on a task without labels.
        """
        if self.seeds > 1 and task.kind != "labels":
            raise PlanError(
                "Several soft prompts together score labels; they cannot write one text.",
                hint="--set soft-prompt.seeds=1",
            )
        return self._plan(train_rows, effort).forecast()

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate with the vectors that scored best on dev.

        With an effort of 1 only the end of training is scored, and nothing compared with it.

        Raises:
            Stopped: no check beat the prompt as it was, or time or memory does not suffice.
        """
        trials = []
        for factor, share in self._searched:
            tokens = max(1, round(self.tokens * share))
            rate = factor * self.learning_rate
            trials.append(
                Trial(
                    f"rate {rate:g}, {tokens} tokens",
                    lambda tokens=tokens: self._recipe(tokens),  # type: ignore[misc]
                    rate,
                )
            )
        plan = self._plan(len(train), context.effort)
        return plan.fit(trials, candidate, train, context, _together)

    def _recipe(self, tokens: int) -> PromptTuning:
        from accordeur.training.soft_prompt import PromptTuning

        return PromptTuning(self.mode, tokens, self.initial, self.text)

    @property
    def _searched(self) -> tuple[tuple[float, float], ...]:
        return SEARCHED if self.tune else SEARCHED[:1]

    def _plan(self, rows: int, effort: int) -> TrainingPlan:
        return TrainingPlan.of(
            self,
            rows,
            effort,
            searched=len(self._searched),
            members=self.seeds,
            backward=BACKWARD_SOFT,
        )


def _together(members: Sequence[Candidate]) -> Candidate:
    found = [member.part(SoftPrompt) for member in members]
    return members[0].with_part(SoftPromptEnsemble(tuple(one for one in found if one is not None)))
