"""A small fit context that really answers and really scores, and an embedder of letters."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from accordeur.core.answer import Answer
from accordeur.core.budget import Budget
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.lever import Evaluation
from accordeur.core.model import Embedder, FloatArray, Model, ModelIdentity
from accordeur.core.rendering import Request
from accordeur.core.task import Example, Label, TaskBrief
from accordeur.measure.metrics import load_metric
from accordeur.parts.classifier import LabelClassifier, TextClassifier


class LetterEmbedder:
    """Unit vectors of hashed letter triples: similar spelling, similar vectors."""

    identity = ModelIdentity("test/letters", "e" * 64, "test")
    dimension = 64

    def embed(self, texts: Sequence[str]) -> FloatArray:
        vectors = np.full((len(texts), self.dimension), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for start in range(len(text) - 2):
                vectors[row, zlib.crc32(text[start : start + 3].encode()) % self.dimension] += 1
        unit: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(len(text.split()) for text in texts)


@dataclass
class Context:
    """Scores candidates on dev rows with the task's metric and remembers every evaluation."""

    task: TaskBrief
    dev: Sequence[Example]
    effort: int = 9
    seed: int = 0
    embedder: Embedder = field(default_factory=LetterEmbedder)
    budget: Budget = field(default_factory=Budget)
    ledger: dict[str, float] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        raise ModelError("floors need no language model")

    def answer(self, candidate: Candidate, rows: Sequence[Example]) -> list[Answer]:
        part = candidate.parts["classifier"]
        if isinstance(part, TextClassifier):
            return [Answer(text) for text in part.predict_text([*map(Request.from_example, rows)])]
        assert isinstance(part, LabelClassifier)
        table = part.predict([row.text for row in rows], self.embedder.embed)
        return [
            Answer(label, label=label, probabilities=tuple(chances.tolist()))
            for chances in table
            for label in [part.labels[int(chances.argmax())]]
        ]

    def evaluate(
        self, candidate: Candidate, configuration: str, *, control: bool = False
    ) -> Evaluation:
        assert configuration not in self.ledger
        metric = load_metric(self.task.metric)
        pairs = zip(self.answer(candidate, self.dev), self.dev, strict=True)
        scores = [metric.row(answer, row, self.task) for answer, row in pairs]
        self.ledger[configuration] = float(np.mean(scores))
        return Evaluation(self.ledger[configuration], len(scores))

    def log(self, message: str) -> None:
        pass


SUBJECTS = {
    "card": ("my card", "the bank card", "a debit card"),
    "bill": ("the bill", "my invoice", "this charge"),
    "login": ("my password", "the login page", "my account"),
}
VERBS = ("is wrong", "does not work", "was lost", "needs a change", "looks strange", "is late")


def label_rows() -> list[Example]:
    rows: list[Example] = []
    for verb in VERBS:
        for label, subjects in SUBJECTS.items():
            for subject in subjects:
                name = f"{label}-{len(rows)}"
                rows.append(Example(name, f"{subject} {verb}", (label,), name))
    return rows


def text_row(number: int, answer: str, context: str | None = None) -> Example:
    text = f"{answer} Then more was said. And more, in call {number}."
    return Example(str(number), text, (answer,), str(number), context)


@pytest.fixture
def support() -> tuple[Context, list[Example]]:
    """A label task and its train rows; one of its labels has no rows, and card has most."""
    rows = label_rows()
    labels = tuple(Label(name, name.title()) for name in ("absent", "bill", "card", "login"))
    train = rows[:36] + [Example(f"more-{i}", f"card {i}", ("card",), f"more-{i}") for i in "ab"]
    return Context(TaskBrief("support", "", "", "labels", labels, "accuracy"), rows[36:]), train


@pytest.fixture
def calls() -> tuple[Context, list[Example]]:
    """A text task whose answer is the first sentence of the input, and its train rows."""
    answers = ["A card was lost.", "A bill was wrong.", "A card was lost.", "A call was late."]
    rows = [text_row(number, answers[number % 4]) for number in range(12)]
    return Context(TaskBrief("calls", "", "", "text", (), "rouge-l"), rows[8:]), rows[:8]
