"""What both sides train on: the same tokens, in the same batches, in the same order.

500 train questions of banking77 with their intents, behind an instruction of ours that makes the
shared prefix 100 tokens long; or without it, where rows share nothing but the user's header.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models import catalog
from accordeur.models.local.template import ChatTokenizer
from accordeur.training.rows import TrainingRow, training_rows
from accordeur.training.schedule import Schedule, batches
from benchmarks.engine.work import rows as read

INSTRUCTION = (
    "You read messages that customers send to their bank. Every message asks about one thing: a "
    "card, an account, a payment, a transfer, a top-up, a fee, an exchange rate or the customer's "
    "identity. Name the one intent that fits the message best, in a few words and in lower case. "
    "Do not answer the question and add nothing else."
)
EXAMPLES = 500
BATCH = 16
SEED = 0
RATES = {"lora": 5e-4, "soft": 1e-2, "full": 3e-5}
"""Peaks; that of the soft prompt is an absolute rate, some 0.07 of the embeddings' size."""


@dataclass(frozen=True, slots=True)
class Work:
    """Rows of one study and the batches of its steps.

    Attributes:
        rows: with one prefix, which may be empty.
        schedule: of both sides.
        batches: rows of every step.
    """

    rows: list[TrainingRow]
    schedule: Schedule
    batches: list[tuple[TrainingRow, ...]]

    def peer(self) -> dict[str, Any]:
        """What the peer gets: whole rows, the length of their prompts, and every step's rate."""
        return {
            "batches": [
                [[*row.prefix, *row.row, *row.answer] for row in batch] for batch in self.batches
            ],
            "prompts": [
                [len(row.prefix) + len(row.row) for row in batch] for batch in self.batches
            ],
            "rates": [self.schedule.rate(step) for step in range(self.schedule.steps)],
            "clip": self.schedule.clip,
        }


def tokenizer() -> ChatTokenizer:
    """Of SmolLM2."""
    import transformers

    folder = str(catalog.ready(catalog.SMOLLM2))
    return ChatTokenizer(transformers.AutoTokenizer.from_pretrained(folder))


def work(method: str, steps: int, *, shared: bool, virtual: range = range(0)) -> Work:
    """The study of a method.

    Args:
        method: a key of `RATES`.
        steps: optimiser steps.
        shared: behind the instruction, or each row alone.
        virtual: ids of virtual tokens, which stand first, where PEFT puts them.
    """
    chat = tokenizer()
    drawn = random.Random(SEED).sample(read("banking77", "train"), EXAMPLES)
    lead = Segment(f"{INSTRUCTION}\n\n", shared=True)
    asked = [Rendered((Message("user", (lead, Segment(row["input"], "data"))),)) for row in drawn]
    rows = training_rows(chat, asked, [row["expected"].replace("_", " ") for row in drawn], 2_048)
    if not shared:
        header = chat.pieces(asked[0])[0].tokens[-3:]  # `<|im_start|>user` and a line break
        rows = [TrainingRow((), (*header, *row.row), row.answer) for row in rows]
    soft = tuple(virtual)
    rows = [TrainingRow((*soft, *row.prefix), row.row, row.answer) for row in rows]
    schedule = Schedule(steps, BATCH, RATES[method])
    return Work(rows, schedule, list(batches(rows, schedule, SEED)))


def start(table: np.ndarray[Any, np.dtype[np.float32]], count: int) -> list[list[float]]:
    """Where virtual tokens start: vectors of tokens of the instruction."""
    ids = np.resize(tokenizer().plain(INSTRUCTION), count)
    vectors: list[list[float]] = table[ids].astype(float).tolist()
    return vectors
