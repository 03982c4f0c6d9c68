"""A tiny random model with the real tokenizer, and rows that share a prefix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from accordeur.core.candidate import Candidate
from accordeur.core.model import Model
from accordeur.core.rendering import Request
from accordeur.core.task import Label, TaskBrief
from accordeur.models.local.adapter import Loaded
from accordeur.models.local.model import LocalModel
from accordeur.models.source import Models
from accordeur.parts.answering.adapted import adapted_model
from accordeur.parts.answering.prompting import Prompting
from accordeur.testing.tiny import tiny_model
from accordeur.training.ground import Ground
from accordeur.training.rows import TrainingRow, training_rows
from accordeur.training.trainee import Trainee

torch.set_num_threads(1)

INSTRUCTION = "Which team should answer?"
LABELS = ["Billing", "Lost card"]
TEXTS = [f"Question number {i} about a card" for i in range(12)]


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> LocalModel:
    return Models(dtype="float32").local(str(tiny_folder))


@pytest.fixture(scope="session")
def modules(tiny: LocalModel) -> Loaded:
    return tiny.modules()


@pytest.fixture(scope="session")
def rows() -> list[TrainingRow]:
    """Rows of unlike lengths behind one prefix of nine tokens."""
    draws = torch.Generator().manual_seed(3)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(100, 40_000, (count,), generator=draws).tolist())

    prefix = tokens(9)
    return [TrainingRow(prefix, tokens(3 + i), tokens(2 + i % 3)) for i in range(7)]


@dataclass
class Context:
    """As much of a `FitContext` as a ground needs."""

    model: Model


@pytest.fixture(scope="session")
def candidate(tiny_folder: Path) -> Candidate:
    labels = tuple(Label(text.lower().replace(" ", "_"), text) for text in LABELS)
    task = TaskBrief("t", "", INSTRUCTION, "labels", labels, "accuracy")
    return Candidate(task, str(tiny_folder))


@pytest.fixture
def ground(candidate: Candidate, tiny: LocalModel) -> Ground:
    return Ground.under(candidate, Context(tiny))  # type: ignore[arg-type]


def rows_of(trainee: Trainee) -> list[TrainingRow]:
    """Twelve questions that are all about the second label, as the candidate renders them."""
    made = trainee.candidate()
    prompting = Prompting(made, None)  # type: ignore[arg-type]
    rendered = prompting.render([Request(text) for text in TEXTS])
    return training_rows(trainee.ground.chat, rendered, [LABELS[1]] * len(TEXTS), 1024)


def scores(candidate: Candidate, model: Model, text: str = TEXTS[0]) -> tuple[float, ...]:
    """Log-probabilities of both labels, as the candidate answers."""
    adapted, _ = adapted_model(candidate, model)
    rendered = Prompting(candidate, None).render([Request(text)])  # type: ignore[arg-type]
    (batch,) = adapted.score(rendered, LABELS)
    return batch.results[0].scores


def write(files: Mapping[str, bytes], folder: Path) -> Path:
    """A part's files, as they stand in a bundle."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder
