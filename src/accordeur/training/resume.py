"""Training goes on where a killed process left off, and computes the same numbers.

Two kinds of checkpoint: `state-STEP` holds everything the loop needs (what moves, its average,
Adam's moments, the losses so far); `check-STEP` holds what a check showed, so that a resumed fit
can hand out the same candidates again. The last two states are kept, in case the newer is damaged.
The order of rows is a function of the seed, which the checkpoints' key contains.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from accordeur.core.checkpoints import Checkpoints, Saved
from accordeur.core.model import FloatArray
from accordeur.training.averages import Averages
from accordeur.training.trainee import Trainee

EVERY = 60.0
"""Seconds between states. Writing one must also have taken less than a twentieth of the pause."""

_STATE, _CHECK = "state-", "check-"

_AVERAGE = "average."


@dataclass(slots=True)
class State:
    """Where training stands.

    Attributes:
        step: optimiser steps taken.
        losses: nats per answer token, of every step.
        seconds: spent in these steps, over all processes.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def recent(self) -> float:
        """Mean over the last quarter of the losses."""
        last = self.losses[-max(1, len(self.losses) // 4) :]
        return sum(last) / len(last)


class Keeper:
    """Writes and finds the checkpoints of one training.

    Args:
        checkpoints: of this fit.
        every: seconds between states; 0 writes one after every step.

    Attributes:
        state: where training stands.
        passed: step and loss of the checks before that.
    """

    def __init__(self, checkpoints: Checkpoints, every: float = EVERY) -> None:
        self.state = State()
        self.passed: list[tuple[int, float]] = []
        self._checkpoints = checkpoints
        self._every = every
        self._last = time.monotonic()
        self._took = 0.0
        self._found: Saved | None = None

    def due(self) -> bool:
        """Whether a state should be written now."""
        pause = max(self._every, 20 * self._took) if self._every else 0.0
        return time.monotonic() - self._last >= pause

    def save(
        self, trainee: Trainee, adam: torch.optim.Adam, averages: Averages | None = None
    ) -> None:
        """Write the state; older ones but the last are forgotten.

        Raises:
            StoreError: it cannot be written; the ones before are kept.
        """
        began, state = time.monotonic(), self.state
        arrays = _moving(trainee)
        for one in trainee.moving:
            for moment in ("exp_avg", "exp_avg_sq"):
                arrays[f"{moment}.{one.name}"] = _array(adam.state[one.master][moment])
        if averages is not None:
            arrays |= {f"{_AVERAGE}{name}": held for name, held in averages.arrays().items()}
        facts = {"step": state.step, "losses": state.losses, "seconds": state.seconds}
        self._checkpoints.write(f"{_STATE}{state.step:07d}", arrays, facts)
        for name in self._names(_STATE)[:-2]:
            self._checkpoints.remove(name)
        self._last = time.monotonic()
        self._took = self._last - began

    def made(self, trainee: Trainee, step: int, loss: float) -> None:
        """Write what a check shows. Errors as `save`."""
        self._checkpoints.write(f"{_CHECK}{step:07d}", _moving(trainee), {"loss": loss})

    def find(self, trainee: Trainee, checks: Sequence[int]) -> None:
        """Set `state` and `passed` to the newest state that is whole, with every check before it.

        A damaged state, or one whose checks are damaged, is passed over for the one before it.
        """
        shapes = {name: array.shape for name, array in _moving(trainee).items()}
        for name in reversed(self._names(_STATE)):
            saved = self._checkpoints.read(name)
            if saved is None or any(
                name not in saved[0] or saved[0][name].shape != shape
                for name, shape in shapes.items()
            ):
                continue
            facts = saved[1]
            state = State(int(facts["step"]), list(facts["losses"]), float(facts["seconds"]))
            before = [step for step in checks if step <= state.step]
            losses = [loss for step in before if (loss := self._loss(step)) is not None]
            if len(losses) == len(before):
                self._found, self.state = saved, state
                self.passed = list(zip(before, losses, strict=True))
                return

    def _loss(self, step: int) -> float | None:
        saved = self._checkpoints.read(f"{_CHECK}{step:07d}")
        return None if saved is None else float(saved[1]["loss"])

    def show(self, trainee: Trainee, step: int) -> None:
        """Put what moves back to what it was at a check."""
        saved = self._checkpoints.read(f"{_CHECK}{step:07d}")
        assert saved is not None
        _put(trainee, saved[0])

    def load(
        self, trainee: Trainee, adam: torch.optim.Adam, averages: Averages | None = None
    ) -> None:
        """Put everything to the state that was found; nothing without one."""
        if self._found is None:
            return
        arrays = self._found[0]
        _put(trainee, arrays)
        for one in trainee.moving:
            adam.state[one.master] = {
                # A fused step counts on the device.
                "step": torch.tensor(float(self.state.step), device=one.master.device),
                **{
                    moment: torch.from_numpy(arrays[f"{moment}.{one.name}"]).to(one.master.device)
                    for moment in ("exp_avg", "exp_avg_sq")
                },
            }
        if averages is not None:
            held = {one.name: arrays[f"{_AVERAGE}{one.name}"] for one in trainee.moving}
            averages.load(held, self.state.step)
        self._found = None

    def _names(self, kind: str) -> list[str]:
        return [name for name in self._checkpoints.names() if name.startswith(kind)]


def _moving(trainee: Trainee) -> dict[str, FloatArray]:
    return {one.name: _array(one.master) for one in trainee.moving}


def _array(tensor: torch.Tensor) -> FloatArray:
    found: FloatArray = tensor.detach().float().cpu().numpy()
    return found


def _put(trainee: Trainee, arrays: Mapping[str, FloatArray]) -> None:
    with torch.no_grad():
        for one in trainee.moving:
            one.master.copy_(torch.from_numpy(arrays[one.name]))
    trainee.spread()
