"""What training will take, from three steps that change nothing.

The shortest, the middle and the longest batch of the schedule go forward and backward once after a
first one that warms up. Seconds are fitted as a line over computed positions and summed over the
batches to come; memory is what they took, the batch with the largest part (`gradient.py`) among
them, and the optimiser's moments.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accordeur.core.errors import ModelError
from accordeur.training.gradient import backward, batch_parts, positions
from accordeur.training.memory import PeakWatch, available
from accordeur.training.rows import TrainingRow
from accordeur.training.schedule import Schedule, batches
from accordeur.training.trainee import Trainee

ROOM = 0.9
"""Share of the free memory that training may take."""

_FLOAT = 4


@dataclass(frozen=True, slots=True)
class Forecast:
    """Before training.

    Attributes:
        seconds: of all steps; checks on dev come on top.
        bytes: above what is in use now: activations, gradients, moments; `None` where this system
            does not tell.
        free: bytes that can be taken, or `None`.
        positions: computed in all steps, padding included.
    """

    seconds: float
    bytes: int | None
    free: int | None
    positions: int

    @property
    def fits(self) -> bool:
        """Whether memory suffices, as far as anyone knows."""
        return self.bytes is None or self.free is None or self.bytes < ROOM * self.free


def state_bytes(trainee: Trainee) -> int:
    """Gradients and Adam's two moments of everything that moves."""
    return 3 * _FLOAT * sum(one.master.numel() for one in trainee.moving)


def computed(trainee: Trainee, batch: Sequence[TrainingRow]) -> int:
    """Positions of all parts of a batch."""
    return sum(positions(part) for part in batch_parts(trainee, batch))


def _largest(trainee: Trainee, batch: Sequence[TrainingRow]) -> int:
    """Positions of a batch's largest part: what sets its memory."""
    return max(positions(part) for part in batch_parts(trainee, batch))


def trial(trainee: Trainee, rows: Sequence[TrainingRow], schedule: Schedule, seed: int) -> Forecast:
    """Measure; nothing that moves has moved afterwards.

    Raises:
        ModelError: memory does not suffice for the moments alone.
    """
    device = trainee.ground.device
    free = available(device)
    fixed = state_bytes(trainee)
    if free is not None and fixed > ROOM * free:
        raise ModelError(too_little(fixed, free), hint="a smaller model, or close other programs")
    plan = sorted(batches(rows, schedule, seed), key=lambda batch: computed(trainee, batch))
    watch = PeakWatch(device)
    watch.begin()  # before the first step: what it frees stays resident and is taken again
    _once(trainee, plan[0])
    seconds = [(computed(trainee, batch), _once(trainee, batch)) for batch in _three(plan)]
    largest = max(plan, key=lambda batch: _largest(trainee, batch))
    if _largest(trainee, largest) > _largest(trainee, plan[-1]):
        _once(trainee, largest)  # the batch that takes longest is not the one that needs most
    taken = watch.end()
    sizes = [computed(trainee, batch) for batch in plan]
    return Forecast(
        _line(seconds, sizes),
        None if taken is None else taken + fixed,
        free,
        sum(sizes),
    )


def too_little(needed: int, free: int) -> str:
    """The sentence for memory that will not suffice."""
    return f"training needs about {needed / 2**30:.1f} GiB of memory; {free / 2**30:.1f} are free"


def _three(plan: Sequence[Sequence[TrainingRow]]) -> list[Sequence[TrainingRow]]:
    return [plan[0], plan[len(plan) // 2], plan[-1]]


def _once(trainee: Trainee, batch: Sequence[TrainingRow]) -> float:
    """Seconds of one forward and backward pass; gradients are thrown away."""
    began = time.perf_counter()
    backward(trainee, batch)
    for one in trainee.moving:
        one.master.grad = None
    return time.perf_counter() - began


def _line(measured: Sequence[tuple[int, float]], sizes: Sequence[int]) -> float:
    """Seconds of all sizes: a line with a slope and an offset that are not negative."""
    x, y = (np.array(values, dtype=np.float64) for values in zip(*measured, strict=True))
    if np.ptp(x) == 0:
        return float(y.mean() * len(sizes))
    slope, offset = np.polyfit(x, y, 1)
    if slope < 0:
        slope, offset = 0.0, y.mean()
    elif offset < 0:
        slope, offset = (x @ y) / (x @ x), 0.0
    return float(slope * sum(sizes) + offset * len(sizes))
