"""A running average of what moves: what is scored and kept is the average, what trains is not.

B. Polyak and A. Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992, in the
exponential form in common use since. The last steps of a short training on few rows are as much
noise as progress; their average has less of the noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from accordeur.core.model import FloatArray
from accordeur.training.trainee import Trainee

WINDOW = 1 / 8
"""Share of all steps over which the average reaches back: its decay is 1 - 1 / (steps * WINDOW)."""


class Averages:
    """The averages of one training; until a step is added there are none.

    Args:
        trainee: whose masters are averaged.
        steps: of the whole training.
    """

    def __init__(self, trainee: Trainee, steps: int) -> None:
        self._trainee = trainee
        self._weight = 1 / max(1.0, steps * WINDOW)
        self._held: list[Tensor] = []
        self._added = 0

    def add(self) -> None:
        """Take in the masters after a step.

        The first steps weigh equally: an average that began at the start would still hold it.
        """
        masters = [one.master.detach() for one in self._trainee.moving]
        self._added += 1
        weight = max(self._weight, 1 / self._added)
        if not self._held:
            self._held = [master.clone() for master in masters]
        else:
            torch._foreach_lerp_(self._held, masters, weight)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While it lasts, the masters hold their averages."""
        if not self._held:
            yield
            return
        own = [one.master.detach().clone() for one in self._trainee.moving]
        self._put(self._held)
        try:
            yield
        finally:
            self._put(own)

    def arrays(self) -> dict[str, FloatArray]:
        """Of a checkpoint, by the name of what moves."""
        names = [one.name for one in self._trainee.moving]
        held = (tensor.float().cpu().numpy() for tensor in self._held)
        return dict(zip(names, held, strict=False))

    def load(self, arrays: Mapping[str, FloatArray], step: int) -> None:
        """Go on from a checkpoint written after so many steps."""
        self._held = [
            torch.from_numpy(arrays[one.name]).to(one.master.device) for one in self._trainee.moving
        ]
        self._added = step

    def _put(self, tensors: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for one, tensor in zip(self._trainee.moving, tensors, strict=True):
                one.master.copy_(tensor)
        self._trainee.spread()
