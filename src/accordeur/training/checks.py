"""When a trained lever asks dev, what that will take, and what it keeps. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Stopped

MOST = 4
"""Checks of one training at most: each is a configuration that the verdict pays for."""

_BACKWARD = 2
"""A row costs its forward pass and about as much backward while the base model is frozen."""


@dataclass(frozen=True, slots=True)
class Checks:
    """The steps after which dev is asked.

    Attributes:
        steps: optimiser steps in all.
        effort: configurations the plan allows.
        must_improve: something must beat step 0, which is then scored too, unless the effort is 1.
    """

    steps: int
    effort: int
    must_improve: bool

    @property
    def compare(self) -> bool:
        """Whether step 0 is scored."""
        return self.must_improve and self.effort > 1

    @property
    def after(self) -> tuple[int, ...]:
        """Rising step numbers, the last step among them."""
        count = max(1, min(self.effort - self.compare, MOST, self.steps))
        return tuple(round(self.steps * (at + 1) / count) for at in range(count))

    def forecast(self, batch_rows: int) -> tuple[Forecast, ...]:
        """One configuration for step 0, whose prompts are known, and one per check."""
        shown = _BACKWARD * batch_rows * self.steps // len(self.after)
        start = (Forecast(new_prompts=False),) if self.compare else ()
        return (*start, *(Forecast(train_rows=shown) for _ in self.after))

    def keep_best(
        self,
        candidate: Candidate,
        found: Iterable[tuple[int, float, Candidate]],
        context: FitContext,
    ) -> Candidate:
        """Score what training hands out on dev and keep the best, the first on a tie.

        Args:
            candidate: step 0.
            found: step, loss and candidate after every check.
            context: scores them.

        Raises:
            Stopped: nothing beat step 0.
        """
        best: Candidate | None = None
        best_score = -math.inf
        if self.compare:
            best_score = context.evaluate(candidate, "step 0").rank
        for step, loss, made in found:
            context.log(f"step {step}: loss {loss:.3f}")
            score = context.evaluate(made, f"step {step}").rank
            if score > best_score or (best is None and not self.compare):
                best, best_score = made, score
        if best is None:
            raise Stopped("training never beat the prompt it started from on dev")
        return best
