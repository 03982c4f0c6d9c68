"""How long, how fast, and in which order a lever trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from accordeur.training.rows import TrainingRow


@dataclass(frozen=True, slots=True)
class Schedule:
    """Counts are fixed before training; the clock only cuts.

    Attributes:
        steps: optimiser steps.
        batch_rows: rows of a step.
        learning_rate: peak.
        warmup: share of the steps in which the rate rises linearly; it then falls linearly to 0.
        clip: largest norm of the gradient.
        average: what a check holds is the running average of the last steps (`averages.py`).
    """

    steps: int
    batch_rows: int
    learning_rate: float
    warmup: float = 0.1
    clip: float = 1.0
    average: bool = True

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        rising = max(1, round(self.warmup * self.steps))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        return self.learning_rate * (self.steps - step) / max(1, self.steps - rising)


def batches(
    rows: Sequence[TrainingRow], schedule: Schedule, seed: int
) -> Iterator[tuple[TrainingRow, ...]]:
    """The rows of every step: whole passes over a new shuffle each, of rows with one prefix.

    Rows of other prefixes (nearest demonstrations have one each) form batches of their own. Within
    a pass, rows of similar length stand together, and batches come in random order.
    """
    draws = np.random.default_rng(seed)
    given = 0
    while True:
        for batch in _one_pass(rows, schedule.batch_rows, draws):
            if given == schedule.steps:
                return
            given += 1
            yield batch


def _one_pass(
    rows: Sequence[TrainingRow], size: int, draws: np.random.Generator
) -> list[tuple[TrainingRow, ...]]:
    groups: dict[tuple[int, ...], list[TrainingRow]] = {}
    for index in draws.permutation(len(rows)):
        groups.setdefault(rows[index].prefix, []).append(rows[index])
    found: list[tuple[TrainingRow, ...]] = []
    for members in groups.values():
        # Sorting all of a pass by length would put the same rows together in every pass.
        for start in range(0, len(members), 8 * size):
            window = sorted(members[start : start + 8 * size], key=lambda row: row.own)
            found += [tuple(window[at : at + size]) for at in range(0, len(window), size)]
    return [found[at] for at in draws.permutation(len(found))]
