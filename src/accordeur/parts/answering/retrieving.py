"""Answering from documents: look up, put the passages before the request, let another answer."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from accordeur.core.answer import Answer, Reply, Status
from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.model import Batch, Model, ModelSource, Pieces, Usage
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.answering.answerer import Answerer, StreamingAnswerer
from accordeur.parts.answering.members import total_usage
from accordeur.parts.answering.texts import text_sampling
from accordeur.parts.decoding import Decoding
from accordeur.parts.pattern import Conversation
from accordeur.parts.retrieval.abstention import Signals, signals_of
from accordeur.parts.retrieval.part import Retrieval
from accordeur.parts.retrieval.queries import question_of
from accordeur.parts.retrieval.query_writer import QueryWriter, Sought
from accordeur.parts.retrieval.retriever import Looked, Retriever, told_of_passages

WITHHELD = "The documents do not answer this with enough certainty."
"""What is read where an answer is withheld."""

_REPLIES = 4
"""Answers' room that a conversation of several calls is left."""


def retrieving(
    candidate: Candidate,
    source: ModelSource,
    assemble: Callable[[Candidate], Answerer],
    cache: AnswerCache | None = None,
    repeat: int = 0,
) -> Answerer:
    """What answers for a candidate with a part in the slot `retrieval`.

    An answer that may be withheld cannot be streamed.

    Args:
        assemble: makes what answers a candidate without that slot.
        cache: where queries that the model writes are looked up first.
        repeat: index of a repeated measurement.
    """
    part = candidate.part(Retrieval)
    assert part is not None
    assert candidate.base is not None
    writer = None
    if part.queries is not None:
        writer = QueryWriter(part.queries, source.model(candidate.base), cache, repeat)
    answerer = RetrievingAnswerer(
        candidate,
        part,
        Retriever(part, source, writer),
        assemble(told_of_passages(candidate, part.words, quote=part.quote)),
    )
    if part.threshold is None and isinstance(answerer.inner, StreamingAnswerer):
        return StreamingRetrievingAnswerer(answerer, answerer.inner)
    return answerer


class RetrievingAnswerer:
    """Puts passages before each request.

    Args:
        candidate: it answers for.
        part: how passages are looked up.
        retriever: does it.
        inner: answers the request with its passages.
    """

    def __init__(
        self, candidate: Candidate, part: Retrieval, retriever: Retriever, inner: Answerer
    ) -> None:
        self.candidate = candidate
        self.inner = inner
        self._part = part
        self._retriever = retriever

    @property
    def model(self) -> Model | None:
        """The language model, with what training added."""
        return self.inner.model

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """The prompts, passages included."""
        return self.inner.render([one.request for one in self.look(requests)])

    def forget(self) -> None:
        """Drop the model's prefixes; the index stays open."""
        self.inner.forget()
        self._retriever.forget()

    def answer(
        self, requests: Sequence[Request], *, done: Collection[int] = ()
    ) -> Iterator[Batch[Answer]]:
        """Answers in the model's batches; each has its share of the search in its seconds, and what
        writing its queries took when that was first done."""
        sought = self._retriever.seek(requests)
        started = time.perf_counter()
        looked = self.look(requests, sought)
        share = (time.perf_counter() - started) / max(1, len(requests))
        for batch in self.inner.answer([one.request for one in looked], done=done):
            pairs = zip(batch.indices, batch.results, strict=True)
            answers = tuple(self._told(requests[at], looked[at], one, share) for at, one in pairs)
            written = [sought[at] for at in batch.indices]
            seconds = batch.seconds + sum(share + one.seconds for one in written)
            tokens = batch.tokens + sum(one.usage.computed_tokens for one in written)
            yield Batch(batch.indices, answers, seconds, tokens)

    def look(
        self, requests: Sequence[Request], sought: Sequence[Sought] | None = None
    ) -> list[Looked]:
        """The requests with their passages.

        Every prompt is made, answered or not: batches are formed from the whole list (P9).

        Args:
            requests: any number.
            sought: what is searched for each, where that is known.
        """
        model = self.model
        assert model is not None
        rooms = prompt_rooms(self.candidate, model, self.inner.render(requests))
        return self._retriever.look(requests, rooms, model.count_tokens, sought=sought)

    def _told(self, request: Request, looked: Looked, answer: Answer, share: float) -> Answer:
        """The answer with what was looked up; withheld where it is likely wrong."""
        signals = answer_signals(request, looked, answer)
        retrieved = replace(looked.retrieved, signals=signals.known)
        answer = replace(answer, seconds=answer.seconds + share, retrieved=retrieved)
        answer = looked.sought.told(answer)
        confidence = self._part.confidence
        if confidence is None or answer.status is Status.ERROR:
            return answer
        sure = confidence.probability(signals)
        answer = replace(answer, confidence=sure)
        threshold = self._part.threshold
        if threshold is None or sure >= threshold or answer.status is not Status.OK:
            return answer
        trace = (*answer.trace, Reply("withheld", answer.text))
        return replace(answer, text=WITHHELD, status=Status.ABSTAINED, label=None, trace=trace)


class StreamingRetrievingAnswerer:
    """A `RetrievingAnswerer` whose answer can be had piece by piece.

    Args:
        answerer: looks up.
        inner: streams; it is the answerer's own.
    """

    def __init__(self, answerer: RetrievingAnswerer, inner: StreamingAnswerer) -> None:
        self.candidate = answerer.candidate
        self.render = answerer.render
        self.forget = answerer.forget
        self.answer = answerer.answer
        self._answerer = answerer
        self._inner = inner

    @property
    def model(self) -> Model | None:
        """The language model, with what training added."""
        return self._answerer.model

    def stream(self, request: Request, *, again: int = 0) -> Pieces:
        """The text as the model writes it; see `StreamingAnswerer`.

        Raises:
            ModelError: an endpoint wrote no query.
        """
        looked = self._answerer.look([request])[0]
        if looked.sought.error:
            raise ModelError(looked.sought.error, hint="ask again")
        return _with_usage(self._inner.stream(looked.request, again=again), looked.sought.usage)


def _with_usage(pieces: Pieces, before: Usage) -> Pieces:
    """The pieces; the whole tells the tokens of the calls before it, too."""
    made = yield from pieces
    return replace(made, usage=total_usage([before, made.usage]))


def answer_signals(request: Request, looked: Looked, answer: Answer) -> Signals:
    """What is known of an answer from documents before anyone says whether it is right."""
    logprob = answer.logprob
    if answer.probabilities:
        logprob = math.log(max(1e-12, *answer.probabilities))
    shown = " ".join(one.text for one in looked.packed.shown)
    return signals_of(question_of(request), answer.text, logprob, looked.found, shown)


def prompt_rooms(candidate: Candidate, model: Model, prompts: Sequence[Rendered]) -> list[int]:
    """Tokens that each prompt leaves for passages, the answer's own room kept free."""
    left = model.context_window - answer_room(candidate, model)
    return [left - model.prompt_tokens(one)[0] for one in prompts]


def answer_room(candidate: Candidate, model: Model) -> int:
    """Tokens to leave for what the model writes, end of turn included."""
    decoding = candidate.part(Decoding)
    if candidate.task.kind == "labels" and (decoding is None or decoding.mode == "score"):
        return 2 + max(model.count_tokens(label.text) for label in candidate.task.labels)
    replies = _REPLIES if isinstance(candidate.parts.get("pattern"), Conversation) else 1
    return 2 + replies * text_sampling(candidate).max_tokens
