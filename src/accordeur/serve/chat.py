"""Answering a chat: which of the ways a bundle or a model answers, and how it is told.

Texts are written piece by piece. Labels, votes, and answers that are read out of a reasoning exist
only when they are whole: they are one piece. What a bundle was measured with is kept: only texts
that are written directly take the request's sampling.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from accordeur.core.answer import Answer, Status
from accordeur.core.model import Sampling, Usage
from accordeur.core.rendering import Request
from accordeur.models.local.in_flight import Written
from accordeur.models.openai_api.failures import Failure, Kind
from accordeur.parts.answering.answerer import StreamingAnswerer
from accordeur.parts.answering.reading import read_text
from accordeur.parts.answering.texts import text_sampling
from accordeur.serve.asked import rendered, request_of
from accordeur.serve.errors import failed
from accordeur.serve.served import Served
from accordeur.serve.wire import ChatBody
from accordeur.serve.writing import ROOM, Text, called_text, fitted, local_text


@dataclass(slots=True)
class Choice:
    """One answer to a chat.

    Attributes:
        text: whole.
        finished: it ended by itself, not at a limit.
        filtered: an endpoint's content filter ended it.
        usage: tokens.
        written: its tokens, of a text that a local model wrote directly.
        reasoning: what the model wrote before the answer.
        about: what only this server tells: label, probabilities, status.
    """

    text: str = ""
    finished: bool = True
    filtered: bool = False
    usage: Usage = field(default_factory=Usage)
    written: list[Written] = field(default_factory=list)
    reasoning: str = ""
    about: Mapping[str, object] = field(default_factory=dict)


def answer(
    served: Served, body: ChatBody, again: int = 0, asked: Request | None = None
) -> tuple[Choice, Iterator[str]]:
    """An answer whose pieces come as they are read; the choice is filled when they have been.

    Args:
        served: what answers.
        body: what is asked.
        again: number of this choice among several.
        asked: what is asked in the place of the messages, of a conversation that is kept.

    Raises:
        ApiError: this cannot be asked of it.
        ContextOverflow: the messages do not fit.
    """
    if _writes_directly(served):
        return _text(served, body, again, asked)
    choice = Choice()

    def read() -> Iterator[str]:
        request = asked or request_of(body)
        _fill(choice, served, request, _asked(served, request))
        yield choice.text

    return choice, read()


def _writes_directly(served: Served) -> bool:
    candidate = served.candidate
    plain = candidate.task.kind == "text" and "pattern" not in candidate.parts
    return plain and isinstance(served.answerer, StreamingAnswerer)


def _text(
    served: Served, body: ChatBody, again: int, asked: Request | None
) -> tuple[Choice, Iterator[str]]:
    as_it_is = asked is None and not served.bundle
    if as_it_is:
        prompt = rendered(body.messages)
    else:
        prompt = served.answerer.render([asked or request_of(body)])[0]
    sampling = sampling_of(body, text_sampling(served.candidate), body.limit)
    local, model = served.local, served.model
    if local is None:
        assert model is not None
        limit = body.limit or (sampling.max_tokens if served.bundle else ROOM)
        sampling = replace(sampling, max_tokens=limit, seed=sampling.seed + again)
        made, pieces = called_text(
            model, prompt, sampling, stops=body.stops, streamed=bool(body.stream)
        )
    else:
        if as_it_is:
            fit, limit = fitted(local, prompt, body.limit)
            sampling = replace(sampling, max_tokens=limit)
        else:
            fit = local.local.fit(prompt, sampling.max_tokens)
        top = (body.top_logprobs or 0) if body.logprobs else 0
        made, pieces = local_text(local, fit, sampling, stops=body.stops, top=top, again=again)
    choice = Choice(written=made.written)

    def read() -> Iterator[str]:
        yield from pieces
        _finish(choice, served, made)

    return choice, read()


def _finish(choice: Choice, served: Served, made: Text) -> None:
    choice.text, choice.finished, choice.usage = made.text, made.finished, made.usage
    choice.filtered = made.filtered
    if served.bundle:
        read = read_text(made.generated, served.candidate.task, 0.0)
        choice.text = read.text
        choice.about = {**choice.about, **_about(read, served)}


def _asked(served: Served, request: Request) -> Answer:
    for batch in served.answerer.answer([request]):
        return batch.results[0]
    raise AssertionError("an answerer answers what it is asked")


def _fill(choice: Choice, served: Served, request: Request, found: Answer) -> None:
    if found.status is Status.ERROR:
        choice.filtered = Failure.read(found.error).kind is Kind.CONTENT_FILTER
        if not choice.filtered:
            raise failed(found.error)
    choice.text = found.text
    choice.finished = found.status is not Status.TRUNCATED
    choice.usage = _usage(served, request, found)
    choice.reasoning = "\n\n".join(one.text for one in found.trace)
    choice.about = {**choice.about, **_about(found, served)}


def _usage(served: Served, request: Request, found: Answer) -> Usage:
    """Tokens as clients count them: scored labels are one prompt to them, not one each."""
    if found.scores is None or served.model is None:
        return found.usage
    prompt = served.answerer.render([request])[0]
    return replace(found.usage, input_tokens=served.model.prompt_tokens(prompt)[0])


def _about(found: Answer, served: Served) -> Mapping[str, object]:
    about: dict[str, object] = {"status": str(found.status)}
    if found.label is not None:
        about["label"] = found.label
    if found.probabilities is not None:
        names = [label.name for label in served.candidate.task.labels]
        about["probabilities"] = dict(zip(names, found.probabilities, strict=True))
    if found.usage.truncated_tokens:
        about["truncated_tokens"] = found.usage.truncated_tokens
    if found.usage.dropped_demonstrations:
        about["dropped_demonstrations"] = found.usage.dropped_demonstrations
    return about


def sampling_of(body: ChatBody, own: Sampling, limit: int | None) -> Sampling:
    """The bundle's own settings with those that the request names."""
    temperature = own.temperature if body.temperature is None else body.temperature
    seed = own.seed
    if body.seed is not None:
        seed = body.seed
    elif body.temperature:
        seed = secrets.randbits(31)
    return Sampling(
        max_tokens=limit or own.max_tokens,
        temperature=temperature,
        top_p=own.top_p if body.top_p is None else body.top_p,
        seed=seed,
    )
