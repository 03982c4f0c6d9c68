"""What is wanted: examples, labels, metric, limits, and the seal on the held-out split.

A `Task` is what `accordeur.tasks` makes of a `task.yaml` folder. Levers never see it: they receive
a `TaskBrief`, which has words and settings but no rows and no paths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from accordeur.core.errors import SealError
from accordeur.core.fingerprint import digest
from accordeur.core.span import Span

T = TypeVar("T")

TaskKind = Literal["labels", "text"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """One row of data (DESIGN P1).

    Attributes:
        id: unique within the task; the content hash when the data names none.
        input: a text, a conversation, or named fields.
        expected: accepted answers; `None` for an unlabelled row, `()` for an unanswerable one.
        context: text given beside the input (a paragraph to answer from).
        documents: names of documents this row may be answered from.
        steps: worked steps that lead to the answer.
        rejected: answers known to be worse.
        group: rows of one group are never separated by a split or a resample; default the id.
        spans: places of the documents where the answer stands: a label, so no request holds them.
        quotes: what is said to stand at each span, empty where nothing is; as many as spans.
    """

    id: str
    input: str | tuple[Turn, ...] | Mapping[str, str]
    expected: tuple[str, ...] | None
    group: str
    context: str | None = None
    documents: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    quotes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The one accepted answer of a label row.

        Raises:
            ValueError: the row has no single expected answer.
        """
        if self.expected is None or len(self.expected) != 1:
            raise ValueError(f"row {self.id} has no single expected answer")
        return self.expected[0]

    @property
    def text(self) -> str:
        """The input as one text: fields as `name: value` lines, turns as `role: content` lines.

        The view that floors, embeddings and duplicate checks share.
        """
        if isinstance(self.input, str):
            return self.input
        if isinstance(self.input, Mapping):
            return "\n".join(f"{name}: {value}" for name, value in self.input.items())
        return "\n".join(f"{turn.role}: {turn.content}" for turn in self.input)

    def to_json(self) -> dict[str, Any]:
        """The row as plain data, empty parts left out."""
        if isinstance(self.input, str):
            content: Any = self.input
        elif isinstance(self.input, Mapping):
            content = dict(self.input)
        else:
            content = [{"role": turn.role, "content": turn.content} for turn in self.input]
        data: dict[str, Any] = {"id": self.id, "input": content, "group": self.group}
        if self.expected is not None:
            data["expected"] = list(self.expected)
        if self.context is not None:
            data["context"] = self.context
        for name in ("documents", "steps", "rejected"):
            if getattr(self, name):
                data[name] = list(getattr(self, name))
        if self.spans:
            quotes = self.quotes or ("",) * len(self.spans)
            data["spans"] = [
                {**span.to_json(), **({"quote": quote} if quote else {})}
                for span, quote in zip(self.spans, quotes, strict=True)
            ]
        return data


@dataclass(frozen=True, slots=True)
class Label:
    """One answer of a label task: its name in the data and the text shown to the model."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user will accept; `None` means no limit (DESIGN section 8).

    Attributes:
        queries: number of queries the total cost is reckoned for.
        tolerance: largest shortfall, in score units (0.01 is one point), that counts as close.
        cost_per_query: in the currency of `Prices`.
        latency_p95: seconds.
        fit_seconds: one-off seconds a lever may take.
        training: false forbids levers that train weights or soft prompts.
        offline: true forbids endpoints.
        language_model: true keeps floors out of the verdict.
    """

    queries: int = 10_000
    tolerance: float = 0.01
    cost_per_query: float | None = None
    latency_p95: float | None = None
    fit_seconds: float | None = None
    training: bool = True
    offline: bool = False
    language_model: bool = False


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of DESIGN P8; a token price of `None` is unknown, never zero.

    Attributes:
        hour: of local compute.
        label: of labelling one training row.
        input_token: of an endpoint.
        output_token: of an endpoint.
        currency: written behind every amount.
    """

    hour: float = 0.10
    label: float = 0.0
    input_token: float | None = None
    output_token: float | None = None
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class TaskBrief:
    """What a lever may know of a task: words and settings, no rows, no paths."""

    name: str
    description: str
    instruction: str
    kind: TaskKind
    labels: tuple[Label, ...]
    metric: str
    template: str = ""

    def label_text(self, name: str) -> str:
        """The text shown to the model for a label's name.

        Raises:
            KeyError: no label has this name.
        """
        for label in self.labels:
            if label.name == name:
                return label.text
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a decision was written and hashed before the held-out split is opened.

    Attributes:
        plan: hash of the plan.
        decision: hash of the decision on disk.
    """

    plan: str
    decision: str


