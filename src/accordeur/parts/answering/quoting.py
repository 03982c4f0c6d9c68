"""Answering with a stretch of the passages that are shown, and nothing else.

A small model that writes freely loses its way; held to the passages it has only to point. What it
answers stands there word for word, so there is nothing to check and nothing invented; what it
cannot do is count, compare, or say yes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from accordeur.core.answer import Answer
from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.model import Batch, Capability, Generated, Model, ModelSource, Quoter
from accordeur.core.rendering import Rendered, Request
from accordeur.documents.quotes import quotable
from accordeur.parts.answering.prompted_model import PromptedModel
from accordeur.parts.answering.reading import read_text
from accordeur.parts.answering.texts import text_sampling
from accordeur.parts.retrieval.packing import texts_of


class QuotingAnswerer:
    """Quotes from the passages of a request's context; a request without any gets no answer.

    Raises:
        ModelError: the model cannot be held to texts.
    """

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
        self._limit = text_sampling(candidate).max_tokens
        held = self._prompted.model
        if not isinstance(held, Quoter) or Capability.QUOTE not in held.capabilities:
            raise ModelError(
                f"`{held.identity.name}` cannot be held to quotes from passages.",
                hint="--set retrieve.quote=false",
            )
        self._quoter = held

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
        """A quote for each request, cached ones first."""
        shown = [[quotable(text) for text in texts_of(one.context or "")] for one in requests]
        for batch in self._prompted.quote(requests, self._quoter, shown, self._limit, done):
            answers = tuple(self._read(made, seconds) for made, seconds in batch.results)
            yield Batch(batch.indices, answers, batch.seconds, batch.tokens)

    def _read(self, made: Generated, seconds: float) -> Answer:
        answer = read_text(made, self.candidate.task, seconds)
        return replace(answer, text=" ".join(made.text.split()))
