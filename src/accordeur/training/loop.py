"""The optimiser loop that every trained lever shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from accordeur.core.errors import ModelError
from accordeur.training.rows import TrainingRow
from accordeur.training.schedule import Schedule, batches

Loss = Callable[[Sequence[TrainingRow]], tuple[Tensor, int]]
"""Summed negative log-likelihood of a batch's answers, nats, and its number of tokens."""


def train(
    parameters: Sequence[Tensor],
    loss_of: Loss,
    rows: Sequence[TrainingRow],
    schedule: Schedule,
    *,
    seed: int,
    checks: Sequence[int],
    on_step: Callable[[int], None],
) -> Iterator[tuple[int, float]]:
    """Train, pausing after every step named in `checks` with the step and its recent loss.

    Adam without weight decay on the mean loss per answer token, the gradient's norm clipped.
    Deterministic for the same machine, threads and seed.

    Args:
        parameters: float32 masters of what moves.
        loss_of: the loss of rows with one prefix.
        rows: to learn from.
        schedule: counts and learning rate.
        seed: of the order of rows.
        checks: rising step numbers.
        on_step: told the steps taken after each; whatever it raises ends training.

    Raises:
        ModelError: the loss or a parameter is no number any more.
    """
    adam = torch.optim.Adam(list(parameters), lr=schedule.learning_rate)
    losses: list[float] = []
    for step, batch in enumerate(batches(rows, schedule, seed)):
        adam.param_groups[0]["lr"] = schedule.rate(step)
        loss, tokens = loss_of(batch)
        adam.zero_grad()
        torch.autograd.backward([loss / tokens])
        torch.nn.utils.clip_grad_norm_(parameters, schedule.clip)
        adam.step()
        losses.append(float(loss.detach()) / tokens)
        finite = all(bool(torch.isfinite(one).all()) for one in parameters)
        if not (finite and losses[-1] < float("inf")):
            raise ModelError(
                f"Training left the numbers at step {step + 1}: the loss is {losses[-1]}.",
                hint="a smaller learning rate",
            )
        on_step(step + 1)
        if step + 1 in checks:
            recent = losses[-max(1, len(losses) // 4) :]
            yield step + 1, sum(recent) / len(recent)
