"""From a candidate and train rows to candidates with a soft prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError, TaskError
from accordeur.core.fingerprint import digest, digest_bytes
from accordeur.core.lever import FitContext, Stopped
from accordeur.core.model import Embedder, FloatArray, Model
from accordeur.core.rendering import Request
from accordeur.core.task import Example
from accordeur.models.local.model import LocalModel
from accordeur.parts.answering.prompting import Prompting
from accordeur.parts.prompt import Prompt
from accordeur.parts.rendering import lead_text
from accordeur.parts.soft_prompt import SoftPrompt
from accordeur.training.rows import TrainingRow, training_rows
from accordeur.training.schedule import Schedule
from accordeur.training.soft_prompt import embed, tune


class _Source:
    """The models of a `FitContext` as a `ModelSource`."""

    def __init__(self, context: FitContext) -> None:
        self._context = context

    def model(self, name: str) -> Model:
        return self._context.model

    def embedder(self, name: str) -> Embedder:
        return self._context.embedder


class SoftPromptTrainer:
    """Trains the virtual tokens of one candidate.

    Args:
        candidate: its prompt is where they stand.
        train: rows to learn from, each with an answer; none stands among its own demonstrations.
        context: gives the model, the clock and the source of embedders.
        mode: see `SoftPrompt`.
        tokens: at most so many are trained.

    Raises:
        ModelError: the model's weights are not here.
        TaskError: `replace` without an instruction, or a row that cannot be trained on.
    """

    def __init__(
        self,
        candidate: Candidate,
        train: Sequence[Example],
        context: FitContext,
        mode: Literal["replace", "insert"],
        tokens: int,
    ) -> None:
        model = context.model
        if not isinstance(model, LocalModel):
            raise ModelError("Training needs a model whose weights are here.", hint="local/smollm2")
        self._candidate = candidate
        self._context = context
        self._loaded = model.modules()
        self._base = model.identity.name
        prompt = candidate.part(Prompt) or Prompt(candidate.task.instruction)
        lead = model.chat.plain(lead_text(prompt.instruction))
        if mode == "replace" and not lead:
            raise TaskError(
                "There is no instruction whose embeddings a soft prompt could start from.",
                hint="write `instruction` in task.yaml, or use the mode `insert`",
            )
        self._start = self._first_vectors(mode, lead, tokens)
        self._trained = min(tokens, len(self._start))
        first = int(self._loaded.model.get_input_embeddings().weight.shape[0])
        self._virtual = range(first, first + len(self._start))
        config = self._loaded.config
        files = {name: digest_bytes(data) for name, data in prompt.files().items()}
        self._part = SoftPrompt(
            mode,
            self._start,
            self._start[:0],
            self._trained,
            self._base,
            digest(files),
            int(config.num_hidden_layers),
            int(config.num_attention_heads),
        )
        self._rows = self._training_rows(train, model)
        header = self._rows[0].prefix
        header = header[: header.index(self._virtual[0])]
        self._part = replace(self._part, header=embed(self._loaded, header))

    def train(
        self,
        *,
        steps: int,
        batch_rows: int,
        learning_rate: float,
        seed: int,
        checks: Sequence[int],
    ) -> Iterator[tuple[int, float, Candidate]]:
        """Step, loss and candidate after every check; arguments as `tune`.

        Raises:
            Stopped: the clock ran out, or the loss became no number.
        """
        schedule = Schedule(steps, batch_rows, learning_rate)

        def on_step(taken: int) -> None:
            self._context.progress("training", taken, steps)
            if self._context.budget.spent and taken < steps:
                raise Stopped(f"the time budget ended after {taken} of {steps} steps", cut=True)

        try:
            for tuned in tune(
                self._loaded,
                self._rows,
                self._virtual,
                self._start,
                self._trained,
                schedule,
                seed=seed,
                checks=checks,
                on_step=on_step,
            ):
                part = replace(self._part, vectors=tuned.vectors)
                yield tuned.step, tuned.loss, self._candidate.with_part(part)
        except ModelError as error:
            raise Stopped(error.message) from error

    def _first_vectors(
        self, mode: Literal["replace", "insert"], lead: Sequence[int], tokens: int
    ) -> FloatArray:
        """The instruction's embeddings, or those of the label texts over and over."""
        if mode == "replace":
            return embed(self._loaded, lead)
        texts = [label.text for label in self._candidate.task.labels] or [
            self._candidate.task.instruction
        ]
        from accordeur.models.local.template import ChatTokenizer

        chat = ChatTokenizer(self._loaded.tokenizer)
        ids = [at for text in texts for at in chat.plain(text)] or [0]
        return embed(self._loaded, np.resize(ids, tokens).tolist())

    def _training_rows(self, train: Sequence[Example], model: LocalModel) -> list[TrainingRow]:
        candidate = self._candidate.with_part(self._part)
        prompting = Prompting(candidate, _Source(self._context))
        rendered = prompting.render([Request.from_example(row, training=True) for row in train])
        labelled = candidate.task.kind == "labels"
        answers = [
            candidate.task.label_text(row.label) if labelled else (row.expected or ("",))[0]
            for row in train
        ]
        chat = model.chat.with_virtual(self._virtual)
        return training_rows(chat, rendered, answers, model.context_window)
