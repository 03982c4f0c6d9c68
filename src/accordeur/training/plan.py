"""A trained lever's plan: how many steps, when dev is asked, what is kept. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Stopped
from accordeur.core.task import Example

if TYPE_CHECKING:
    from accordeur.training.trainee import Recipe

MOST_CHECKS = 4
"""Checks of one training at most: each is a configuration that the verdict pays for."""

PASSES = 5
FEWEST, MOST = 64, 400
"""Steps by default: so many passes over the train rows, within these bounds."""

PER_EFFORT = 50
"""Steps at most for every configuration the plan allows. Without it a short budget left training
out of tasks with many rows, where a part of one pass already learns: 100 steps of 8 rows."""

BACKWARD, BACKWARD_ALL, BACKWARD_SOFT, BACKWARD_PREFIX = 5, 10, 4, 3
"""What a trained row costs in rows scored by the engine, whose batches are larger: of LoRA, of all
weights, of a soft prompt, of keys and values. Measured in bfloat16 on two machines, on
examples/support and tasks of the record: LoRA 5.5, 4.1, 4.8; all weights 11; soft prompt 5.3, 3.2,
3.6, 3.4, 2.7; keys and values 3.8, 2.5. In float32 LoRA took 1.8."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting of a search.

    Attributes:
        name: of the configuration in the dev ledger.
        recipe: makes what is trained; called only when it is, since recipes import torch.
        rate: peak learning rate.
    """

    name: str
    recipe: Callable[[], Recipe]
    rate: float


def rates(peak: float, factors: Sequence[float], recipe: Callable[[], Recipe]) -> list[Trial]:
    """Settings that differ in the peak rate alone."""
    return [Trial(f"rate {factor * peak:g}", recipe, factor * peak) for factor in factors]


class Trained(Protocol):
    """The settings that every trained lever has."""

    @property
    def steps(self) -> int | None:
        """Optimiser steps, or `None` for `default_steps`."""
        ...

    @property
    def batch_rows(self) -> int:
        """Rows of a step."""
        ...

    @property
    def must_improve(self) -> bool:
        """See `TrainingPlan`."""
        ...


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Counts that are fixed before anything is trained.

    Attributes:
        steps: optimiser steps.
        batch_rows: rows of a step.
        effort: configurations the plan of the run allows.
        must_improve: something must beat step 0, which is then scored too, unless the effort is 1.
        most_checks: see `after`.
        searched: settings that are tried before the best is trained to its end; 1 is no search.
        members: trainings with a seed of their own, whose results answer together in the end.
        backward: rows scored that a trained row costs.
    """

    steps: int
    batch_rows: int
    effort: int
    must_improve: bool
    most_checks: int = MOST_CHECKS
    searched: int = 1
    members: int = 1
    backward: int = BACKWARD

    @classmethod
    def of(
        cls,
        lever: Trained,
        rows: int,
        effort: int,
        *,
        searched: int,
        most_checks: int = MOST_CHECKS,
        members: int = 1,
        backward: int = BACKWARD,
    ) -> TrainingPlan:
        """The plan of a lever for so many train rows; the rest as in the attributes."""
        steps = lever.steps or default_steps(rows, lever.batch_rows, effort)
        return cls(
            steps,
            lever.batch_rows,
            effort,
            lever.must_improve,
            most_checks,
            searched,
            members,
            backward,
        )

    @property
    def compare(self) -> bool:
        """Whether step 0 is scored."""
        return self.must_improve and self.effort > 1

    @property
    def after(self) -> tuple[int, ...]:
        """Steps after which dev is asked, rising, the last step among them."""
        free = (self.effort - self.compare - (self.members > 1)) // self.members
        count = max(1, min(free, self.most_checks, self.steps))
        return tuple(round(self.steps * (at + 1) / count) for at in range(count))

    @property
    def rungs(self) -> tuple[tuple[int, int], ...]:
        """Successive halving: (settings, steps each) of every round before the last."""
        found, left, steps = [], self.searched, max(1, self.steps // self.searched)
        while left > 1:
            found.append((left, steps))
            left, steps = left // 2, min(self.steps, 2 * steps)
        return tuple(found)

    def forecast(self) -> tuple[Forecast, ...]:
        """One configuration for step 0, whose prompts are known, and one per check."""
        start = (Forecast(new_prompts=False),) if self.compare else ()
        search = (
            Forecast(train_rows=self.backward * self.batch_rows * steps)
            for settings, steps in self.rungs
            for _ in range(settings)
        )
        shown = self.backward * self.batch_rows * self.steps // len(self.after)
        checks = [Forecast(train_rows=shown) for _ in self.after] * self.members
        together = (Forecast(),) if self.members > 1 else ()
        return (*start, *search, *checks, *together)

    def fit(
        self,
        trials: Sequence[Trial],
        candidate: Candidate,
        train: Sequence[Example],
        context: FitContext,
        together: Callable[[Sequence[Candidate]], Candidate] | None = None,
    ) -> Candidate:
        """Search among settings if there are several, train the best, keep the best on dev.

        Args:
            trials: as many as `searched`.
            candidate: what is trained on top of.
            train: rows; those without an answer to imitate are left out.
            context: scores, and gives model, clock and checkpoints.
            together: makes one candidate of the best of every member.

        Raises:
            Stopped: nothing beat step 0, or training could not be done.
        """
        rows = [row for row in train if row.expected]  # `[]` is unanswerable
        best, best_score = candidate, -math.inf
        found = False
        if self.compare:
            best_score = context.evaluate(candidate, "step 0").rank
        left = list(trials)
        for settings, steps in self.rungs:
            scored = []
            for trial in left[:settings]:
                for _, loss, made in _learn(trial, candidate, rows, context, self, steps, (steps,)):
                    name = f"{trial.name}, {steps} steps"
                    score = _score(context, made, name, loss)
                    scored.append((score, trial))
                    if score > best_score:
                        best, best_score, found = made, score, True
            ranked = sorted(scored, key=lambda one: -one[0])  # stable: the first on a tie
            left = [trial for _, trial in ranked[: max(1, settings // 2)]]
        chosen = left[0]
        members = []
        for member in range(self.members):
            own, own_score = candidate, -math.inf
            for step, loss, made in _learn(
                chosen, candidate, rows, context, self, self.steps, self.after, member
            ):
                name = f"step {step}" if self.searched == 1 else f"{chosen.name}, step {step}"
                score = _score(context, made, f"seed {member}, {name}" if member else name, loss)
                if score > own_score:
                    own, own_score = made, score
            members.append(own)
            if own_score > best_score or not (found or self.compare):
                best, best_score, found = own, own_score, True
        if together is not None and self.members > 1:
            made = together(members)
            score = context.evaluate(made, f"{self.members} seeds together").rank
            if score > best_score:
                best, best_score, found = made, score, True
        if not found:
            raise Stopped("training never beat the prompt it started from on dev")
        return best


def _learn(
    trial: Trial,
    candidate: Candidate,
    rows: Sequence[Example],
    context: FitContext,
    plan: TrainingPlan,
    steps: int,
    checks: Sequence[int],
    member: int = 0,
) -> Iterator[tuple[int, float, Candidate]]:
    from accordeur.training.fit import trained
    from accordeur.training.memory import release
    from accordeur.training.schedule import Schedule

    schedule = Schedule(steps, plan.batch_rows, trial.rate)
    try:
        yield from trained(
            trial.recipe(), candidate, rows, context, schedule, checks, member=member
        )
    finally:
        release()  # the trained model is gone by now


def _score(context: FitContext, made: Candidate, name: str, loss: float) -> float:
    context.log(f"{name}: loss {loss:.3f}")
    return context.evaluate(made, name).rank


def default_steps(rows: int, batch_rows: int, effort: int) -> int:
    """Steps for so many train rows; fewer when the plan allows only few configurations."""
    usual = max(FEWEST, min(MOST, math.ceil(PASSES * rows / batch_rows)))
    return max(1, min(PER_EFFORT * effort, round(usual * min(1.0, 0.2 + 0.15 * effort))))


def positive(settings: Mapping[str, Any]) -> None:
    """Refuse counts and rates that are not above zero; `None` is a default and passes.

    Raises:
        ValueError: one is not positive.
    """
    for name, value in settings.items():
        if value is not None and not value > 0:
            raise ValueError(f"`{name}` must be positive")
