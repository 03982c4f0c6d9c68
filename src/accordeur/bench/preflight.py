"""Checks before anything is spent: of the data, of lengths, of the first prompt.

Data checks come from `tasks.checks`; what needs a tokenizer or embeddings is added here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accordeur.core.model import Embedder, Model
from accordeur.core.rendering import Rendered, Request
from accordeur.core.task import Example, Task
from accordeur.parts.answering.answerer import Answerer
from accordeur.tasks.checks import Check, run_checks
from accordeur.tasks.checks.near_leakage import check_near_leakage

NEAR_ROWS = 12_000
"""Rows above which near leakage is not looked for: embedding them would outlast the run."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found.

    Attributes:
        checks: in the order of the table.
        first_prompt: the decoded prompt of dev row 0 as the model receives it, empty without one.
    """

    checks: tuple[Check, ...]
    first_prompt: str = ""


def preflight(
    task: Task,
    *,
    model: Model | None,
    embedder: Embedder | None,
    base: Answerer | None,
    answer_tokens: int,
) -> Preflight:
    """Run every check.

    Args:
        base: the as-is candidate, whose prompts are measured.
        answer_tokens: room the answer needs in the model's context.
    """
    checks = run_checks(task)
    rows = len(task.train) + len(task.dev) + (task.held_out.count if task.held_out else 0)
    if embedder is not None and rows <= NEAR_ROWS:
        checks.append(check_near_leakage(task, embedder.embed))
    elif embedder is not None:
        message = f"Not looked for: {rows:,} rows are more than {NEAR_ROWS:,}."
        checks.append(Check("near leakage", "warn", message))
    else:
        checks.append(Check("near leakage", "warn", "Not looked for: no embedding model."))
    first_prompt = ""
    if model is not None and base is not None:
        checks.append(_lengths(task, model, base, answer_tokens))
        first_prompt = model.prompt_text(base.render([Request.from_example(task.dev[0])])[0])
    return Preflight(tuple(checks), first_prompt)


def _lengths(task: Task, model: Model, base: Answerer, answer_tokens: int) -> Check:
    """Prompt lengths against the model's context; ids of rows that will be cut."""
    room = model.context_window - answer_tokens

    def count(rows: Sequence[Example]) -> tuple[list[int], list[str]]:
        rendered: list[Rendered] = base.render([Request.from_example(row) for row in rows])
        lengths = [model.prompt_tokens(one)[0] for one in rendered]
        cut = [row.id for row, n in zip(rows, lengths, strict=True) if n > room]
        return lengths, cut

    lengths, cut = count([*task.train, *task.dev])
    if task.held_out is not None:
        more_lengths, more_cut = task.held_out.audit(count)
        lengths, cut = lengths + more_lengths, cut + more_cut
    spread = f"{int(np.median(lengths))} median, {max(lengths)} longest"
    message = f"Prompts take {spread} tokens; the context holds {model.context_window:,}."
    if cut:
        message += f" {len(cut)} rows are too long and will be cut from the left."
        return Check("length", "warn", message, tuple(cut[:200]))
    return Check("length", "ok", message)
