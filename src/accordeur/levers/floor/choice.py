"""Trying the few configurations of a floor on dev."""

from __future__ import annotations

from collections.abc import Iterable

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast
from accordeur.core.part import Part
from accordeur.core.task import TaskBrief


def best_on_dev(
    task: TaskBrief, options: Iterable[tuple[str, Part]], context: FitContext
) -> Candidate:
    """Score each option as a candidate of its own and keep the best, the first one on ties.

    Args:
        task: the words of the task.
        options: configuration name and part, made one at a time; at least one. No more than
            `context.effort` are taken, and always the first.
        context: scores them.
    """
    best: Candidate | None = None
    best_score = float("-inf")
    for number, (name, part) in enumerate(options):
        if number >= max(1, context.effort):
            break
        candidate = Candidate(task, None).with_part(part)
        score = context.evaluate(candidate, name).rank
        if best is None or score > best_score:
            best, best_score = candidate, score
    if best is None:
        raise ValueError("there is no option to choose from")
    return best


def work_of(options: int, effort: int) -> tuple[Forecast, ...]:
    """What `best_on_dev` will score, for the plan: no floor asks a language model anything."""
    return (Forecast(uses_model=False),) * min(options, max(1, effort))
