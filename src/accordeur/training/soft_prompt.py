"""Prompt tuning: vectors of virtual tokens learned by gradient, the model frozen.

B. Lester, R. Al-Rfou and N. Constant, The Power of Scale for Parameter-Efficient Prompt Tuning,
EMNLP 2021. Where we differ: the virtual tokens stand inside the chat-templated prompt, at the place
of the instruction, and start as its own embeddings, so step 0 is the hand-written prompt; the
learning rate is a share of the embeddings' root mean square, since a rate made for T5 does
nothing to a model whose embeddings are of another size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from accordeur.core.model import FloatArray
from accordeur.training.loop import train
from accordeur.training.rows import TrainingRow
from accordeur.training.schedule import Schedule
from accordeur.training.shared_prefix import batch_loss

if TYPE_CHECKING:
    from accordeur.models.local.adapter import Loaded


@dataclass(frozen=True, slots=True)
class Tuned:
    """A soft prompt at one step.

    Attributes:
        step: optimiser steps taken.
        vectors: float32 [n, width].
        loss: mean over the last quarter of the steps, nats per answer token.
    """

    step: int
    vectors: FloatArray
    loss: float


def embedding_rms(loaded: Loaded) -> float:
    """Root mean square of the embedding table."""
    table = loaded.model.get_input_embeddings().weight
    return float(table.float().square().mean().sqrt())


def embed(loaded: Loaded, tokens: Sequence[int]) -> FloatArray:
    """Embeddings of tokens, float32 [tokens, width]."""
    with torch.no_grad():
        found: FloatArray = vectors_of(loaded, tokens).float().cpu().numpy()
    return found


def vectors_of(loaded: Loaded, tokens: Sequence[int]) -> Tensor:
    """Embeddings of tokens as the model computes them, [tokens, width]."""
    table = loaded.model.get_input_embeddings()
    found: Tensor = table(torch.tensor(tokens, dtype=torch.long, device=table.weight.device))
    return found


def tune(
    loaded: Loaded,
    rows: Sequence[TrainingRow],
    virtual: range,
    start: FloatArray,
    trained: int,
    schedule: Schedule,
    *,
    seed: int,
    checks: Sequence[int],
    on_step: Callable[[int], None] = lambda _: None,
) -> Iterator[Tuned]:
    """Train, handing out the vectors after every step named in `checks`.

    Args:
        loaded: the model's modules, frozen.
        rows: their prefixes hold the tokens of `virtual` once, as a run.
        virtual: ids that stand for the vectors.
        start: [n, width], step 0.
        trained: how many vectors, the last ones, may move; their masters are float32 whatever the
            model computes in.
        schedule: its learning rate is a share of the embeddings' root mean square.
        seed, checks, on_step: as `train`.

    Raises:
        ModelError: the loss is no number any more.
    """
    device = loaded.head.weight.device
    fixed = torch.from_numpy(start[: len(start) - trained]).to(device)
    moving = torch.from_numpy(start[len(start) - trained :].copy()).to(device).requires_grad_(True)
    rate = schedule.learning_rate * embedding_rms(loaded)

    def loss_of(batch: Sequence[TrainingRow]) -> tuple[Tensor, int]:
        vectors = torch.cat((fixed, moving))
        return batch_loss(loaded, batch, _prefix(loaded, batch[0].prefix, virtual, vectors))

    for step, loss in train(
        [moving],
        loss_of,
        rows,
        replace(schedule, learning_rate=rate),
        seed=seed,
        checks=checks,
        on_step=on_step,
    ):
        yield Tuned(step, torch.cat((fixed, moving.detach())).cpu().numpy(), loss)


def _prefix(loaded: Loaded, tokens: Sequence[int], virtual: range, vectors: Tensor) -> Tensor:
    """Embeddings of a prefix, virtual tokens included, [P, width]."""
    first = tokens.index(virtual[0])
    before, after = tokens[:first], tokens[first + len(virtual) :]
    parts = [
        vectors_of(loaded, before),
        vectors.to(loaded.head.weight.dtype),
        vectors_of(loaded, after),
    ]
    return torch.cat([part for part in parts if len(part)])
