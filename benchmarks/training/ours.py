"""Our side as a worker: the loop and trainees of `accordeur.training`, one step per turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from accordeur.core.candidate import Candidate
from accordeur.core.task import TaskBrief
from accordeur.models.local import adapter
from accordeur.models.local.template import ChatTokenizer
from accordeur.parts.soft_prompt import SoftPrompt
from accordeur.training.full import AllWeights
from accordeur.training.gradient import MOST_POSITIONS, positions
from accordeur.training.ground import Ground
from accordeur.training.loop import train
from accordeur.training.lora import LowRank
from accordeur.training.rows import TrainingRow
from accordeur.training.soft_prompt import VirtualTokens
from accordeur.training.trainee import Moving, Trainee
from benchmarks.training.turns import Turns, asked
from benchmarks.training.work import SEED, work

NAME = "smollm2"


class Told:
    """A trainee that remembers its last mean loss and the positions computed for it."""

    def __init__(self, inner: Trainee) -> None:
        self._inner = inner
        self.mean = 0.0
        self.positions = 0

    @property
    def ground(self) -> Ground:
        return self._inner.ground

    @property
    def moving(self) -> Sequence[Moving]:
        return self._inner.moving

    def loss(self, rows: Sequence[TrainingRow]) -> tuple[Tensor, int]:
        loss, tokens = self._inner.loss(rows)
        assert positions(rows) <= MOST_POSITIONS["cpu"], "the race is of batches in one part"
        self.mean, self.positions = float(loss.detach()) / tokens, positions(rows)
        return loss, tokens

    def gather(self) -> None:
        self._inner.gather()

    def spread(self) -> None:
        self._inner.spread()

    def candidate(self) -> Candidate:
        return self._inner.candidate()


def trainee(job: dict[str, Any]) -> Trainee:
    """What the job's method trains, at step 0."""
    dtype, place = getattr(torch, job["dtype"]), Path(job["model"])
    loaded = adapter.load(place, dtype=dtype, device=torch.device("cpu"))
    weight, chat = loaded.head.weight, ChatTokenizer(loaded.tokenizer)
    none = weight.new_zeros(0, weight.shape[1])
    ground = Ground(NAME, loaded, chat, none, (), (), loaded.context_window)
    candidate = Candidate(TaskBrief("t", "", "", "labels", (), "accuracy"), NAME)
    if job["method"] == "lora":
        return LowRank(job["rank"], job["alpha"]).begin(candidate, ground, SEED)
    if job["method"] == "full":
        return AllWeights().begin(candidate, ground, SEED)
    start = np.array(job["start"], dtype=np.float32)
    layers, heads = int(loaded.config.num_hidden_layers), int(loaded.config.num_attention_heads)
    part = SoftPrompt("insert", start, start[:0], len(start), NAME, "", layers, heads)
    return VirtualTokens(candidate, ground.with_virtual(torch.from_numpy(start)), part)


def main() -> None:
    job = asked()
    turns = Turns()
    torch.set_num_threads(job["threads"])
    study = work(job["method"], job["steps"], shared=job["shared"])
    told = Told(trainee(job))
    run = train(
        told,
        study.rows,
        study.schedule,
        seed=SEED,
        checks=(),
        on_step=lambda _: turns.done(told.mean, positions=told.positions),
    )
    masters = [one.master.detach() for one in told.moving]
    turns.ready(
        sum=sum(float(one.double().sum()) for one in masters),
        trained=sum(one.numel() for one in masters),
    )
    for _ in run:
        pass


if __name__ == "__main__":
    main()
