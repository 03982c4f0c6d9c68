"""Asking one model of the matrix: many filled prompts in, answers as they come."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from accordeur.core.answer import Status
from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.model import Generated, Model, ModelSource, Sampling, Usage
from accordeur.core.rendering import Rendered, Request
from accordeur.core.task import Turn
from accordeur.parts.answering.calls import call_keys, through_cache, usage_json
from accordeur.parts.answering.prompted_model import decode_text, encode_text
from accordeur.parts.assemble import assemble


@dataclass(frozen=True, slots=True)
class Made:
    """An answer.

    Attributes:
        text: as the model wrote it.
        finished: the model ended by itself.
        seconds: its call took, or its share of its batch.
        logprob: mean log-probability of its tokens; `None` where it is not told.
        usage: tokens.
        error: what went wrong; it is then no answer.
    """

    text: str
    finished: bool = True
    seconds: float = 0.0
    logprob: float | None = None
    usage: Usage = field(default_factory=Usage)
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        data: dict[str, Any] = {"text": self.text, "seconds": round(self.seconds, 6)}
        if not self.finished:
            data["cut"] = True
        if self.logprob is not None:
            data["logprob"] = self.logprob
        if self.usage != Usage():
            data["usage"] = usage_json(self.usage)
        if self.error:
            data["error"] = self.error
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Made:
        """Inverse of `to_json`."""
        return cls(
            data["text"],
            not data.get("cut", False),
            data["seconds"],
            data.get("logprob"),
            Usage(**data.get("usage", {})),
            data.get("error", ""),
        )


Answers = Iterator[list[tuple[int, Made]]]


class Respondent(Protocol):
    """Something that answers."""

    def answers(
        self, prompts: Sequence[Rendered], repeats: Sequence[int], done: Collection[int]
    ) -> Answers:
        """Answers with the index of their prompt, in the order they come.

        Args:
            prompts: filled.
            repeats: which repeat of its question each of them is.
            done: indices that need no answer.

        Raises:
            EndpointGone: no call would be answered now.
            ModelError: it cannot be run.
        """
        ...


class Echo:
    """Says what it is asked: for trying out a config, and for checking texts made elsewhere."""

    def __init__(self, spoken: Callable[[Rendered], str]) -> None:
        self._spoken = spoken

    def answers(
        self, prompts: Sequence[Rendered], repeats: Sequence[int], done: Collection[int]
    ) -> Answers:
        """At once."""
        left = [index for index in range(len(prompts)) if index not in done]
        if left:
            yield [(index, Made(self._spoken(prompts[index]))) for index in left]


class ModelRespondent:
    """A language model, through the answer cache.

    Args:
        model: local or behind an endpoint.
        sampling: how it decodes.
        cache: where calls are looked up first; `None` for none.
    """

    def __init__(self, model: Model, sampling: Sampling, cache: AnswerCache | None) -> None:
        self._model = model
        self._sampling = sampling
        self._cache = cache

    def answers(
        self, prompts: Sequence[Rendered], repeats: Sequence[int], done: Collection[int]
    ) -> Answers:
        """In the model's batches, cached ones first; no repeat is served from another's entry."""
        asked = {"generate": {n: getattr(self._sampling, n) for n in self._sampling.__slots__}}
        keys = [""] * len(prompts)
        for repeat in sorted(set(repeats)):
            places = [place for place, one in enumerate(repeats) if one == repeat]
            found = call_keys(
                self._model.identity,
                [prompts[place] for place in places],
                asked,
                repeat=repeat,
                anew=self._sampling.temperature > 0,
            )
            for place, key in zip(places, found, strict=True):
                keys[place] = key
        batches = through_cache(
            self._cache,
            keys,
            done,
            lambda finished: self._model.generate(prompts, self._sampling, done=finished),
            encode_text,
            decode_text,
        )
        for batch in batches:
            yield [
                (index, _made(one, seconds))
                for index, (one, seconds) in zip(batch.indices, batch.results, strict=True)
            ]


class BundleRespondent:
    """A bundle: the filled prompt is what it is asked; its own prompt stands around it.

    Args:
        candidate: the bundle's.
        source: gives models.
        cache: where calls are looked up first; `None` for none.
        unscored: told when labels cannot be scored as they were while it was measured.
    """

    def __init__(
        self,
        candidate: Candidate,
        source: ModelSource,
        cache: AnswerCache | None,
        unscored: Callable[[str], None] | None = None,
    ) -> None:
        self._candidate = candidate
        self._source = source
        self._cache = cache
        self._unscored = unscored

    def answers(
        self, prompts: Sequence[Rendered], repeats: Sequence[int], done: Collection[int]
    ) -> Answers:
        """Repeat by repeat, so that each is asked anew."""
        for repeat in sorted(set(repeats)):
            places = [place for place, one in enumerate(repeats) if one == repeat]
            answerer = assemble(
                self._candidate,
                self._source,
                cache=self._cache,
                repeat=repeat,
                unscored=self._unscored,
            )
            requests = [_request(prompts[place]) for place in places]
            finished = [at for at, place in enumerate(places) if place in done]
            for batch in answerer.answer(requests, done=finished):
                yield [
                    (
                        places[at],
                        Made(
                            answer.text,
                            answer.status != Status.TRUNCATED,
                            answer.seconds,
                            answer.logprob or None,
                            answer.usage,
                            (answer.error or "error") if answer.status == Status.ERROR else "",
                        ),
                    )
                    for at, answer in zip(batch.indices, batch.results, strict=True)
                ]


def _request(prompt: Rendered) -> Request:
    if len(prompt.messages) == 1:
        return Request(prompt.messages[0].text)
    return Request(tuple(Turn(one.role, one.text) for one in prompt.messages))


def _made(one: Generated, share: float) -> Made:
    return Made(
        one.text,
        one.finished,
        share if one.seconds is None else one.seconds,
        one.logprob or None,  # 0 is what models say that tell none
        one.usage,
        one.error,
    )
