"""Has the base model write what is searched for, through the answer cache.

The base model writes, not what training made of it: a model that was trained to answer writes
answers, and the passages that training rows are shown must be those that are found in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from accordeur.core.answer import Answer, Reply, Status
from accordeur.core.cache import AnswerCache
from accordeur.core.model import Generated, Model, Usage
from accordeur.core.rendering import Request
from accordeur.parts.answering.calls import call_keys, through_cache
from accordeur.parts.answering.members import total_usage
from accordeur.parts.answering.prompted_model import decode_text, encode_text
from accordeur.parts.retrieval.queries import (
    Way,
    query_prompt,
    query_sampling,
    question_of,
    read_queries,
)

REPLY = "search queries"
"""Name of what the model wrote, in a trace."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is searched for.

    Attributes:
        texts: each of them; what several find is joined.
        reply: what the model wrote on the way; `None` where it was not asked.
        usage: tokens of its call.
        seconds: the call took.
        error: why there is no reply, for an endpoint; the answer is then missing, not wrong.
    """

    texts: tuple[str, ...]
    reply: Reply | None = None
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    error: str = ""

    @classmethod
    def itself(cls, request: Request) -> Sought:
        """The question as it is."""
        return cls((question_of(request),))

    def told(self, answer: Answer) -> Answer:
        """The answer with what writing queries for it took."""
        if self.reply is None and not self.error:
            return answer
        answer = replace(
            answer,
            usage=total_usage([self.usage, answer.usage]),
            seconds=self.seconds + answer.seconds,
            trace=answer.trace if self.reply is None else (self.reply, *answer.trace),
        )
        return replace(answer, status=Status.ERROR, error=self.error) if self.error else answer


class QueryWriter:
    """Writes queries.

    Args:
        way: what is written.
        model: the base model.
        cache: calls that were made before are not made again.
        repeat: index of a repeated measurement.
    """

    def __init__(
        self, way: Way, model: Model, cache: AnswerCache | None = None, repeat: int = 0
    ) -> None:
        self.way = way
        self._model = model
        self._cache = cache
        self._repeat = repeat

    def forget(self) -> None:
        """Drop the model's prefixes."""
        self._model.forget()

    def write(self, requests: Sequence[Request]) -> list[Sought]:
        """What is searched for each request; one that asks nothing costs no call."""
        sought = [Sought.itself(one) for one in requests]
        places = [at for at, one in enumerate(sought) if one.texts[0].strip()]
        prompts = [query_prompt(requests[at], self.way) for at in places]
        sampling = query_sampling(self.way)
        asked = {"generate": sampling.to_json()}
        batches = through_cache(
            self._cache,
            call_keys(self._model.identity, prompts, asked, repeat=self._repeat),
            (),
            lambda done: self._model.generate(prompts, sampling, done=done),
            encode_text,
            decode_text,
        )
        for batch in batches:
            for index, (made, seconds) in zip(batch.indices, batch.results, strict=True):
                at = places[index]
                sought[at] = self._read(made, sought[at].texts[0], seconds)
        return sought

    def _read(self, made: Generated, question: str, seconds: float) -> Sought:
        if made.error:
            return Sought((question,), None, made.usage, seconds, made.error)
        queries = read_queries(made.text, question, self.way, finished=made.finished)
        texts = queries or (question,)
        if self.way == "several":
            texts = (question, *queries)
        return Sought(texts, Reply(REPLY, made.text, made.finished), made.usage, seconds)
