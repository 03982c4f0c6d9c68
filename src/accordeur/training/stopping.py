"""What every trained lever does alike: watch the clock, ask dev now and then, keep the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.lever import FitContext, Stopped
from accordeur.models.local.model import LocalModel


def local_model(context: FitContext) -> LocalModel:
    """The run's model, if its weights are here.

    Raises:
        ModelError: they are not.
    """
    model = context.model
    if not isinstance(model, LocalModel):
        raise ModelError("Training needs a model whose weights are here.", hint="-m local/smollm2")
    return model


def each_step(context: FitContext, steps: int) -> Callable[[int], None]:
    """Tells how far training is after each step and ends it when the clock has run out."""

    def on_step(taken: int) -> None:
        context.progress("training", taken, steps)
        if context.budget.spent and taken < steps:
            raise Stopped(f"the time budget ended after {taken} of {steps} steps", cut=True)

    return on_step


def keep_best(
    candidate: Candidate,
    found: Iterable[tuple[int, float, Candidate]],
    context: FitContext,
    *,
    compare: bool,
) -> Candidate:
    """Score what training hands out on dev and keep the best, the first on a tie.

    Args:
        candidate: step 0.
        found: step, loss and candidate, in order.
        compare: score step 0 too; something must beat it.

    Raises:
        Stopped: nothing beat step 0.
    """
    best, best_score = candidate, -math.inf
    if compare:
        best_score = context.evaluate(candidate, "step 0").rank
    for step, loss, made in found:
        context.log(f"step {step}: loss {loss:.3f}")
        score = context.evaluate(made, f"step {step}").rank
        if score > best_score or (not compare and best is candidate):
            best, best_score = made, score
    if best is candidate:
        raise Stopped("training never beat the prompt it started from on dev")
    return best


def check_steps(steps: int, effort: int, *, compare: bool) -> tuple[int, ...]:
    """Steps after which dev is asked: with step 0 at most `effort`, four at most, the last too."""
    count = max(1, min(effort - compare, 4, steps))
    return tuple(round(steps * (at + 1) / count) for at in range(count))
