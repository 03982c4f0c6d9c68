"""What both sides train on: the same tokens, in the same batches, in the same order.

500 train questions of banking77 with their intents, behind an instruction of ours that makes the
shared prefix 100 tokens long; or without it, where rows share nothing.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from typing import Any

from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models import catalog
from accordeur.models.local.template import ChatTokenizer
from accordeur.training.rows import TrainingRow, training_rows
from accordeur.training.schedule import Schedule, batches
from benchmarks.engine.work import flops
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
VIRTUAL = 20
VOCABULARY = 49_152
RATES = {"lora": 5e-4, "soft": 0.07, "full": 3e-5}
"""Peaks; that of the soft prompt is a share of the embeddings' root mean square."""


@dataclass(frozen=True, slots=True)
class Work:
    """Rows of one study and the batches of its steps.

    Attributes:
        rows: with one prefix, which may be empty.
        schedule: of both sides.
        batches: rows of every step.
        virtual: virtual tokens at the beginning of every prefix.
    """

    rows: list[TrainingRow]
    schedule: Schedule
    batches: list[tuple[TrainingRow, ...]]
    virtual: int

    def peer(self, scale: float) -> dict[str, Any]:
        """What the peer gets: whole rows, the length of their prompts, every step's rate.

        Args:
            scale: factor of the learning rates.
        """
        skip = self.virtual  # PEFT puts its virtual tokens there itself
        return {
            "batches": [
                [[*row.prefix[skip:], *row.row, *row.answer] for row in batch]
                for batch in self.batches
            ],
            "prompts": [
                [len(row.prefix) - skip + len(row.row) for row in batch] for batch in self.batches
            ],
            "rates": [scale * self.schedule.rate(step) for step in range(self.schedule.steps)],
            "clip": self.schedule.clip,
        }


@functools.cache
def tokenizer() -> ChatTokenizer:
    """Of SmolLM2."""
    import transformers

    folder = str(catalog.ready(catalog.SMOLLM2))
    return ChatTokenizer(transformers.AutoTokenizer.from_pretrained(folder))


def work(method: str, steps: int, *, shared: bool) -> Work:
    """The study of a method.

    Args:
        method: a key of `RATES`.
        steps: optimiser steps.
        shared: behind the instruction, or each row alone.
    """
    chat = tokenizer()
    drawn = random.Random(SEED).sample(read("banking77", "train"), EXAMPLES)
    lead = Segment(f"{INSTRUCTION}\n\n", shared=True)
    asked = [Rendered((Message("user", (lead, Segment(row["input"], "data"))),)) for row in drawn]
    rows = training_rows(chat, asked, [row["expected"].replace("_", " ") for row in drawn], 2_048)
    if not shared:
        header = chat.pieces(asked[0])[0].tokens[-3:]  # `<|im_start|>user` and a line break
        rows = [TrainingRow((), (*header, *row.row), row.answer) for row in rows]
    virtual = VIRTUAL if method == "soft" else 0
    soft = tuple(range(VOCABULARY, VOCABULARY + virtual))
    rows = [TrainingRow((*soft, *row.prefix), row.row, row.answer) for row in rows]
    schedule = Schedule(steps, BATCH, RATES[method])
    return Work(rows, schedule, list(batches(rows, schedule, SEED)), virtual)


def needed(batch: tuple[TrainingRow, ...], *, once: bool, targets: bool) -> float:
    """Operations of the forward pass over a batch, padding included.

    Args:
        batch: rows with one prefix.
        once: the prefix is computed once, not in every row.
        targets: logits are made for answers alone, not for every position.
    """
    width = max(row.own for row in batch)
    prefix, rows = len(batch[0].prefix), len(batch)
    if once:
        positions = prefix + rows * width
        seen = prefix * (prefix + 1) // 2 + rows * width * (2 * prefix + width + 1) // 2
    else:
        width += prefix
        positions, seen = rows * width, rows * width * (width + 1) // 2
    answers = sum(len(row.answer) for row in batch)
    return flops(positions, seen, answers if targets else positions)
