"""What a candidate answers to one request, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from accordeur.core.model import Usage
from accordeur.core.span import Span


class Status(StrEnum):
    """What became of one row (DESIGN P6). Unknown is a value, never silently a pass.

    Failures of the model score as wrong and are counted beside the score. `ERROR` (endpoint,
    engine) is retried, then missing for every candidate.
    """

    OK = "ok"
    PARSE_FAILURE = "parse failure"
    EMPTY = "empty"
    REFUSAL = "refusal"
    TRUNCATED = "truncated"
    ABSTAINED = "abstained"
    UNJUDGED = "unjudged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Reply:
    """Something the model wrote on the way to an answer.

    Attributes:
        name: what it was asked for, such as `reasoning`, `draft`, `checks` or `sample 2`.
        text: as it wrote it.
        finished: the model ended it by itself; false where it was cut at the limit.
    """

    name: str
    text: str
    finished: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """A stretch of a document that the model was given to read.

    Attributes:
        span: where it stands.
        score: by which it was found; comparable within one answer alone.
        page: of its first character, where the document has pages.
    """

    span: Span
    score: float
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What was looked up for one answer.

    Attributes:
        sources: what the model was shown; the first one is number 1 in its prompt.
        found: passages that the search gave, shown or not.
        dropped: passages for which the prompt had no room.
        signals: of search and answer, by name, from which it is estimated whether the answer is
            right (`parts.retrieval.abstention`).
    """

    sources: tuple[Source, ...] = ()
    found: int = 0
    dropped: int = 0
    signals: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As plain data: a source is document, start, end, score and page."""
        sources = [
            [one.span.document, one.span.start, one.span.end, one.score, one.page]
            for one in self.sources
        ]
        return {
            "sources": sources,
            "found": self.found,
            "dropped": self.dropped,
            "signals": dict(self.signals),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Retrieved:
        """Inverse of `to_json`."""
        sources = tuple(
            Source(Span(document, start, end), score, page)
            for document, start, end, score, page in data["sources"]
        )
        return cls(sources, data["found"], data["dropped"], data["signals"])


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        text: what the user reads: a label's name, or the generated text.
        status: what became of the request.
        label: name of the chosen label; `None` for text tasks and when none could be read.
        scores: s_j of DESIGN P4 per label, nats, before calibration; `None` where not scored.
        probabilities: softmax of scores plus calibration, in label order; floors fill it directly.
        logprob: mean log-probability of a generated text, nats per token.
        usage: tokens.
        seconds: this row's share of its batch's wall time.
        error: what went wrong when `status` is `ERROR`; why the answer is cut, where that is known.
        trace: what the model wrote on the way, in order; empty when it answered directly.
        retrieved: what was looked up for it; `None` where nothing is looked up.
        confidence: estimated probability that it is right, 0 to 1; `None` where not estimated.
    """

    text: str
    status: Status = Status.OK
    label: str | None = None
    scores: tuple[float, ...] | None = None
    probabilities: tuple[float, ...] | None = None
    logprob: float | None = None
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    error: str = ""
    trace: tuple[Reply, ...] = ()
    retrieved: Retrieved | None = None
    confidence: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain data, empty parts left out, floats as they are."""
        data: dict[str, Any] = {"text": self.text, "status": str(self.status)}
        if self.label is not None:
            data["label"] = self.label
        if self.scores is not None:
            data["scores"] = list(self.scores)
        if self.probabilities is not None:
            data["probabilities"] = list(self.probabilities)
        if self.logprob is not None:
            data["logprob"] = self.logprob
        data["usage"] = {name: getattr(self.usage, name) for name in Usage.__slots__}
        data["seconds"] = self.seconds
        if self.error:
            data["error"] = self.error
        if self.trace:
            data["trace"] = [[one.name, one.text, one.finished] for one in self.trace]
        if self.retrieved is not None:
            data["retrieved"] = self.retrieved.to_json()
        if self.confidence is not None:
            data["confidence"] = self.confidence
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Answer:
        """Inverse of `to_json`."""
        return cls(
            text=data["text"],
            status=Status(data["status"]),
            label=data.get("label"),
            scores=tuple(data["scores"]) if "scores" in data else None,
            probabilities=tuple(data["probabilities"]) if "probabilities" in data else None,
            logprob=data.get("logprob"),
            usage=Usage(**data.get("usage", {})),
            seconds=data.get("seconds", 0.0),
            error=data.get("error", ""),
            trace=tuple(Reply(*reply) for reply in data.get("trace", ())),
            retrieved=Retrieved.from_json(data["retrieved"]) if "retrieved" in data else None,
            confidence=data.get("confidence"),
        )
