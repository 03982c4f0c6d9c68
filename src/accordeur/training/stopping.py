"""What every trainer does alike: find the weights, tell how far it is, watch the clock."""

from __future__ import annotations

from collections.abc import Callable

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