class SealedSplit:
    """The held-out examples: a type of their own that no lever accepts (DESIGN section 4).

    Only three things can be learned from it before it is opened: how many rows it has, its digest,
    and what a data check counts. The rows come out once a decision has been written, against its
    `Receipt`.
    """

    __slots__ = ("__rows", "count", "digest")

    def __init__(self, rows: tuple[Example, ...]) -> None:
        self.__rows = rows
        self.count = len(rows)
        self.digest = digest([row.to_json() for row in rows])

    def __repr__(self) -> str:
        return f"SealedSplit({self.count} rows, {self.digest[:12]})"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise SealError("The held-out split cannot be copied or pickled.")

    def audit(self, check: Callable[[tuple[Example, ...]], T]) -> T:
        """Run one data check of `accordeur.tasks` over the rows; its answer holds no text.

        Checks return counts and row ids only; the preflight's tests hold them to that.
        """
        return check(self.__rows)

    def open(self, receipt: Receipt) -> tuple[Example, ...]:
        """The rows, against proof of a decision. The caller counts the opening.

        Raises:
            SealError: the receipt is empty.
        """
        if not (len(receipt.plan) == 64 and len(receipt.decision) == 64):
            raise SealError("The held-out split opens only after a decision is written and hashed.")
        return self.__rows


@dataclass(frozen=True, slots=True)
class Task:
    """A task with its rows.

    Attributes:
        name: short name, used in file names.
        description: one sentence for people.
        instruction: what the model is told.
        template: Jinja layout of a row; empty for the default (context, blank line, input).
        kind: `labels` when answers come from a closed list, else `text`.
        labels: in the order of `task.yaml`, or of first appearance in train.
        metric: name of the metric that decides.
        train, dev: rows that levers may learn from, and that only the ruler reads.
        held_out: sealed rows, or `None` when the data is too small for a third split.
        unlabelled: rows without an answer.
        splits: whether the splits were given or drawn by seed.
        folder: where `task.yaml` stands.
        documents: folder or file of documents, if any.
        documents_digest: hash of their names and bytes; empty without any.
        limits, prices: as the user set them.
        warnings: what was odd but usable while reading.
        columns: how data fields were mapped, for the preflight table.
        data_files: the files the rows came from.
        allow_leakage: kinds of leakage the user allowed by name, `exact` or `near`.
    """

    name: str
    description: str
    instruction: str
    kind: TaskKind
    labels: tuple[Label, ...]
    metric: str
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    held_out: SealedSplit | None
    unlabelled: tuple[Example, ...] = ()
    splits: Literal["given", "drawn"] = "given"
    folder: Path = Path()
    documents: str | None = None
    documents_digest: str = ""
    limits: Limits = field(default_factory=Limits)
    prices: Prices = field(default_factory=Prices)
    warnings: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    data_files: tuple[Path, ...] = ()
    template: str = ""
    allow_leakage: tuple[str, ...] = ()

    @property
    def brief(self) -> TaskBrief:
        """What a lever may know of this task."""
        return TaskBrief(
            name=self.name,
            description=self.description,
            instruction=self.instruction,
            kind=self.kind,
            labels=self.labels,
            metric=self.metric,
            template=self.template,
        )

    @property
    def digest(self) -> str:
        """Hash of everything that can change a result: words, labels, metric, rows, documents."""
        documents = {"documents": self.documents_digest} if self.documents_digest else {}
        return digest(
            {
                **documents,
                "name": self.name,
                "instruction": self.instruction,
                "template": self.template,
                "labels": [[label.name, label.text] for label in self.labels],
                "metric": self.metric,
                "train": [row.to_json() for row in self.train],
                "dev": [row.to_json() for row in self.dev],
                "held_out": self.held_out.digest if self.held_out else None,
            }
        )
