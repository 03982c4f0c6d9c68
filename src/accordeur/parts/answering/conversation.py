"""Answering in several calls: each shows the model the conversation so far."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from accordeur.core.answer import Answer, Reply, Status
from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.model import Batch, Generated, Model, ModelSource
from accordeur.core.rendering import Message, Rendered, Request, Segment
from accordeur.parts.answering.members import total_usage
from accordeur.parts.answering.prompted_model import PromptedModel
from accordeur.parts.answering.reading import read_text
from accordeur.parts.answering.texts import text_sampling
from accordeur.parts.pattern import Conversation

BLOCK = 32
"""Requests that go through all calls together. A block that was not finished is asked again."""


@dataclass(slots=True)
class _Talk:
    """One request's conversation."""

    prompt: Rendered
    name: str
    replies: list[tuple[str, Generated]] = field(default_factory=list)
    seconds: float = 0.0
    lost: bool = False

    @property
    def texts(self) -> list[str]:
        return [made.text for _, made in self.replies]


class ConversationAnswerer:
    """Holds the conversation that the candidate's pattern prescribes.

    The earlier replies are the model's own words, so they stand in its turns as data.
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
        pattern = candidate.parts["pattern"]
        assert isinstance(pattern, Conversation)
        self._pattern: Conversation = pattern
        self._prompted = PromptedModel(candidate, source, model, cache, repeat)
        self._sampling = text_sampling(candidate)

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """The prompts of the first call."""
        return self._prompted.render(requests)

    def forget(self) -> None:
        """Drop the model's prefixes."""
        self._prompted.forget()

    def answer(
        self, requests: Sequence[Request], *, done: Collection[int] = ()
    ) -> Iterator[Batch[Answer]]:
        """Answers, block by block."""
        finished = frozenset(done)
        for start in range(0, len(requests), BLOCK):
            places = tuple(range(start, min(start + BLOCK, len(requests))))
            if not finished.issuperset(places):
                yield self._block(places, [requests[place] for place in places])

    def _block(self, places: tuple[int, ...], requests: Sequence[Request]) -> Batch[Answer]:
        first = self._pattern.first_reply
        talks = [_Talk(prompt, first) for prompt in self._prompted.render(requests)]
        active = talks
        seconds, tokens = 0.0, 0
        sampling = self._sampling
        if sampling.temperature > 0:
            # A model numbers what it is asked twice at once, and knows nothing of other blocks.
            sampling = replace(sampling, seed=sampling.seed + places[0])
        while active:
            batches = self._prompted.write([talk.prompt for talk in active], sampling)
            for batch in batches:
                seconds, tokens = seconds + batch.seconds, tokens + batch.tokens
                for index, (made, took) in zip(batch.indices, batch.results, strict=True):
                    talk = active[index]
                    talk.replies.append((talk.name, made))
                    talk.seconds += took
                    talk.lost = bool(made.error)
            active = [talk for talk in active if not talk.lost and self._go_on(talk)]
        return Batch(places, tuple(self._read(talk) for talk in talks), seconds, tokens)

    def _go_on(self, talk: _Talk) -> bool:
        """Whether another call follows; puts its prompt in place."""
        asked = self._pattern.follow(talk.texts)
        if asked is None:
            return False
        said = Segment(talk.texts[-1], "data")
        words = Segment(asked.text, "static" if asked.static else "data")
        more = (Message("assistant", (said,)), Message("user", (words,)))
        talk.prompt = replace(talk.prompt, messages=(*talk.prompt.messages, *more))
        talk.name = asked.reply
        return True

    def _read(self, talk: _Talk) -> Answer:
        last = talk.replies[-1][1]
        answer = read_text(last, self.candidate.task, talk.seconds)
        if talk.lost:
            answer = replace(answer, status=Status.ERROR)
        return replace(
            answer,
            usage=total_usage([made.usage for _, made in talk.replies]),
            trace=tuple(Reply(name, made.text) for name, made in talk.replies),
        )
