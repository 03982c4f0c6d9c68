"""A candidate's prompts on their way through the answer cache to its model."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError
from accordeur.core.model import (
    Batch,
    Generated,
    Model,
    ModelSource,
    Quotable,
    Quoter,
    Sampling,
    Scored,
    Usage,
)
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.answering.adapted import adapted_model
from accordeur.parts.answering.calls import call_keys, through_cache, usage_json
from accordeur.parts.answering.members import every_member
from accordeur.parts.answering.mixture import mixed
from accordeur.parts.answering.prompting import Prompting


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

    def refuse_mixtures(self) -> None:
        """For those who write: several soft prompts together score, they cannot write one text.

        Raises:
            BundleError: there are several.
        """
        if self.members > 1:
            raise BundleError(
                "Several soft prompts together score labels; they cannot write one text.",
                hint="train with `--set soft-prompt.seeds=1`",
            )

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
        prompts, rendering = self._rendered(requests)
        asked = {"score": list(continuations)}
        batches = through_cache(
            self._cache,
            call_keys(self.model.identity, prompts, asked, parts=self._added, repeat=self._repeat),
            every_member(done, members),
            lambda finished: checked(self.model.score(prompts, continuations, done=finished)),
            _encode,
            _decode,
            overhead=rendering,
        )
        return batches if members == 1 else mixed(batches, members)

    def generate(
        self, requests: Sequence[Request], sampling: Sampling, done: Collection[int] = ()
    ) -> Iterator[Batch[tuple[Generated, float]]]:
        """A text after each request, with its seconds.

        Args:
            requests: one that stands here several times is sampled anew each time.
            sampling: how to decode.
            done: indices of requests that need no text.
        """
        prompts, rendering = self._rendered(requests)
        return self.write(prompts, sampling, done, overhead=rendering)

    def write(
        self,
        prompts: Sequence[Rendered],
        sampling: Sampling,
        done: Collection[int] = (),
        *,
        overhead: float = 0.0,
    ) -> Iterator[Batch[tuple[Generated, float]]]:
        """As `generate`, for prompts that are rendered already."""
        asked = {"generate": sampling.to_json()}
        keys = call_keys(
            self.model.identity,
            prompts,
            asked,
            parts=self._added,
            repeat=self._repeat,
            anew=sampling.temperature > 0,
        )
        return through_cache(
            self._cache,
            keys,
            done,
            lambda finished: self.model.generate(prompts, sampling, done=finished),
            encode_text,
            decode_text,
            overhead=overhead,
        )

    def quote(
        self,
        requests: Sequence[Request],
        quoter: Quoter,
        texts: Sequence[Sequence[Quotable]],
        max_tokens: int,
        done: Collection[int] = (),
    ) -> Iterator[Batch[tuple[Generated, float]]]:
        """A stretch of its texts after each request, with its seconds.

        Args:
            requests: any number.
            quoter: the model, held to texts.
            texts: what may be quoted, all of it within the request's context, which is a part of
                the cache's key.
            max_tokens: of a quote.
            done: indices of requests that need none.
        """
        prompts, rendering = self._rendered(requests)
        asked = {"quote": max_tokens}
        return through_cache(
            self._cache,
            call_keys(self.model.identity, prompts, asked, parts=self._added, repeat=self._repeat),
            done,
            lambda finished: quoter.quote(prompts, texts, max_tokens, done=finished),
            encode_text,
            decode_text,
            overhead=rendering,
        )

    def _rendered(self, requests: Sequence[Request]) -> tuple[list[Rendered], float]:
        """The prompts, and the seconds that rendering took for each.

        A row's seconds are its share of its batch and of rendering in the run that computed it:
        choosing the nearest demonstrations costs an embedding per query.
        """
        started = time.perf_counter()
        prompts = self._prompting.render(requests)
        return prompts, (time.perf_counter() - started) / max(1, len(prompts))


def encode_text(made: Generated) -> dict[str, Any]:
    """A text as the cache keeps it."""
    data: dict[str, Any] = {
        "text": made.text,
        "finished": made.finished,
        "logprob": made.logprob,
        "usage": usage_json(made.usage),
        "error": made.error,
    }
    if made.note:
        data["note"] = made.note
    if made.seconds is not None:
        data["seconds"] = made.seconds
    return data


def decode_text(data: dict[str, Any]) -> Generated:
    """Inverse of `encode_text`."""
    return Generated(
        data["text"],
        data["finished"],
        data["logprob"],
        Usage(**data["usage"]),
        data.get("error", ""),
        data.get("note", ""),
        data.get("seconds"),
    )


def _encode(scored: Scored) -> dict[str, Any]:
    data: dict[str, Any] = {"scores": list(scored.scores), "usage": usage_json(scored.usage)}
    return {**data, "error": scored.error} if scored.error else data


def _decode(data: dict[str, Any]) -> Scored:
    return Scored(tuple(data["scores"]), Usage(**data["usage"]), data.get("error", ""))
