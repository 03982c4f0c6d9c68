"""One text being written for a client: pieces, why it ended, what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from accordeur.core.errors import ContextOverflow, EndpointGone
from accordeur.core.model import Generated, Model, Sampling, Usage
from accordeur.core.rendering import Rendered
from accordeur.models.local.fitting import Prompt
from accordeur.models.local.in_flight import Order, Written
from accordeur.models.openai_api.failures import Kind
from accordeur.serve.errors import failed, failure_of
from accordeur.serve.model import ServedModel
from accordeur.serve.stops import until_stop

ROOM = 1_024
"""Tokens of an answer where nobody says how many."""


@dataclass(slots=True)
class Text:
    """A text as far as it is written.

    Attributes:
        prompt: tokens of the prompt.
        written: tokens of the answer, the ending one included.
        finished: it ended by itself or at a stop sequence, not at its limit.
        filtered: an endpoint's content filter ended it.
        usage: of prompt and answer, once it is finished.
    """

    usage: Usage = field(default_factory=Usage)
    written: list[Written] = field(default_factory=list)
    finished: bool = False
    filtered: bool = False
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All pieces."""
        return "".join(self.parts)

    @property
    def generated(self) -> Generated:
        """As the parts know it."""
        known = [one.logprob for one in self.written]
        logprob = sum(known) / len(known) if known else 0.0
        error = str(Kind.CONTENT_FILTER) if self.filtered else ""
        return Generated(self.text, self.finished, logprob, self.usage, error)


def local_text(
    model: ServedModel,
    prompt: Prompt,
    sampling: Sampling,
    *,
    stops: Sequence[str] = (),
    top: int = 0,
    again: int = 0,
) -> tuple[Text, Iterator[str]]:
    """A text of a local model, which is written while its pieces are read."""
    made = Text(_usage(prompt, 0))
    job = model.write(Order(prompt, sampling, top, again))

    def noted() -> Iterator[Written]:
        for one in job.written():
            made.written.append(one)
            yield one

    def read() -> Iterator[str]:
        stopped = False
        for piece, met in until_stop(model.pieces(noted()), stops):
            stopped = met
            if piece:
                made.parts.append(piece)
                yield piece
            if met:
                job.enough()
        made.finished = stopped or made.written[-1].ended
        made.usage = _usage(prompt, len(made.written))

    return made, read()


def called_text(
    model: Model,
    prompt: Rendered,
    sampling: Sampling,
    *,
    stops: Sequence[str] = (),
    streamed: bool = True,
) -> tuple[Text, Iterator[str]]:
    """As `local_text`, of a model that is called.

    What an endpoint's filter stops is an answer that ends there, as clients of such endpoints know
    it. Tokens of a text that ends at a stop sequence are an estimate: nobody waits for its end.
    """
    made = Text()

    def called() -> Iterator[str]:
        whole = (yield from model.stream(prompt, sampling)) if streamed else None
        if whole is None:
            for batch in model.generate([prompt], sampling):
                whole = batch.results[0]
                if whole.error:
                    raise failed(whole.error)
                yield whole.text
        assert whole is not None
        made.finished, made.usage = whole.finished, whole.usage

    def read() -> Iterator[str]:
        try:
            for piece, met in until_stop(called(), stops):
                if piece:
                    made.parts.append(piece)
                    yield piece
                made.finished = made.finished or met
        except EndpointGone as error:
            if failure_of(error).kind is not Kind.CONTENT_FILTER:
                raise
            made.filtered = True
        if made.usage == Usage():
            made.usage = Usage(model.prompt_tokens(prompt)[0], model.count_tokens(made.text))

    return made, read()


def fitted(model: ServedModel, prompt: Rendered, limit: int | None) -> tuple[Prompt, int]:
    """The whole prompt's tokens, and how long its answer may be; nothing of the prompt is cut.

    Raises:
        ContextOverflow: the prompt leaves no room for an answer.
    """
    tokens, _ = model.prompt_tokens(prompt)
    room = model.context_window - tokens
    if room < 1:
        raise ContextOverflow(
            f"The messages take {tokens} tokens; this model's context has {model.context_window}, "
            "the answer included."
        )
    return model.local.fit(prompt, 1), min(limit or ROOM, room)


def _usage(prompt: Prompt, written: int) -> Usage:
    return Usage(
        input_tokens=len(prompt.tokens),
        output_tokens=written,
        computed_tokens=len(prompt.row) + written,
        truncated_tokens=prompt.truncated,
        dropped_demonstrations=prompt.dropped,
    )
