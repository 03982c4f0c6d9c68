"""What a candidate answers to one request, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from accordeur.core.model import Usage


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
        )
