"""Answering by generating text (DESIGN P5), also the fallback for models that only chat."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from accordeur.core.answer import Answer, Status
from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError
from accordeur.core.model import Batch, Generated, Model, ModelSource, Usage
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.answering.calls import usage_json
from accordeur.parts.answering.prompted_model import PromptedModel
from accordeur.parts.decoding import UNMEASURED_LIMIT, Decoding
from accordeur.parts.extraction import after_answer, is_refusal, read_label


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
        if self._prompted.members > 1:
            raise BundleError(
                "Several soft prompts together score labels; they cannot write one text.",
                hint="train with `--set soft-prompt.seeds=1`",
            )
        decoding = candidate.part(Decoding) or Decoding("generate")
        # A candidate made for scoring sets no limit; it comes here with a model that only writes.
        limit = decoding.max_tokens or UNMEASURED_LIMIT
        self._sampling = replace(decoding.sampling, max_tokens=limit)

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
        sampling, model = self._sampling, self._prompted.model
        batches = self._prompted.ask(
            requests,
            {"generate": {name: getattr(sampling, name) for name in sampling.__slots__}},
            lambda prompts, finished: model.generate(prompts, sampling, done=finished),
            _encode,
            _decode,
            done,
        )
        for batch in batches:
            answers = tuple(self._read(made, seconds) for made, seconds in batch.results)
            yield Batch(batch.indices, answers, batch.seconds, batch.tokens)

    def _read(self, made: Generated, seconds: float) -> Answer:
        text = after_answer(made.text)
        label: str | None = None
        status = _status(made, text)
        if self.candidate.task.kind == "labels" and status in (Status.OK, Status.TRUNCATED):
            found = read_label(made.text, self.candidate.task.labels)
            label = found.name if found else None
            status = Status.OK if found else Status.PARSE_FAILURE
        return Answer(
            text,
            status,
            label,
            logprob=made.logprob,
            usage=made.usage,
            seconds=seconds,
            error=made.error,
        )


def _status(made: Generated, text: str) -> Status:
    if made.error:
        return Status.ERROR
    if not text:
        return Status.EMPTY
    if is_refusal(made.text):
        return Status.REFUSAL
    return Status.OK if made.finished else Status.TRUNCATED


def _encode(made: Generated) -> dict[str, Any]:
    return {
        "text": made.text,
        "finished": made.finished,
        "logprob": made.logprob,
        "usage": usage_json(made.usage),
        "error": made.error,
    }


def _decode(data: dict[str, Any]) -> Generated:
    return Generated(
        data["text"],
        data["finished"],
        data["logprob"],
        Usage(**data["usage"]),
        data.get("error", ""),
    )
