"""Answering a label task by scoring every label (DESIGN P4)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from accordeur.core.answer import Answer, Status
from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError
from accordeur.core.model import Batch, Model, ModelSource, Scored
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.answering.prompted_model import PromptedModel
from accordeur.parts.calibration import Calibration, label_probabilities


class LabelAnswerer:
    """Scores all labels after each prompt; the answer is argmax_j (s_j + b_j)."""

    def __init__(
        self,
        candidate: Candidate,
        source: ModelSource,
        model: Model,
        cache: AnswerCache | None,
        repeat: int = 0,
    ) -> None:
        self.candidate = candidate
        self._prompted = PromptedModel(candidate, source, model, cache, repeat)
        self._names = [label.name for label in candidate.task.labels]
        self._texts = [label.text for label in candidate.task.labels]
        calibration = candidate.part(Calibration)
        self._bias: tuple[float, ...] | None = None
        if calibration is not None:
            known = dict(zip(calibration.labels, calibration.bias, strict=True))
            if missing := [name for name in self._names if name not in known]:
                raise BundleError(
                    f"The calibration has no bias for the label `{missing[0]}`.",
                    hint="save the bundle again from its run",
                )
            self._bias = tuple(known[name] for name in self._names)

    @property
    def model(self) -> Model | None:
        """The language model, with what training added."""
        return self._prompted.model

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """The prompts."""
        return self._prompted.render(requests)

    def forget(self) -> None:
        """Drop the model's prefixes."""
        self._prompted.forget()

    def answer(
        self, requests: Sequence[Request], *, done: Collection[int] = ()
    ) -> Iterator[Batch[Answer]]:
        """Answers in the model's batches, cached ones first."""
        for batch in self._prompted.score(requests, self._texts, done):
            answers = tuple(self._read(scored, seconds) for scored, seconds in batch.results)
            yield Batch(batch.indices, answers, batch.seconds, batch.tokens)

    def _read(self, scored: Scored, seconds: float) -> Answer:
        if scored.error:
            return Answer("", Status.ERROR, usage=scored.usage, seconds=seconds, error=scored.error)
        table = label_probabilities(scored.scores, self._bias)
        name = self._names[int(np.argmax(table))]
        return Answer(
            name,
            label=name,
            scores=scored.scores,
            probabilities=tuple(float(p) for p in table),
            usage=scored.usage,
            seconds=seconds,
        )
