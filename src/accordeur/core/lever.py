"""What a lever is, and all that it is given.

A lever's constructor keeps settings and does no work; data arrives only at `fit`; a second `fit`
forgets the first. `fit` returns a *new* candidate and reads dev only through
`FitContext.evaluate`, which gives a mean and counts, never a row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Protocol, runtime_checkable

from accordeur.core.answer import Answer
from accordeur.core.budget import Budget
from accordeur.core.candidate import Candidate
from accordeur.core.checkpoints import Checkpoints
from accordeur.core.model import Embedder, Model, Reranker
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind


class Need(StrEnum):
    """What a lever cannot do without; checked at planning."""

    WEIGHTS = "weights"
    PREFIX = "prefix"
    LOGPROBS = "logprobs"
    LABELS = "labels"
    DOCUMENTS = "documents"
    SINGLE_CALL = "single_call"
    EMBEDDINGS = "embeddings"
    LANGUAGE_MODEL = "language_model"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a lever learns from dev about one configuration.

    Attributes:
        score: the task's metric over the rows that are not missing; `None` when all were lost.
        n: rows it was measured on.
        statuses: rows per status.
        seconds: first-run wall time of the evaluation.
        tokens: logical tokens.
    """

    score: float | None
    n: int
    statuses: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    tokens: int = 0

    @property
    def rank(self) -> float:
        """The score to choose by: a configuration without any row comes last."""
        return -math.inf if self.score is None else self.score


class Stopped(Exception):
    """Raised by `evaluate` to end a lever: hopeless after screening, or out of time.

    Attributes:
        reason: one sentence for the report.
        cut: true when the clock ended it, false when screening did.
    """

    def __init__(self, reason: str, *, cut: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cut = cut


class FitContext(Protocol):
    """Everything a lever may ask for while fitting."""

    @property
    def task(self) -> TaskBrief:
        """Words and settings of the task."""
        ...

    @property
    def seed(self) -> int:
        """Seed of this lever in this run."""
        ...

    @property
    def budget(self) -> Budget:
        """Wall time left."""
        ...

    @property
    def effort(self) -> int:
        """Number of configurations the plan allows this lever to score on dev."""
        ...

    @property
    def model(self) -> Model:
        """The base model of the run.

        Raises:
            ModelError: the run has none.
        """
        ...

    @property
    def embedder(self) -> Embedder:
        """The embedding model of the run."""
        ...

    def reranker(self, name: str) -> Reranker:
        """The reranker of this name.

        Raises:
            ModelError: it cannot be found or loaded.
        """
        ...

    def evaluate(
        self, candidate: Candidate, configuration: str, *, control: bool = False
    ) -> Evaluation:
        """Score a candidate on dev and write the row into the dev ledger.

        Args:
            candidate: what to score.
            configuration: a short name, unique within this lever, such as `k=8 nearest`.
            control: it is there to compare with, such as a placebo, and cannot be chosen.

        Raises:
            Stopped: the lever is to end here.
        """
        ...

    def answer(self, candidate: Candidate, rows: Sequence[Example]) -> Sequence[Answer]:
        """Run a candidate over train rows; each row is left out of its own demonstrations."""
        ...

    def grade(self, rows: Sequence[Example], answers: Sequence[Answer]) -> Sequence[float | None]:
        """The task's metric of answers to train rows, a row each; `None` for one that is lost."""
        ...

    def passages(self) -> Mapping[str, bytes]:
        """The task's documents as passages with their vectors, as files of the slot `retrieval`.

        They are made once per run and machine; the lever that asks pays for it (P8).

        Raises:
            TaskError: the task has no documents, or none that can be read.
        """
        ...

    def log(self, message: str) -> None:
        """A line for the run's log."""
        ...

    def progress(self, stage: str, finished: int, total: int) -> None:
        """Say how far a long stage of fitting is, such as `training`; shown while it runs."""
        ...

    def note(self, topic: str, facts: Mapping[str, Any]) -> None:
        """Facts about this fit for the record and the report, plain data; a topic's last wins."""
        ...

    def checkpoints(self, key: str) -> Checkpoints:
        """Where a fit that was killed left off; empty at first.

        Args:
            key: of everything that decides what the fit computes.
        """
        ...

    def carried(self, seconds: float) -> None:
        """Add what an earlier process spent on this fit to its price (P8)."""
        ...


@dataclass(frozen=True, slots=True)
class Forecast:
    """Work that one configuration will take, for the plan's time estimate.

    Attributes:
        new_prompts: its dev prompts are not those of a configuration scored before it.
        shown_per_row: demonstrations that differ from row to row, so nothing of them is shared.
        train_rows: train rows answered while fitting.
        uses_model: a language model answers it.
        samples: answers written to every row, each as the others.
        calls: of the model per answer.
        new_tokens: written per answer over all calls, at most; `None` for what the task's own
            answers take.
        read_tokens: of passages before each row.
        query_tokens: written before each row in a call of their own, which reads the row.
    """

    new_prompts: bool = True
    shown_per_row: int = 0
    train_rows: int = 0
    uses_model: bool = True
    samples: int = 1
    calls: int = 1
    new_tokens: int | None = None
    read_tokens: int = 0
    query_tokens: int = 0


@runtime_checkable
class Lever(Protocol):
    """A way of adapting.

    Attributes:
        name: as typed on the command line; also the name of its file or folder.
        title: a few words for tables.
        writes: slots it fills.
        needs: what it cannot do without.
        kinds: task kinds it applies to.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    writes: ClassVar[frozenset[Slot]]
    needs: ClassVar[frozenset[Need]]
    kinds: ClassVar[frozenset[TaskKind]]

    @property
    def settings(self) -> Mapping[str, Any]:
        """Constructor settings as plain data; part of the plan."""
        ...

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """The configurations `fit` will score on dev, for the plan's time estimate."""
        ...

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """A new, adapted candidate: the best configuration on dev."""
        ...


@runtime_checkable
class Settling(Lever, Protocol):
    """A lever whose last step depends on what answers look like. In a stack the levers above it are
    pulled without that step, and it is done when they are."""

    def unsettled(self, candidate: Candidate) -> Candidate:
        """What `fit` made, without the last step."""
        ...

    def settled(
        self, candidate: Candidate, train: Sequence[Example], context: FitContext
    ) -> Candidate:
        """The last step, for a candidate that other levers changed meanwhile: the best on dev, the
        candidate itself among those compared."""
        ...


Log = Callable[[str], None]
