"""The gradient of one batch, taken in parts so that long rows do not take all memory at once.

Rows of a batch stand by length; a part holds as many as fit a budget of positions. The gradients of
the parts add up to that of the batch: each is weighed by the answer tokens of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from accordeur.training.rows import TrainingRow
from accordeur.training.trainee import Trainee

MOST_POSITIONS = {"cpu": 2048, "cuda": 16384}
"""Positions of a part; about 1 MB each for a model of SmolLM2's shape in bfloat16."""


def positions(part: Sequence[TrainingRow]) -> int:
    """Positions a part computes: the prefix once, then every row as long as the longest."""
    return len(part[0].prefix) + len(part) * max(row.own for row in part)


def parts(batch: Sequence[TrainingRow], most: int) -> list[Sequence[TrainingRow]]:
    """The rows in order, as many together as compute at most `most` positions.

    A single row that computes more is a part of its own.
    """
    found, first = list[Sequence[TrainingRow]](), 0
    for end in range(1, len(batch) + 1):
        if end == len(batch) or positions(batch[first : end + 1]) > most:
            found.append(batch[first:end])
            first = end
    return found


def batch_parts(trainee: Trainee, batch: Sequence[TrainingRow]) -> list[Sequence[TrainingRow]]:
    """The parts of a batch on the device it is computed on."""
    kind = trainee.ground.device.type
    return parts(batch, MOST_POSITIONS.get(kind, MOST_POSITIONS["cpu"]))


def backward(trainee: Trainee, batch: Sequence[TrainingRow]) -> float:
    """The batch's mean loss per answer token, nats; its gradient is brought to the masters."""
    tokens = sum(len(row.answer) for row in batch)
    total = torch.zeros((), device=trainee.ground.device)
    for part in batch_parts(trainee, batch):
        loss, _ = trainee.loss(part)
        torch.autograd.backward([loss / tokens])
        trainee.gather()
        total += loss.detach()
    return float(total) / tokens
