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
"""Positions of the rows of a part; about 1 MB each for a model of SmolLM2's shape in bfloat16."""


def positions(part: Sequence[TrainingRow]) -> int:
    """Positions a part computes: the prefix once, then every row as long as the longest."""
    return len(part[0].prefix) + _own(part)


def parts(batch: Sequence[TrainingRow], most: int) -> list[Sequence[TrainingRow]]:
    """The rows in order, as many together as have at most `most` positions of their own.

    Behind a longer prefix they may have as many as the prefix: every part computes it anew, and so
    that stays below twice the rows' own positions. A single longer row is a part of its own.
    """
    most = max(most, len(batch[0].prefix))
    found, first = list[Sequence[TrainingRow]](), 0
    for end in range(1, len(batch) + 1):
        if end == len(batch) or _own(batch[first : end + 1]) > most:
            found.append(batch[first:end])
            first = end
    return found


def _own(part: Sequence[TrainingRow]) -> int:
    return len(part) * max(row.own for row in part)


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
