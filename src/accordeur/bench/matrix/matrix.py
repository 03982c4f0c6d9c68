"""What both formats are read into: prompts × models × cases, and what is asked of answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from accordeur.core.model import Sampling
from accordeur.parts.decoding import UNMEASURED_LIMIT

Role = Literal["system", "user", "assistant"]

ECHO = "echo"
"""The model that says what it is asked."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt of the matrix.

    Attributes:
        label: what it is called in results.
        turns: role and Jinja template of each message.
        chat: it was written as messages; `echo` then says them as JSON.
    """

    label: str
    turns: tuple[tuple[Role, str], ...]
    chat: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"label": self.label, "turns": [list(one) for one in self.turns]}


@dataclass(frozen=True, slots=True)
class Provider:
    """A model of the matrix.

    Attributes:
        model: `echo`, a model's resolved name, or the folder of a bundle.
        label: what it is called in results.
        sampling: how it decodes.
        base_url: of an endpoint, instead of its vendor's own.
        prompts: labels of the prompts it is asked; empty for all.
        bundle: the name is a bundle's folder.
    """

    model: str
    label: str
    sampling: Sampling = field(default_factory=lambda: Sampling(max_tokens=UNMEASURED_LIMIT))
    base_url: str | None = None
    prompts: tuple[str, ...] = ()
    bundle: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "model": self.model,
            "label": self.label,
            "sampling": {name: getattr(self.sampling, name) for name in Sampling.__slots__},
            "base_url": self.base_url,
        }


@dataclass(frozen=True, slots=True)
class Check:
    """An assertion as written, its templates not yet filled.

    Attributes:
        kind: name in the table, without `not-`.
        inverse: it is turned round by `not-`.
        value, threshold: as the kind reads them.
        weight: of its score in the case's; 0 only looks and never fails.
        metric: name under which its scores are gathered; empty for none.
        judge: model that judges; empty for kinds that need none.
    """

    kind: str
    inverse: bool = False
    value: Any = None
    threshold: float | None = None
    weight: float = 1.0
    metric: str = ""
    judge: str = ""

    @property
    def name(self) -> str:
        """As written."""
        return f"not-{self.kind}" if self.inverse else self.kind

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"type": self.name} | {
            name: getattr(self, name)
            for name in ("value", "threshold", "weight", "metric", "judge")
        }


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        id: given, or made from its content.
        fields: variables of the templates.
        checks: what is asked of each answer.
        threshold: share of the weighted score from which it passes; `None`: every check must.
        description: for people.
        metadata: for filters.
        before, after: put before and behind each prompt's last message.
        place: where it was read, for messages.
    """

    id: str
    fields: Mapping[str, Any]
    checks: tuple[Check, ...] = ()
    threshold: float | None = None
    description: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    before: str = ""
    after: str = ""
    place: str = ""

    def to_json(self) -> dict[str, Any]:
        """What could change a result, as plain data."""
        return {
            "fields": dict(self.fields),
            "checks": [one.to_json() for one in self.checks],
            "threshold": self.threshold,
            "around": [self.before, self.after],
        }


@dataclass(frozen=True, slots=True)
class Matrix:
    """What a config says.

    Attributes:
        name: for its folder and reports.
        prompts, providers: rows of the matrix.
        cases: read anew each time they are gone through, one at a time.
        repeat: how often each question is asked.
        threshold: pass rate that every column must reach.
        judge: model that judges where an assertion names none; empty for none.
        prefer: what makes one of two answers better, for `--compare`; empty for none.
        at_once: calls at once, where the config says so.
        addresses: of judges behind endpoints, by name, where the config says them.
        notes: what was read otherwise than one might think.
    """

    name: str
    prompts: tuple[Prompt, ...]
    providers: tuple[Provider, ...]
    cases: Iterable[Case]
    repeat: int = 1
    threshold: float = 1.0
    judge: str = ""
    prefer: str = ""
    at_once: int | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A prompt asked of a model.

    Attributes:
        number: from 1, as `--compare` takes it.
    """

    number: int
    prompt: Prompt
    provider: Provider

    @property
    def label(self) -> str:
        """For tables."""
        return f"{self.prompt.label} | {self.provider.label}"


def columns(matrix: Matrix) -> tuple[Column, ...]:
    """Every prompt with every model that is asked it, prompts within models."""
    pairs = [
        (prompt, provider)
        for provider in matrix.providers
        for prompt in matrix.prompts
        if not provider.prompts or prompt.label in provider.prompts
    ]
    return tuple(Column(number, *pair) for number, pair in enumerate(pairs, 1))


@dataclass(slots=True)
class Reading:
    """What readers share.

    Attributes:
        folder: of the config; paths count from it.
        allow_code: the user allowed code that the config or its data name.
        judge: model that judges where an assertion names none.
        addresses: of judges behind endpoints, by name; gathered on the way.
        notes: gathered on the way, each once.
    """

    folder: Path
    allow_code: bool = False
    judge: str = ""
    addresses: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Something to be told to the user, once."""
        if text not in self.notes:
            self.notes.append(text)
