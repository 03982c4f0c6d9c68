"""Answering with the part in slot `classifier`: no language model."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from accordeur.core.answer import Answer, Status
from accordeur.core.candidate import Candidate
from accordeur.core.model import Batch, FloatArray, ModelSource
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.answering.embedding import matching_embedder
from accordeur.parts.classifier import LabelClassifier, TextClassifier
from accordeur.parts.classifier.silence import Silence


class ClassifierAnswerer:
    """Runs a classifier over all requests at once: it is cheap and independent of companions."""

    def __init__(self, candidate: Candidate, source: ModelSource) -> None:
        self.candidate = candidate
        part = candidate.parts["classifier"]
        if not isinstance(part, LabelClassifier | TextClassifier):
            raise TypeError(f"{type(part).__name__} is no classifier")
        self._part = part
        self._source = source

    @property
    def model(self) -> None:
        """No language model."""
        return None

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """Nothing: no prompt is made."""
        return []

    def forget(self) -> None:
        """Nothing is kept."""

    def _embed(self, texts: Sequence[str]) -> FloatArray:
        assert self._part.embedder is not None
        embedder = matching_embedder(self._source, self._part.embedder, self._part.embedder_digest)
        return embedder.embed(texts)

    def answer(
        self, requests: Sequence[Request], *, done: Collection[int] = ()
    ) -> Iterator[Batch[Answer]]:
        """One batch with every request."""
        if len(set(done)) >= len(requests):
            return
        started = time.perf_counter()
        if isinstance(self._part, TextClassifier):
            texts = self._part.predict_text(requests)
            nothing = Status.ABSTAINED if isinstance(self._part, Silence) else Status.EMPTY
            answers = [Answer(text, Status.OK if text.strip() else nothing) for text in texts]
        else:
            embed = self._embed if self._part.embedder else None
            table = self._part.predict([request.text for request in requests], embed)
            names = [label.name for label in self.candidate.task.labels]
            answers = [
                Answer(
                    names[int(np.argmax(row))],
                    label=names[int(np.argmax(row))],
                    probabilities=tuple(float(p) for p in row),
                )
                for row in table
            ]
        seconds = time.perf_counter() - started
        share = seconds / len(requests)
        timed = [
            Answer(one.text, one.status, one.label, probabilities=one.probabilities, seconds=share)
            for one in answers
        ]
        yield Batch(tuple(range(len(requests))), tuple(timed), seconds)
