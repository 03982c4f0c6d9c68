"""What an assertion is: a question about an answer that ends in pass, fail or "not judged".

An assertion kind is one file here and one line in the table of the package. Most are pure functions
of an answer and what is asked; those that need an embedding model or a judge are given both, and
look at many answers at once, so that the calls are batched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from accordeur.core.model import FloatArray, Generated
from accordeur.core.rendering import Rendered


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, as assertions see it.

    Attributes:
        text: what was answered.
        prompt: what was asked, as one text.
        fields: the case's variables.
        seconds: how long the answer took; `None` where it is not known.
        money: what it cost; `None` where a price is not known.
        logprob: mean log-probability of its tokens, nats; `None` where the model does not tell.
    """

    text: str
    prompt: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    money: float | None = None
    logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an answer.

    Attributes:
        kind: name in the table, without `not-`.
        value: what the kind compares with; its templates are filled.
        threshold: as the kind reads it.
        judge: name of the model that judges; empty for kinds that need none.
    """

    kind: str
    value: Any = None
    threshold: float | None = None
    judge: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of it.

    Attributes:
        passed: `None` when it could not be judged; that is neither a pass nor a failure.
        score: from 0 to 1, except where user code says otherwise.
        reason: why it did not pass, or what the judge said.
    """

    passed: bool | None
    score: float
    reason: str = ""


class Tools(Protocol):
    """What assertions may need besides the answer. Wired by `bench`."""

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, dimension]."""
        ...

    def ask(self, judge: str, prompts: Sequence[Rendered]) -> list[Generated]:
        """A judge's replies, in order; one that failed carries its error."""
        ...


Check = Callable[[Said, Asked], Finding]
CheckMany = Callable[[Sequence[tuple[Said, Asked]], Tools], list[Finding]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of assertion.

    Attributes:
        about: one line for the documentation.
        value: what it takes: `text`, `texts` (a list, or one text with commas), `any`, `schema`
            (optional), `none`.
        threshold: whether it takes one.
        check: looks at one answer.
        check_many: looks at many answers with tools; given instead of `check`.
        needs: `embedder`, `judge` or `code`; empty for pure functions of the answer.
        valid: refuses a value that can be seen to be wrong before anything is asked.
    """

    about: str
    value: Literal["text", "texts", "any", "schema", "none"]
    threshold: Literal["none", "optional", "required"] = "none"
    check: Check | None = None
    check_many: CheckMany | None = None
    needs: Literal["", "embedder", "judge", "code"] = ""
    valid: Callable[[Any], None] | None = None


def decided(passed: bool, reason: str) -> Finding:
    """A finding of 1 or 0; the reason is kept for failures."""
    return Finding(passed, float(passed), "" if passed else reason)


def unjudged(reason: str) -> Finding:
    """Neither a pass nor a failure."""
    return Finding(None, 0.0, reason)


def inverse(found: Finding, kind: str) -> Finding:
    """What `not-KIND` finds where `KIND` found this; what could not be judged stays so."""
    if found.passed is None:
        return found
    score = min(1.0, max(0.0, 1.0 - found.score))
    passed = not found.passed
    return Finding(passed, score, "" if passed else found.reason or f"`{kind}` holds")


def shown(value: object, most: int = 120) -> str:
    """A value in a reason."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
