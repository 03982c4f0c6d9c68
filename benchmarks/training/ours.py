"""Our side as a worker: the loop and losses of `accordeur.training`, one step per turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from accordeur.models.local import adapter
from accordeur.models.local.adapter import Loaded
from accordeur.training import soft_prompt
from accordeur.training.lora import inject
from accordeur.training.loop import train
from accordeur.training.rows import TrainingRow
from accordeur.training.shared_prefix import batch_loss
from accordeur.training.soft_prompt import embedding_rms, tune, vectors_of
from benchmarks.training.turns import Turns, asked
from benchmarks.training.work import SEED, Work, work

Step = Callable[[int], None]


class Record:
    """`batch_loss` that remembers the last mean loss and the positions computed."""

    loss = 0.0
    tokens = 0

    def __call__(
        self, loaded: Loaded, rows: Sequence[TrainingRow], prefix: Tensor | None
    ) -> tuple[Tensor, int]:
        loss, targets = batch_loss(loaded, rows, prefix)
        self.loss = float(loss.detach()) / targets
        width = max(row.own for row in rows)
        self.tokens = len(rows) * width + (0 if prefix is None else len(prefix))
        return loss, targets


def weights(
    loaded: Loaded, study: Work, moving: list[Tensor], record: Record, on_step: Step
) -> Iterator[Any]:
    """LoRA or all weights."""

    def loss_of(batch: Sequence[TrainingRow]) -> tuple[Tensor, int]:
        prefix = batch[0].prefix
        return record(loaded, batch, vectors_of(loaded, prefix) if prefix else None)

    return train(
        moving, loss_of, study.rows, study.schedule, seed=SEED, checks=(), on_step=on_step
    )


def vectors(
    loaded: Loaded, study: Work, virtual: range, first: Any, on_step: Step
) -> Iterator[Any]:
    """A soft prompt."""
    from dataclasses import replace

    rate = study.schedule.learning_rate / embedding_rms(loaded)  # `tune` takes a share
    return tune(
        loaded,
        study.rows,
        virtual,
        np.array(first, dtype=np.float32),
        len(virtual),
        replace(study.schedule, learning_rate=rate),
        seed=SEED,
        checks=(),
        on_step=on_step,
    )


def main() -> None:
    job = asked()
    turns = Turns()
    torch.set_num_threads(job["threads"])
    loaded = adapter.load(
        Path(job["model"]), dtype=getattr(torch, job["dtype"]), device=torch.device("cpu")
    )
    virtual = range(*job["virtual"])
    study = work(job["method"], job["steps"], shared=job["shared"], virtual=virtual)
    record = Record()

    def on_step(_: int) -> None:
        turns.done(record.loss, tokens=record.tokens)

    facts: dict[str, Any] = {}
    if job["method"] == "soft":
        run = vectors(loaded, study, virtual, job["start"], on_step)
    else:
        if job["method"] == "lora":
            moving = inject(
                loaded, rank=job["rank"], alpha=job["alpha"], rank_stable=False, seed=SEED
            )
        else:
            moving = [p for n, p in loaded.model.named_parameters() if "embed_tokens" not in n]
            for one in moving:
                one.requires_grad_(True)
        facts = {"sum": sum(float(one.detach().double().sum()) for one in moving)}
        run = weights(loaded, study, moving, record, on_step)
    turns.ready(**facts)
    with mock.patch.object(soft_prompt, "batch_loss", record):
        for _ in run:
            pass


if __name__ == "__main__":
    main()
