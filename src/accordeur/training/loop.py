"""The optimiser loop that every trained lever shares."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch

from accordeur.core.errors import ModelError
from accordeur.training.averages import Averages
from accordeur.training.gradient import backward
from accordeur.training.resume import Keeper, State
from accordeur.training.rows import TrainingRow
from accordeur.training.schedule import Schedule, batches
from accordeur.training.trainee import Trainee


def train(
    trainee: Trainee,
    rows: Sequence[TrainingRow],
    schedule: Schedule,
    *,
    seed: int,
    checks: Sequence[int],
    keeper: Keeper | None = None,
    on_step: Callable[[int], object] = lambda _: None,
) -> Iterator[tuple[int, float]]:
    """Train, pausing after every step named in `checks` with the step and its recent loss.

    Adam without weight decay on the mean loss per answer token, the gradient's norm clipped.
    Deterministic for the same machine, threads and seed, and through `keeper` also when it was
    killed in between: no random number is drawn but the order of rows, which the seed fixes.

    Args:
        trainee: what moves; at each pause it holds what the pause is about, which is the average of
            the last steps where the schedule says so.
        rows: to learn from.
        schedule: counts and learning rate.
        seed: of the order of rows.
        checks: rising step numbers.
        keeper: writes checkpoints; goes on from what its `find` has found.
        on_step: told the steps taken after each; whatever it raises ends training.

    Raises:
        ModelError: the loss or its gradient is no number any more.
        StoreError: a checkpoint cannot be written.
    """
    adam = optimiser(trainee)
    averages = Averages(trainee, schedule.steps) if schedule.average else None
    state = State()
    if keeper is not None:
        state = keeper.state
        for passed, recent in keeper.passed:
            keeper.show(trainee, passed)
            yield passed, recent
        keeper.load(trainee, adam, averages)
    for step, batch in enumerate(batches(rows, schedule, seed)):
        if step < state.step:
            continue
        began = time.perf_counter()
        rate = schedule.rate(step)
        for group, one in zip(adam.param_groups, trainee.moving, strict=True):
            group["lr"] = rate * one.rate
        mean = backward(trainee, batch)
        norm = torch.nn.utils.clip_grad_norm_([one.master for one in trainee.moving], schedule.clip)
        if not (math.isfinite(mean) and math.isfinite(float(norm)) and math.isfinite(rate)):
            raise ModelError(
                f"Training broke down at step {step + 1}: the loss is {mean}, the norm of "
                f"its gradient {float(norm)}, the learning rate {rate}.",
                hint="a smaller learning rate",
            )
        adam.step()
        adam.zero_grad()
        trainee.spread()
        if averages is not None:
            averages.add()
        state.losses.append(mean)
        state.step = step + 1
        state.seconds += time.perf_counter() - began
        check = step + 1 in checks
        if keeper is not None and check:
            with _shown(averages):
                keeper.made(trainee, step + 1, state.recent)  # before the state that counts on it
        if keeper is not None and (check or keeper.due()):
            keeper.save(trainee, adam, averages)
        on_step(step + 1)
        if check:
            with _shown(averages):
                yield step + 1, state.recent


def _shown(averages: Averages | None) -> AbstractContextManager[None]:
    return nullcontext() if averages is None else averages.in_place()


def optimiser(trainee: Trainee) -> torch.optim.Adam:
    """Adam over what moves, a group each so that learning rates may differ."""
    groups = [{"params": [one.master]} for one in trainee.moving]
    return torch.optim.Adam(groups, lr=0.0, fused=True)
