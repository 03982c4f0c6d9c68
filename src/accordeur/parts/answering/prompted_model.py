"""A candidate's prompts on their way through the answer cache to its model."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.model import Batch, Model, ModelSource, Scored, Usage
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.answering.adapted import adapted_model
from accordeur.parts.answering.calls import call_keys, through_cache, usage_json
from accordeur.parts.answering.mixture import every_member, mixed
from accordeur.parts.answering.prompting import Prompting

R = TypeVar("R")


class PromptedModel:
    """What scoring labels and writing text share.

    Args:
        candidate: its prompt and demonstrations are rendered.
        source: gives the embedding model that chooses demonstrations.
        model: the base model; what training added is put on it.
        cache: where calls are looked up first.
        repeat: index of a repeated measurement.
    """

    def __init__(
        self,
        candidate: Candidate,
        source: ModelSource,
        model: Model,
        cache: AnswerCache | None,
        repeat: int,
    ) -> None:
        self.model, self._added = adapted_model(candidate, model)
        self._prompting = Prompting(candidate, source)
        self._cache = cache
        self._repeat = repeat

    @property
    def members(self) -> int:
        """Prompts per request; see `Prompting.members`."""
        return self._prompting.members

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """The prompts, the first of each request."""
        return self._prompting.render(requests)[:: self.members]

    def forget(self) -> None:
        """Drop the model's prefixes."""
        self.model.forget()

    def score(
        self,
        requests: Sequence[Request],
        continuations: Sequence[str],
        done: Collection[int] = (),
        checked: Callable[[Iterator[Batch[Scored]]], Iterator[Batch[Scored]]] = iter,
    ) -> Iterator[Batch[tuple[Scored, float]]]:
        """Log-probabilities of the same continuations after each request, with their seconds.

        Args:
            done: indices of requests that need no answer.
            checked: what the model's batches pass through before they are remembered.
        """
        members = self._prompting.members
        batches = self.ask(
            requests,
            {"score": list(continuations)},
            lambda prompts, finished: checked(
                self.model.score(prompts, continuations, done=finished)
            ),
            _encode,
            _decode,
            every_member(done, members),
        )
        return batches if members == 1 else mixed(batches, members)

    def ask(
        self,
        requests: Sequence[Request],
        asked: Mapping[str, Any],
        call: Callable[[Sequence[Rendered], Collection[int]], Iterator[Batch[R]]],
        encode: Callable[[R], dict[str, Any]],
        decode: Callable[[dict[str, Any]], R],
        done: Collection[int],
    ) -> Iterator[Batch[tuple[R, float]]]:
        """Results with their seconds, cached ones first.

        A row's seconds are its share of its batch and of rendering in the run that computed it:
        choosing the nearest demonstrations costs an embedding per query.

        Args:
            requests: with one result per prompt: `members` of them each, behind each other.
            asked: what is asked of the model, part of the cache key.
            call: the model's method, given prompts and the indices that need no answer.
            encode, decode: a result as plain data and back.
            done: indices of prompts that need no result.
        """
        started = time.perf_counter()
        prompts = self._prompting.render(requests)
        rendering = (time.perf_counter() - started) / max(1, len(prompts))
        keys = call_keys(
            self.model.identity, prompts, asked, parts=self._added, repeat=self._repeat
        )
        return through_cache(
            self._cache,
            keys,
            done,
            lambda finished: call(prompts, finished),
            encode,
            decode,
            overhead=rendering,
        )


def _encode(scored: Scored) -> dict[str, Any]:
    return {"scores": list(scored.scores), "usage": usage_json(scored.usage)}


def _decode(data: dict[str, Any]) -> Scored:
    return Scored(tuple(data["scores"]), Usage(**data["usage"]))
