"""Prompt tuning: vectors of virtual tokens learned by gradient, the model frozen.

B. Lester, R. Al-Rfou and N. Constant, The Power of Scale for Parameter-Efficient Prompt Tuning,
EMNLP 2021. Where we differ: the virtual tokens stand inside the chat-templated prompt, at the place
of the instruction, and start as its own embeddings, so step 0 is the hand-written prompt; the
learning rate is a share of the embeddings' root mean square, since a rate made for T5 does
nothing to a model whose embeddings are of another size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from accordeur.core.errors import ModelError
from accordeur.core.model import FloatArray
from accordeur.training.rows import TrainingRow
from accordeur.training.schedule import Schedule, batches
from accordeur.training.shared_prefix import batch_loss

if TYPE_CHECKING:
    from accordeur.models.local.adapter import Loaded


@dataclass(frozen=True, slots=True)
class Tuned:
    """A soft prompt at one step.

    Attributes:
        step: optimiser steps taken.
        vectors: float32 [n, width].
        loss: mean over the last steps' answer tokens, nats.
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
    table = loaded.model.get_input_embeddings()
    ids = torch.tensor(list(tokens), dtype=torch.long, device=table.weight.device)
    with torch.no_grad():
        found: FloatArray = table(ids).float().cpu().numpy()
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

    Deterministic for the same machine, threads and seed. Adam without weight decay; masters are
    float32 whatever the model computes in.

    Args:
        loaded: the model's modules, frozen.
        rows: their prefixes hold the tokens of `virtual` once, as a run.
        virtual: ids that stand for the vectors.
        start: [n, width], step 0.
        trained: how many vectors, the last ones, may move.
        schedule: its learning rate is a share of the embeddings' root mean square.
        seed: of the order of rows.
        checks: rising step numbers.
        on_step: told the steps taken after each; whatever it raises ends training.

    Raises:
        ModelError: the loss is no number any more.
    """
    device = loaded.head.weight.device
    rate = schedule.learning_rate * embedding_rms(loaded)
    fixed = torch.from_numpy(start[: len(start) - trained]).to(device)
    moving = torch.from_numpy(start[len(start) - trained :].copy()).to(device).requires_grad_(True)
    adam = torch.optim.Adam([moving], lr=rate)
    losses: list[float] = []
    for step, batch in enumerate(batches(rows, schedule, seed)):
        adam.param_groups[0]["lr"] = rate / schedule.learning_rate * schedule.rate(step)
        prefix = _prefix(loaded, batch[0].prefix, virtual, torch.cat((fixed, moving)))
        loss, tokens = batch_loss(loaded, batch, prefix)
        adam.zero_grad()
        torch.autograd.backward([loss / tokens])
        torch.nn.utils.clip_grad_norm_([moving], schedule.clip)
        adam.step()
        losses.append(float(loss.detach()) / tokens)
        if not (torch.isfinite(moving).all() and losses[-1] < float("inf")):
            raise ModelError(
                f"Training left the numbers at step {step + 1}: the loss is {losses[-1]}.",
                hint="a smaller learning rate",
            )
        on_step(step + 1)
        if step + 1 in checks:
            vectors: FloatArray = torch.cat((fixed, moving.detach())).cpu().numpy()
            recent = losses[-max(1, len(losses) // 4) :]
            yield Tuned(step + 1, vectors, sum(recent) / len(recent))


def _prefix(loaded: Loaded, tokens: Sequence[int], virtual: range, vectors: Tensor) -> Tensor:
    """Embeddings of a prefix, virtual tokens included, [P, width]."""
    first = tokens.index(virtual[0])
    before, after = tokens[:first], tokens[first + len(virtual) :]
    table = loaded.model.get_input_embeddings()
    device = vectors.device
    parts = [
        table(torch.tensor(before, dtype=torch.long, device=device)),
        vectors.to(loaded.head.weight.dtype),
        table(torch.tensor(after, dtype=torch.long, device=device)),
    ]
    return torch.cat([part for part in parts if len(part)])
