"""Answering in several calls: each shows the model the conversation so far."""

from __future__ import annotations

from collections import Counter
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
from accordeur.parts.pattern import Asked, Conversation

BLOCK = 32
"""Requests that go through all calls together. A block that was not finished is asked again."""


@dataclass(slots=True)
class _Talk:
    """One request's conversation.

    Attributes:
        first: prompt of the first call.
        name: of the reply that is asked for.
        sample: how often the same request stood in the list before.
        replies: so far, by name.
        asked: what followed each reply.
    """

    first: Rendered
    name: str
    sample: int
    replies: list[tuple[str, Generated]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    seconds: float = 0.0
    lost: bool = False

    @property
    def texts(self) -> list[str]:
        return [made.text for _, made in self.replies]

    @property
    def prompt(self) -> Rendered:
        """The conversation so far. Exchanges but the last may be dropped, oldest first.

        They are numbered like demonstrations, behind those of the first prompt, so what does not
        fit the context is dropped in the same way: whole, and before anything of the row is cut.
        """
        numbers = [m.demonstration for m in self.first.messages if m.demonstration is not None]
        before = 1 + max(numbers, default=-1)
        messages = list(self.first.messages)
        for place, (said, asked) in enumerate(zip(self.texts, self.asked, strict=True)):
            last = place + 1 == len(self.asked)
            number = None if last else before + place
            words = Segment(asked.text, "static" if asked.static else "data")
            messages += [
                Message("assistant", (Segment(said, "data", trim=last),), number),
                Message("user", (words,), number),
            ]
        return replace(self.first, messages=tuple(messages))


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
        self._prompted.refuse_mixtures()
        self._sampling = text_sampling(candidate)

    @property
    def model(self) -> Model | None:
        """The language model, with what training added."""
        return self._prompted.model

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
        samples = _occurrences(requests) if self._sampling.temperature > 0 else [0] * len(requests)
        for start in range(0, len(requests), BLOCK):
            places = tuple(range(start, min(start + BLOCK, len(requests))))
            if not finished.issuperset(places):
                yield self._block(
                    places,
                    [requests[place] for place in places],
                    [samples[place] for place in places],
                )

    def _block(
        self, places: tuple[int, ...], requests: Sequence[Request], samples: Sequence[int]
    ) -> Batch[Answer]:
        first = self._pattern.first_reply
        prompts = self._prompted.render(requests)
        talks = [_Talk(one, first, at) for one, at in zip(prompts, samples, strict=True)]
        active = talks
        seconds, tokens = 0.0, 0
        while active:
            for batch in self._replies(active):
                seconds, tokens = seconds + batch.seconds, tokens + batch.tokens
            active = [talk for talk in active if not talk.lost and self._go_on(talk)]
        return Batch(places, tuple(self._read(talk) for talk in talks), seconds, tokens)

    def _replies(self, active: Sequence[_Talk]) -> Iterator[Batch[tuple[Generated, float]]]:
        """The next reply of every conversation, put where it belongs.

        Samples of one request have a seed each, whatever stands beside them in the block.
        """
        for sample in sorted({talk.sample for talk in active}):
            group = [talk for talk in active if talk.sample == sample]
            sampling = replace(self._sampling, seed=self._sampling.seed + sample)
            for batch in self._prompted.write([talk.prompt for talk in group], sampling):
                for index, (made, took) in zip(batch.indices, batch.results, strict=True):
                    talk = group[index]
                    talk.replies.append((talk.name, made))
                    talk.seconds += took
                    talk.lost = bool(made.error)
                yield batch

    def _go_on(self, talk: _Talk) -> bool:
        """Whether another call follows; notes what it asks."""
        asked = self._pattern.follow(talk.texts)
        if asked is None:
            return False
        talk.asked.append(asked)
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
            trace=tuple(Reply(name, made.text, made.finished) for name, made in talk.replies),
        )


def _occurrences(requests: Sequence[Request]) -> list[int]:
    """How often each request stood in the list before."""
    seen: Counter[str] = Counter()
    found = []
    for request in requests:
        key = repr(request)
        found.append(seen[key])
        seen[key] += 1
    return found
