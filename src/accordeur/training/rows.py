"""Training rows as tokens: what is shown, and the answer that is to follow.

Prompt and answer are tokenised apart and concatenated, so no boundary moves between training and
use; the answer ends with the end of turn. What does not fit is refused, never cut: a cut answer
teaches the model not to stop (trl#6668 trains on rows without any target).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accordeur.core.errors import TaskError
from accordeur.core.rendering import Rendered
from accordeur.models.local.fitting import fit
from accordeur.models.local.pieces import PromptTokenizer


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One row.

    Attributes:
        prefix: tokens shared with the other rows of its candidate.
        row: the rest of the prompt; never empty.
        answer: tokens to be learned, the end of turn last.
    """

    prefix: tuple[int, ...]
    row: tuple[int, ...]
    answer: tuple[int, ...]

    @property
    def own(self) -> int:
        """Positions after the prefix that are computed."""
        return len(self.row) + len(self.answer) - 1


def training_rows(
    chat: PromptTokenizer, prompts: Sequence[Rendered], answers: Sequence[str], window: int
) -> list[TrainingRow]:
    """Rows for rendered prompts and the texts that should follow them.

    Raises:
        TaskError: no row, an answer without a token, or a row that does not fit the context.
    """
    rows = []
    for prompt, text in zip(prompts, answers, strict=True):
        answer = chat.continuation(text)
        if len(answer) < 2:
            raise TaskError(
                "A train row has an empty answer, so there is nothing to learn from it.",
                hint="remove rows with empty `expected` from the train split",
            )
        fitted = fit(chat, prompt, window, len(answer))
        if fitted.truncated or fitted.dropped:
            raise TaskError(
                f"A train row of {len(fitted.tokens)} tokens and its answer of {len(answer)} do "
                f"not fit the model's context of {window}.",
                hint="shorten or remove the longest train rows",
            )
        rows.append(TrainingRow(fitted.prefix, fitted.row, answer))
    if not rows:
        raise TaskError("There is no train row.", hint="name train rows in task.yaml")
    return rows
