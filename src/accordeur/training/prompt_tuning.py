"""From a candidate and train rows to candidates with a soft prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError, TaskError
from accordeur.core.lever import FitContext, Stopped
from accordeur.core.model import FloatArray
from accordeur.core.task import Example
from accordeur.parts.prompt import Prompt
from accordeur.parts.rendering import lead_text
from accordeur.parts.soft_prompt import SoftPrompt
from accordeur.training.schedule import Schedule
from accordeur.training.soft_prompt import embed, tune
from accordeur.training.stopping import each_step, local_model
from accordeur.training.task_rows import prompt_fingerprint, task_rows


def tuned_prompts(
    candidate: Candidate,
    train: Sequence[Example],
    context: FitContext,
    schedule: Schedule,
    *,
    mode: Literal["replace", "insert"],
    tokens: int,
    checks: Sequence[int],
) -> Iterator[tuple[int, float, Candidate]]:
    """Step, loss and candidate after every check.

    Args:
        candidate: its prompt is where the virtual tokens stand.
        train: rows to learn from, each with an answer.
        context: gives the model, the seed and the clock.
        schedule: as `tune`.
        mode: see `SoftPrompt`.
        tokens: at most so many are trained.
        checks: rising step numbers.

    Raises:
        ModelError: the model's weights are not here.
        TaskError: `replace` without an instruction, or a row that cannot be trained on.
        Stopped: the clock ran out, or the loss became no number.
    """
    model = local_model(context)
    loaded = model.modules()
    prompt = candidate.part(Prompt) or Prompt(candidate.task.instruction)
    if mode == "replace":
        lead = model.chat.plain(lead_text(prompt.instruction))
        if not lead:
            raise TaskError(
                "There is no instruction whose embeddings a soft prompt could start from.",
                hint="write `instruction` in task.yaml, or use the mode `insert`",
            )
        start: FloatArray = embed(loaded, lead)
    else:
        texts = [label.text for label in candidate.task.labels] or [candidate.task.instruction]
        ids = [at for text in texts for at in model.chat.plain(text)] or [0]
        start = embed(loaded, np.resize(ids, tokens).tolist())
    trained = min(tokens, len(start))
    first = int(loaded.model.get_input_embeddings().weight.shape[0])
    virtual = range(first, first + len(start))
    part = SoftPrompt(
        mode,
        start,
        start[:0],
        trained,
        model.identity.name,
        prompt_fingerprint(candidate),
        int(loaded.config.num_hidden_layers),
        int(loaded.config.num_attention_heads),
    )
    chat = model.chat.with_virtual(virtual)
    rows = task_rows(candidate.with_part(part), train, context, chat)
    header = rows[0].prefix[: rows[0].prefix.index(first)]
    part = replace(part, header=embed(loaded, header))
    try:
        for tuned in tune(
            loaded,
            rows,
            virtual,
            start,
            trained,
            schedule,
            seed=context.seed,
            checks=checks,
            on_step=each_step(context, schedule.steps),
        ):
            made = candidate.with_part(replace(part, vectors=tuned.vectors))
            yield tuned.step, tuned.loss, made
    except ModelError as error:
        raise Stopped(error.message) from error
