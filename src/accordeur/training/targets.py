"""What is going to be learned, decoded for people to read before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accordeur.core.errors import TaskError
from accordeur.models.local.pieces import PromptTokenizer
from accordeur.training.rows import TrainingRow

SHOWN = 2
TAIL = 24
"""Tokens of the prompt that are shown before the answer."""


def targets(chat: PromptTokenizer, rows: Sequence[TrainingRow]) -> dict[str, Any]:
    """Counts, and some rows as `masked` text (no loss) and `trained` text.

    Raises:
        TaskError: an answer does not end with the end of turn, so the model would never stop.
    """
    endless = sum(row.answer[-1] != chat.end_of_turn for row in rows)
    if endless:
        raise TaskError(
            f"{endless} train rows have an answer without end of turn: the model would learn never "
            "to stop.",
            hint="report this; answers are given their end by `training_rows`",
        )
    lengths = [len(row.prefix) + len(row.row) + len(row.answer) for row in rows]
    return {
        "rows": len(rows),
        "prefixes": len({row.prefix for row in rows}),
        "prefix_tokens": max(len(row.prefix) for row in rows),
        "longest": max(lengths),
        "mean_length": sum(lengths) / len(lengths),
        "answer_tokens": sum(len(row.answer) for row in rows),
        "end_of_turn": chat.decode([chat.end_of_turn], special=True),
        "shown": [
            {
                "masked": chat.decode((*row.prefix, *row.row)[-TAIL:], special=True),
                "trained": chat.decode(row.answer, special=True),
            }
            for row in rows[:SHOWN]
        ],
    }
