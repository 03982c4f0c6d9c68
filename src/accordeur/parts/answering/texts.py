"""Answering by generating text (DESIGN P5), also the fallback for models that only chat."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from accordeur.core.answer import Answer, Reply
from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.model import Batch, Generated, Model, ModelSource, Pieces, Sampling
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.answering.prompted_model import PromptedModel
from accordeur.parts.answering.reading import read_text
from accordeur.parts.decoding import UNMEASURED_LIMIT, Decoding
from accordeur.parts.pattern import Pattern, Reason


class TextAnswerer:
    """Generates an answer and reads it; for a label task the label is parsed from the text."""

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
        self._prompted.refuse_mixtures()
        self._reasons = isinstance(candidate.parts.get("pattern"), Reason)
        self._sampling = text_sampling(candidate)
        decoding, task = candidate.part(Decoding), candidate.task
        if decoding is not None and decoding.choose and "pattern" not in candidate.parts:
            texts = tuple(label.text for label in task.labels)
            self._sampling = replace(self._sampling, choices=texts, choose=decoding.choose)

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
        for batch in self._prompted.generate(requests, self._sampling, done):
            answers = tuple(self._read(made, seconds) for made, seconds in batch.results)
            yield Batch(batch.indices, answers, batch.seconds, batch.tokens)

    def stream(self, request: Request, *, again: int = 0) -> Pieces:
        """The text as the model writes it, reasoning included; see `StreamingAnswerer`."""
        prompt = self._prompted.render([request])[0]
        sampling = replace(self._sampling, seed=self._sampling.seed + again)
        return self._prompted.model.stream(prompt, sampling)

    def _read(self, made: Generated, seconds: float) -> Answer:
        trace = (Reply("reasoning", made.text, made.finished),) if self._reasons else ()
        return replace(read_text(made, self.candidate.task, seconds), trace=trace)


def text_sampling(candidate: Candidate) -> Sampling:
    """How a candidate writes: its decoding, with the limit of its pattern where that has one."""
    decoding = candidate.part(Decoding) or Decoding("generate")
    pattern = candidate.parts.get("pattern")
    limit = pattern.max_tokens if isinstance(pattern, Pattern) else decoding.max_tokens
    # A candidate made for scoring sets no limit; it comes here with a model that only writes.
    return replace(decoding.sampling, max_tokens=limit or UNMEASURED_LIMIT)
